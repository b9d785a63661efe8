//! The outside world of tests: what is sent to it is remembered, what it answers is decided.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use outrigger_ports::http_client::{HttpAnswer, HttpClient, HttpFault, HttpRequest};

/// Remembers all that is sent. Answers as it was told, else with 200 and an empty body.
#[derive(Debug, Default)]
pub struct Recorder {
    requests: Mutex<Vec<HttpRequest>>,
    answers: Mutex<VecDeque<Result<HttpAnswer, HttpFault>>>,
}

impl Recorder {
    /// The next request gets this answer.
    pub fn answer(&self, answer: Result<HttpAnswer, HttpFault>) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).push_back(answer);
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
