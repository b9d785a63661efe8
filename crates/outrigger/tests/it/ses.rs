//! What SES answers to a mail, on the wire, and what becomes of the mail's task.

use outrigger_testkit::Receiver;
use serde_json::{Value, json};

use crate::clouds::in_aws;
use crate::support::{Api, Backend, Server, ServerOptions, until};

/// A server that sends through SES at this address.
fn sending(address: &str) -> Server {
    let options = in_aws(ServerOptions::on(Backend::Sqlite))
        .set("AWS_ENDPOINT_URL", address)
        .set("MAIL_URL", "ses://eu-central-1")
        .set("OUTRIGGER__MAIL__FROM", "The Shop <shop@example.com>");
    Server::start(&options)
}

/// Enqueues a mail; the path of its task.
fn send(api: &Api) -> String {
    let payload = json!({"to": "ann@example.org", "subject": "Order 7", "text": "It is sent."});
    let body = json!({"kind": "email.send", "payload": payload});
    api.post("/api/v1/tasks", &body).expect(202).header("location").to_owned()
}

/// As the protocol has it (REST JSON): the kind is in a header only.
fn says(ses: &Receiver, status: &str, kind: &str, message: &str) {
    let head = format!("{status}\r\nx-amzn-ErrorType: {kind}:http://internal.amazon.com/v2/");
    ses.answer(&head, &json!({"message": message}).to_string());
}

#[test]
fn a_mail_that_ses_rejects_has_failed_and_one_that_it_puts_off_is_sent_later() {
    let ses = Receiver::start().unwrap();
    let server = sending(&ses.url(""));
    let api = server.admin();
    for kind in ["MessageRejected", "BadRequestException"] {
        says(&ses, "400 Bad Request", kind, "Address is on the suppression list");
        let task = until(&api, &send(&api), "failed");
        assert_eq!((&task["attempts"], &task["error"]["code"]), (&json!(1), &json!("refused")));
        let said = format!("SES said: 400 {kind} Address is on the suppression list");
        assert_eq!(task["error"]["message"], said);
    }
    says(
        &ses,
        "429 Too Many Requests",
        "TooManyRequestsException",
        "Maximum sending rate exceeded.",
    );
    ses.answer("503 Service Unavailable", "<html>");
    ses.answer("200 OK", &json!({"MessageId": "0102"}).to_string());
    let task = until(&api, &send(&api), "succeeded");
    assert_eq!(task["attempts"], 3, "{task}");
    assert_eq!(task["result"]["message_id"], "0102@eu-central-1.amazonses.com");
    let asked = ses.received();
    assert_eq!(asked.len(), 5, "{asked:?}");
    let body: Value = serde_json::from_slice(&asked[4].body).unwrap();
    assert_eq!(asked[4].path, "/v2/email/outbound-emails");
    assert_eq!(body["Destination"]["ToAddresses"], json!(["ann@example.org"]));
}
