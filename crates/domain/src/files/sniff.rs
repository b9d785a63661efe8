//! What a file is, from its first bytes.

/// So many first bytes are looked at.
pub(super) const HEAD_BYTES: usize = 8 * 1024;

const UNKNOWN: &str = "application/octet-stream";
const TEXT: &str = "text/plain";
const SVG: &str = "image/svg+xml";
/// Types of texts that bytes do not tell from one another; who sends one says which.
const TEXTS: &[&str] = &[
    "application/json",
    "application/x-ndjson",
    "application/xml",
    "application/yaml",
    "application/javascript",
];

/// The type of these bytes. `declared` counts only for texts, and only within texts: nothing becomes
/// an image by being called one.
pub(super) fn media_type(head: &[u8], declared: Option<&str>) -> String {
    let declared = declared.and_then(|given| given.split(';').next()).unwrap_or_default();
    let declared = declared.trim().to_ascii_lowercase();
    let known = infer::get(head).map(|kind| kind.mime_type());
    // Of a text it says no more than that it is marked up.
    if let Some(known) = known.filter(|known| !known.starts_with("text/")) {
        return known.to_owned();
    }
    if !is_text(head) {
        return UNKNOWN.to_owned();
    }
    let is_svg = || head.windows(4).any(|part| part.eq_ignore_ascii_case(b"<svg"));
    let is_name = declared.bytes().all(|b| b.is_ascii_alphanumeric() || b"/+-.".contains(&b));
    match declared.as_str() {
        SVG if is_svg() => SVG.to_owned(),
        text if TEXTS.contains(&text) => declared,
        text if is_name && text.len() > 5 && text.starts_with("text/") => declared,
        _ => known.unwrap_or(TEXT).to_owned(),
    }
}

/// UTF-8 without what no text has; its last character may be cut.
fn is_text(head: &[u8]) -> bool {
    let is_utf8 = match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && head.len() >= HEAD_BYTES,
    };
    is_utf8 && !head.iter().any(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31 | 127))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

    #[test]
    fn bytes_say_what_a_file_is_whatever_it_is_called() {
        for (head, declared, expected) in [
            (PNG, Some("text/html"), "image/png"),
            (PNG, None, "image/png"),
            (b"%PDF-1.7", Some("image/png"), "application/pdf"),
            (b"PK\x03\x04\x14\0", Some("image/png"), "application/zip"),
            (b"MZ\x90\0\x03", Some("image/png"), "application/vnd.microsoft.portable-executable"),
            (b"hello", Some("image/png"), "text/plain"),
            (b"hello", None, "text/plain"),
            (b"", None, "text/plain"),
            (b"a,b\n1,2", Some("Text/CSV; charset=utf-8"), "text/csv"),
            (b"{}", Some("application/json"), "application/json"),
            (b"<!DOCTYPE html><p>", Some("image/svg+xml"), "text/html"),
            (b"<p onload=x>", Some("image/svg+xml"), "text/html"),
            (b"<svg xmlns='x'/>", Some("image/svg+xml"), "image/svg+xml"),
            (b"x", Some("text/a\"b"), "text/plain"),
            (b"\0\x01\x02", Some("text/plain"), "application/octet-stream"),
            (b"\xff\xfe\xfd", None, "application/octet-stream"),
        ] {
            assert_eq!(media_type(head, declared), expected, "{declared:?}");
        }
    }

    #[test]
    fn a_character_that_the_head_cuts_is_no_fault() {
        let text = "ä".repeat(HEAD_BYTES);
        assert_eq!(media_type(&text.as_bytes()[1..][1..=HEAD_BYTES], None), "text/plain");
        assert_eq!(media_type("ä".as_bytes().split_at(1).0, None), "application/octet-stream");
    }
}
