//! From a mail to the bytes that travel.

use std::time::{Duration, UNIX_EPOCH};

use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};
use outrigger_ports::mailer::{Mail, MailFault};

/// A message as it goes over the wire.
pub(crate) struct Written {
    /// Without the angle brackets.
    pub(crate) message_id: String,
    pub(crate) envelope: Envelope,
    pub(crate) bytes: Vec<u8>,
}

/// Headers that say how the message is made or delivered; they are set here.
const RESERVED: [&str; 14] = [
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "bcc",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "return-path",
    "received",
    "delivered-to",
    "dkim-signature",
];

/// The message of this mail.
///
/// # Errors
/// [`MailFault::Refused`] names the part that cannot be sent.
pub(crate) fn write(mail: &Mail) -> Result<Written, MailFault> {
    // It becomes a part of a header, or the name of a file.
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
    if mail.id.is_empty() || !mail.id.bytes().all(is_letter) {
        return Err(refused(format!("the id {:?} is not made of A-Z a-z 0-9 _ -", mail.id)));
    }
    let from = mailbox("from", &mail.from)?;
    let to = mail.to.iter().map(|text| mailbox("to", text)).collect::<Result<Vec<_>, _>>()?;
    one_line("subject", &mail.subject)?;
    let message_id = format!("{}@{}", mail.id, from.email.domain());
    let seconds = u64::try_from(mail.at.as_secs()).unwrap_or_default();
    let recipients: Vec<Address> = to.iter().map(|mailbox| mailbox.email.clone()).collect();
    let envelope = Envelope::new(Some(from.email.clone()), recipients);
    let envelope = envelope.map_err(|error| refused(format!("to: {error}")))?;
    let mut builder = Message::builder()
        .from(from)
        .subject(&mail.subject)
        .date(UNIX_EPOCH + Duration::from_secs(seconds))
        .message_id(Some(format!("<{message_id}>")));
    for mailbox in to {
        builder = builder.to(mailbox);
    }
    if let Some(reply_to) = &mail.reply_to {
        builder = builder.reply_to(mailbox("reply_to", reply_to)?);
    }
    for (name, value) in &mail.headers {
        builder = builder.raw_header(header(name, value)?);
    }
    let text = mail.text.clone();
    let made = match &mail.html {
        Some(html) => builder.multipart(MultiPart::alternative_plain_html(text, html.clone())),
        None => builder.singlepart(SinglePart::plain(text)),
    };
    let message = made.map_err(|error| refused(format!("cannot be written: {error}")))?;
    Ok(Written { message_id, envelope, bytes: message.formatted() })
}

/// Lets an address pass: `name@example.com` or `A Name <name@example.com>`.
///
/// # Errors
/// Says what is wrong with it.
pub fn check_address(text: &str) -> Result<(), MailFault> {
    mailbox("address", text).map(drop)
}

fn mailbox(place: &str, text: &str) -> Result<Mailbox, MailFault> {
    one_line(place, text)?;
    text.parse().map_err(|error| refused(format!("{place}: {text:?} is no address: {error}")))
}

fn header(name: &str, value: &str) -> Result<HeaderValue, MailFault> {
    let lower = name.to_ascii_lowercase();
    if RESERVED.contains(&lower.as_str()) || lower.starts_with("content-") {
        return Err(refused(format!("headers: {name} is set by Outrigger itself")));
    }
    one_line("headers", value)?;
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    match HeaderName::new_from_ascii(name.to_owned()) {
        Ok(known) if name.bytes().all(is_letter) => Ok(HeaderValue::new(known, value.to_owned())),
        _ => Err(refused(format!("headers: {name:?} is no name of a header"))),
    }
}

/// What a line break could smuggle in: further headers and recipients.
fn one_line(place: &str, text: &str) -> Result<(), MailFault> {
    match text.chars().any(char::is_control) {
        true => Err(refused(format!("{place}: holds a line break or another control character"))),
        false => Ok(()),
    }
}

fn refused(why: String) -> MailFault {
    MailFault::Refused(why)
}

#[cfg(test)]
mod tests {
    use outrigger_kernel::Timestamp;

    use super::*;

    fn mail() -> Mail {
        Mail {
            id: "tsk_1".to_owned(),
            at: Timestamp::from_secs(1_800_000_000),
            from: "The Shop <shop@example.com>".to_owned(),
            reply_to: None,
            to: vec!["ann@example.org".to_owned()],
            subject: "Grüße".to_owned(),
            text: "Hello".to_owned(),
            html: None,
            headers: Vec::new(),
        }
    }

    fn text_of(mail: &Mail) -> String {
        String::from_utf8(write(mail).unwrap().bytes).unwrap()
    }

    #[test]
    fn the_same_mail_has_the_same_id_at_every_attempt() {
        let later = Mail { at: Timestamp::from_secs(1_800_000_600), ..mail() };
        for mail in [mail(), later] {
            assert_eq!(write(&mail).unwrap().message_id, "tsk_1@example.com");
            assert!(text_of(&mail).contains("Message-ID: <tsk_1@example.com>\r\n"));
        }
    }

    #[test]
    fn text_and_html_are_alternatives() {
        let text = text_of(&Mail { html: Some("<b>Hello</b>".to_owned()), ..mail() });
        assert!(text.contains("multipart/alternative") && text.contains("<b>Hello</b>"), "{text}");
        assert!(!text_of(&mail()).contains("multipart"));
    }

    #[test]
    fn nothing_can_be_smuggled_into_the_head() {
        let with = |name: &str, value: &str| Mail {
            headers: vec![(name.to_owned(), value.to_owned())],
            ..mail()
        };
        for (mail, place) in [
            (Mail { id: "../x".to_owned(), ..mail() }, "the id"),
            (Mail { subject: "a\r\nBcc: x@y.example".to_owned(), ..mail() }, "subject"),
            (Mail { from: "a@b.example\nBcc: x@y.example".to_owned(), ..mail() }, "from"),
            (Mail { reply_to: Some("nobody".to_owned()), ..mail() }, "reply_to"),
            (Mail { to: vec!["a@b.example, c@d.example".to_owned()], ..mail() }, "to"),
            (Mail { to: Vec::new(), ..mail() }, "to"),
            (with("X-Colour", "red\nBcc: x@y.example"), "headers"),
            (with("X-Colour: red\r\nBcc", "x@y.example"), "headers"),
            (with("bCc", "x@y.example"), "headers"),
            (with("Content-Type", "text/html"), "headers"),
        ] {
            let Err(MailFault::Refused(why)) = write(&mail).map(|_| ()) else {
                panic!("{mail:?} passed")
            };
            assert!(why.starts_with(place), "{why}");
        }
        assert!(text_of(&with("X-Colour", "red")).contains("X-Colour: red\r\n"));
    }
}
