//! A message put together: as text, and as HTML.

use std::fmt::Write;

/// The words of a message.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    pub(super) language: &'a str,
    pub(super) subject: String,
    pub(super) greeting: String,
    pub(super) text: String,
    /// What the button says, and where it leads.
    pub(super) button: Option<(String, &'a str)>,
    pub(super) note: Option<String>,
    /// What ends mails like this one, and where.
    pub(super) unsubscribe: Option<(String, &'a str)>,
    pub(super) closing: String,
}

impl Parts<'_> {
    /// The text part: paragraphs with an empty line between two.
    pub(super) fn text(&self) -> String {
        let mut paragraphs = vec![self.greeting.clone(), self.text.clone()];
        paragraphs.extend(self.button.as_ref().map(|(words, link)| format!("{words}:\n{link}")));
        paragraphs.extend(self.note.clone());
        paragraphs.push(format!("--\n{}", self.closing));
        paragraphs
            .extend(self.unsubscribe.as_ref().map(|(words, link)| format!("{words}:\n{link}")));
        paragraphs.join("\n\n") + "\n"
    }

    /// The HTML part: a whole page that loads nothing.
    pub(super) fn html(&self) -> String {
        let mut body = paragraph("", &self.greeting);
        for text in self.text.split("\n\n") {
            body += &paragraph("", text);
        }
        if let Some((words, link)) = &self.button {
            let (words, link) = (escape(words), escape(link));
            let _ = write!(body, "<p><a href=\"{link}\" style=\"{BUTTON}\">{words}</a></p>");
            let _ = write!(body, "<p style=\"{SMALL}\">{link}</p>");
        }
        if let Some(note) = &self.note {
            body += &paragraph("", note);
        }
        body += &paragraph(SMALL, &self.closing);
        if let Some((words, link)) = &self.unsubscribe {
            let (words, link) = (escape(words), escape(link));
            let _ = write!(body, "<p style=\"{SMALL}\"><a href=\"{link}\">{words}</a></p>");
        }
        format!(
            "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{}</title>\
             </head><body style=\"{PAGE}\">{body}</body></html>\n",
            self.language,
            escape(&self.subject)
        )
    }
}

const PAGE: &str = "font:16px/1.5 system-ui,sans-serif;color:#1a1a1a;max-width:36rem;\
    margin:2rem auto;padding:0 1rem";
const BUTTON: &str = "display:inline-block;padding:.6rem 1.2rem;border-radius:.3rem;\
    background:#0b5394;color:#ffffff;text-decoration:none";
const SMALL: &str = "font-size:13px;color:#5a5a5a;overflow-wrap:anywhere";

fn paragraph(style: &str, text: &str) -> String {
    let text = escape(text).replace('\n', "<br>");
    match style {
        "" => format!("<p>{text}</p>"),
        style => format!("<p style=\"{style}\">{text}</p>"),
    }
}

/// Text inside HTML, also inside a quoted attribute.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}
