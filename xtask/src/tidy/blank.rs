//! Rust source without its comments and without what stands in its strings, line for line, so
//! that the rules see code only.

/// Stands for every character inside of a string.
pub(super) const FILL: char = '"';

/// The text with comments replaced by spaces and the contents of strings by [`FILL`].
pub(super) fn blank(text: &str) -> String {
    let mut blanker = Blanker { chars: text.chars().collect(), at: 0, out: String::new() };
    while blanker.at < blanker.chars.len() {
        blanker.step();
    }
    blanker.out
}

struct Blanker {
    chars: Vec<char>,
    at: usize,
    out: String,
}

impl Blanker {
    fn step(&mut self) {
        let after_word = self.out.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        match (self.peek(0), self.peek(1)) {
            (Some('/'), Some('/')) => self.until_line_end(),
            (Some('/'), Some('*')) => self.block_comment(),
            (Some('"'), _) => self.string(),
            (Some('r'), Some('"' | '#')) if !after_word => self.raw_string(1),
            (Some('b' | 'c'), Some('r')) if !after_word => self.raw_string(2),
            (Some('\''), _) => self.quote(),
            _ => self.keep(),
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn keep(&mut self) {
        self.out.extend(self.peek(0));
        self.at += 1;
    }

    /// Moves on; the end of a line stays one.
    fn hide(&mut self, stand_in: char) {
        match self.peek(0) {
            Some('\n') => self.out.push('\n'),
            Some(_) => self.out.push(stand_in),
            None => {}
        }
        self.at += 1;
    }

    fn until_line_end(&mut self) {
        while self.peek(0).is_some_and(|c| c != '\n') {
            self.hide(' ');
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        loop {
            let step = match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => 1,
                (Some('*'), Some('/')) => -1,
                (None, _) => return,
                _ => 0,
            };
            self.hide(' ');
            if step != 0 {
                self.hide(' ');
                depth += step;
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        self.hide(FILL);
        while let Some(c) = self.peek(0) {
            self.hide(FILL);
            match c {
                '"' => return,
                '\\' => self.hide(FILL),
                _ => {}
            }
        }
    }

    /// `r"…"`, `r#"…"#` and the same after `b` or `c`; anything else is kept (`r#type`).
    fn raw_string(&mut self, prefix: usize) {
        let mut hashes = 0;
        while self.peek(prefix + hashes) == Some('#') {
            hashes += 1;
        }
        if self.peek(prefix + hashes) != Some('"') {
            return self.keep();
        }
        for _ in 0..=(prefix + hashes) {
            self.hide(FILL);
        }
        while let Some(c) = self.peek(0) {
            let closes = c == '"' && (1..=hashes).all(|ahead| self.peek(ahead) == Some('#'));
            self.hide(FILL);
            if closes {
                (0..hashes).for_each(|_| self.hide(FILL));
                return;
            }
        }
    }

    /// A character, or the start of a lifetime.
    fn quote(&mut self) {
        let length = match (self.peek(1), self.peek(2)) {
            (Some('\\'), _) => {
                let mut length = 3;
                while self.peek(length).is_some_and(|c| c != '\'' && c != '\n') {
                    length += 1;
                }
                length + 1
            }
            (_, Some('\'')) => 3,
            _ => return self.keep(),
        };
        (0..length).for_each(|_| self.hide(FILL));
    }
}

#[cfg(test)]
mod tests {
    use super::blank;

    #[test]
    fn comments_and_strings_disappear_and_lines_stay() {
        let code = "a // b\n/* c /* d */\n e */ f(\"g // h\\\" i\")\n";
        let blanked = blank(code);
        assert_eq!(blanked.lines().count(), 3);
        assert_eq!(blanked.chars().filter(char::is_ascii_alphabetic).collect::<String>(), "af");
    }

    #[test]
    fn raw_strings_end_at_their_own_hashes() {
        assert_eq!(blank("r#\"a\"b\"# c").trim_start_matches('"'), " c");
        assert_eq!(blank("br\"a\\\" c").trim_start_matches('"'), " c");
        assert_eq!(blank("r#type"), "r#type");
        assert_eq!(blank("for\"x\""), "for\"\"\"");
    }

    #[test]
    fn characters_are_not_lifetimes() {
        assert_eq!(blank("<'a> '\"' b"), "<'a> \"\"\" b");
        assert_eq!(blank("'\\'' b"), "\"\"\"\" b");
        assert_eq!(blank("'\\u{1F600}' b").trim_start_matches('"'), " b");
    }
}
