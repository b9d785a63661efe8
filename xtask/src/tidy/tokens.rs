//! Code as words and single signs, each with its line.

use super::blank::{FILL, blank};

/// A word (identifier, keyword or number) or one sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// The word or sign.
    pub(super) text: String,
    /// Its line, from 1.
    pub(super) line: usize,
}

impl Token {
    /// Whether it is this word or sign.
    pub(super) fn is(&self, text: &str) -> bool {
        self.text == text
    }

    /// Whether it is a word.
    pub(super) fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// The tokens of a source text, without comments and strings.
pub(super) fn tokens(source: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    for (index, line) in blank(source).lines().enumerate() {
        let mut in_word = false;
        for c in line.chars() {
            let part_of_word = c.is_alphanumeric() || c == '_';
            match tokens.last_mut() {
                Some(last) if in_word && part_of_word => last.text.push(c),
                _ if c.is_whitespace() || c == FILL => {}
                _ => tokens.push(Token { text: c.into(), line: index + 1 }),
            }
            in_word = part_of_word;
        }
    }
    tokens
}

/// Whether the tokens from `at` on are these.
pub(super) fn starts_with(tokens: &[Token], at: usize, texts: &[&str]) -> bool {
    let rest = tokens.get(at..).unwrap_or_default();
    rest.len() >= texts.len() && rest.iter().zip(texts).all(|(token, text)| token.is(text))
}

/// The place of the bracket that closes the one at `open`, or the end.
pub(super) fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_i32;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::{closing, starts_with, tokens};

    #[test]
    fn words_and_signs_with_their_lines() {
        let found = tokens("use a_1::b;\nfn \"x\" c() {}");
        let texts: Vec<&str> = found.iter().map(|token| token.text.as_str()).collect();
        assert_eq!(texts, ["use", "a_1", ":", ":", "b", ";", "fn", "c", "(", ")", "{", "}"]);
        assert_eq!((found[0].line, found[6].line), (1, 2));
        assert!(starts_with(&found, 1, &["a_1", ":", ":"]));
        assert!(!starts_with(&found, 11, &["}", "}"]));
    }

    #[test]
    fn a_bracket_closes_after_those_in_it() {
        let found = tokens("{ (a) { b } } c");
        assert_eq!(closing(&found, 0), 7);
        assert_eq!(closing(&tokens("{ a"), 0), 2);
    }
}
