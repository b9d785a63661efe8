//! The outside world of tests: what is sent to it is remembered, what it answers is decided.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use outrigger_ports::http_client::{HttpAnswer, HttpClient, HttpFault, HttpRequest};
use outrigger_ports::mailer::{Mail, MailFault, Mailer, Sent};
use outrigger_ports::probe::Probed;

/// Remembers all that is sent. Answers as it was told, else with 200 and an empty body;
/// takes every mail unless it was told not to.
#[derive(Debug, Default)]
pub struct Recorder {
    requests: Mutex<Vec<HttpRequest>>,
    answers: Mutex<VecDeque<Result<HttpAnswer, HttpFault>>>,
    mails: Mutex<Vec<Mail>>,
    mail_faults: Mutex<VecDeque<MailFault>>,
}

impl Recorder {
    /// The next request gets this answer.
    pub fn answer(&self, answer: Result<HttpAnswer, HttpFault>) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).push_back(answer);
    }

    /// The next mail is not taken.
    pub fn refuse_mail(&self, fault: MailFault) {
        self.mail_faults.lock().unwrap_or_else(PoisonError::into_inner).push_back(fault);
    }

    /// The mails that were taken so far.
    pub fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<HttpRequest> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl HttpClient for Recorder {
    async fn send(&self, request: HttpRequest) -> Result<HttpAnswer, HttpFault> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        let said = self.answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        said.unwrap_or(Ok(HttpAnswer {
            status: 200,
            headers: Vec::new(),
            body: Bytes::new(),
            is_cut: false,
        }))
    }
}

#[async_trait]
impl Mailer for Recorder {
    async fn send(&self, mail: Mail) -> Result<Sent, MailFault> {
        let fault = self.mail_faults.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        if let Some(fault) = fault {
            return Err(fault);
        }
        let sent = Sent { message_id: mail.id.clone(), answer: "250 recorded".to_owned() };
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
        Ok(sent)
    }

    async fn probe(&self) -> Result<Probed, MailFault> {
        Ok(Probed::default())
    }
}
