//! What a file is, from its first bytes.

/// So many first bytes are looked at.
pub(super) const HEAD_BYTES: usize = 8 * 1024;

const UNKNOWN: &str = "application/octet-stream";
const TEXT: &str = "text/plain";
const SVG: &str = "image/svg+xml";
const HTML: &str = "text/html";
const XML: &str = "text/xml";
/// Types of texts that bytes do not tell from one another; who sends one says which.
const TEXTS: &[&str] = &[
    "application/json",
    "application/x-ndjson",
    "application/xml",
    "application/yaml",
    "application/javascript",
];

/// The type of these bytes. `declared` counts only for texts, and only within texts: nothing becomes
/// an image by being called one, and what begins as a page that may have scripts is one, whatever it is
/// called.
pub(super) fn media_type(head: &[u8], declared: Option<&str>) -> String {
    let declared = declared.and_then(|given| given.split(';').next()).unwrap_or_default();
    let declared = declared.trim().to_ascii_lowercase();
    let is_text = is_text(head);
    let known = infer::get(head).map(|kind| kind.mime_type());
    match known.filter(|known| is_plausible(known, head, is_text)) {
        Some(known) if !known.starts_with("text/") => known.to_owned(),
        known if is_text => text_type(head, known, declared),
        _ => UNKNOWN.to_owned(),
    }
}

/// Some kinds are told by a few letters, with which a text may begin too.
fn is_plausible(known: &str, head: &[u8], is_text: bool) -> bool {
    let is_medium = ["image/", "audio/", "video/"].iter().any(|kind| known.starts_with(kind));
    !(is_medium && is_text) && (known != "image/bmp" || is_bitmap(head))
}

/// `BM`, the size of the file, four zeros, where the pixels begin, and a header of one of its sizes.
fn is_bitmap(head: &[u8]) -> bool {
    let number = |at: usize| {
        let bytes = head.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_le_bytes(bytes))
    };
    let (Some(size), Some(0), Some(pixels), Some(header)) =
        (number(2), number(6), number(10), number(14))
    else {
        return false;
    };
    [12, 16, 40, 52, 56, 64, 108, 124].contains(&header)
        && pixels >= 14 + header
        // Some who write one leave its size out.
        && (size == 0 || size >= pixels)
}

/// The type of a text that begins as `known` does.
fn text_type(head: &[u8], known: Option<&str>, declared: String) -> String {
    let marked_up = match known {
        Some(HTML | XML) => known,
        _ if begins_as_svg(head) => Some(SVG),
        _ => None,
    };
    let is_svg = || head.windows(4).any(|part| part.eq_ignore_ascii_case(b"<svg"));
    let is_name = declared.bytes().all(|b| b.is_ascii_alphanumeric() || b"/+-.".contains(&b));
    match (marked_up, declared.as_str()) {
        (Some(_), SVG) if is_svg() => SVG.to_owned(),
        (Some(XML), "application/xml") => declared,
        (Some(found), _) => found.to_owned(),
        (None, text) if TEXTS.contains(&text) => declared,
        (None, text) if is_name && text.len() > 5 && text.starts_with("text/") => declared,
        (None, _) => known.unwrap_or(TEXT).to_owned(),
    }
}

fn begins_as_svg(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    head.get(..4).is_some_and(|first| first.eq_ignore_ascii_case(b"<svg"))
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
            (b"<svg xmlns='x'/>", None, "image/svg+xml"),
            (b"\xef\xbb\xbf <SVG onload=x>", Some("text/csv"), "image/svg+xml"),
            (b"a <svg>", Some("image/svg+xml"), "text/plain"),
            (b" <script>x</script>", Some("text/csv"), "text/html"),
            (b"<!-- a --><p>", Some("application/json"), "text/html"),
            (b"<!-- a --><svg/>", Some("image/svg+xml"), "image/svg+xml"),
            (b"<?xml version='1.0'?><a/>", Some("text/csv"), "text/xml"),
            (b"<?xml version='1.0'?><a/>", Some("application/xml"), "application/xml"),
            (b"<?xml version='1.0'?><svg/>", Some("image/svg+xml"), "image/svg+xml"),
            (b"# <p>", Some("text/markdown"), "text/markdown"),
            (b"x", Some("text/a\"b"), "text/plain"),
            (b"\0\x01\x02", Some("text/plain"), "application/octet-stream"),
            (b"\xff\xfe\xfd", None, "application/octet-stream"),
        ] {
            assert_eq!(media_type(head, declared), expected, "{declared:?}");
        }
    }

    #[test]
    fn a_few_letters_make_no_image() {
        let bitmap = |size: u32, zeros: u32, pixels: u32, header: u32| {
            let numbers = [size, zeros, pixels, header].map(u32::to_le_bytes).concat();
            [b"BM".as_slice(), &numbers, &[7; 40]].concat()
        };
        for (head, expected) in [
            (bitmap(58, 0, 54, 40), "image/bmp"),
            (bitmap(0, 0, 26, 12), "image/bmp"),
            (bitmap(9_000, 0, 138, 124), "image/bmp"),
            (bitmap(58, 1, 54, 40), UNKNOWN),
            (bitmap(58, 0, 53, 40), UNKNOWN),
            (bitmap(58, 0, 54, 41), UNKNOWN),
            (bitmap(53, 0, 54, 40), UNKNOWN),
            (bitmap(58, 0, 54, 40)[..17].to_vec(), UNKNOWN),
            (b"BM<script>\0\0\0\0\0\0\0\0".to_vec(), UNKNOWN),
            (b"BM<script>alert(1)</script>".to_vec(), TEXT),
            (b"GIF89a/*<script>".to_vec(), TEXT),
            (b"ID3 <script>".to_vec(), TEXT),
            (b"GIF89a\x01\0\x01\0\x80\0\0".to_vec(), "image/gif"),
        ] {
            assert_eq!(media_type(&head, Some("image/bmp")), expected, "{head:?}");
        }
    }

    #[test]
    fn a_character_that_the_head_cuts_is_no_fault() {
        let text = "ä".repeat(HEAD_BYTES);
        assert_eq!(media_type(&text.as_bytes()[1..][1..=HEAD_BYTES], None), "text/plain");
        assert_eq!(media_type("ä".as_bytes().split_at(1).0, None), "application/octet-stream");
    }
}
