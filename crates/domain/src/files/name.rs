//! The name of a file, as it may be shown and saved elsewhere.

/// Longest name, in bytes.
const NAME_BYTES_MAX: usize = 255;
/// Of a file without a name.
const NAMELESS: &str = "file";

/// The last part of what the client calls it, without what is no name on some system: folders,
/// control characters, and what turns the direction of writing round.
pub(super) fn clean(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let kept: String = last.chars().filter(|c| !c.is_control() && !turns(*c)).collect();
    let mut name = kept.trim().trim_start_matches('.').trim();
    while name.len() > NAME_BYTES_MAX {
        let end = name.char_indices().next_back().map_or(0, |(at, _)| at);
        name = &name[..end];
    }
    if name.is_empty() { NAMELESS.to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_what_cannot_be_seen_are_left_out() {
        for (given, name) in [
            ("holiday.jpg", "holiday.jpg"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\me\\Bericht März.pdf", "Bericht März.pdf"),
            ("a\r\nSet-Cookie: b\0.txt", "aSet-Cookie: b.txt"),
            ("invoice\u{202e}gpj.exe", "invoicegpj.exe"),
            (".htaccess", "htaccess"),
            ("", "file"),
            ("...", "file"),
            ("a/", "file"),
        ] {
            assert_eq!(clean(given), name, "{given:?}");
        }
        assert_eq!(clean(&"ä".repeat(300)), "ä".repeat(127));
    }
}
