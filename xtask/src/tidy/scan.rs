//! Modules in the code: which are declared where, and what a `use` or a path refers to.

use super::tokens::{Token, closing, starts_with, tokens};

/// A `mod name;` that stands for another file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Declared {
    /// The inline modules around it.
    pub(super) inside: Vec<String>,
    /// Its name.
    pub(super) name: String,
}

/// A reference to something below the root of the crate, by its first name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// The first name after `crate::` (or after enough `super::`).
    pub(super) name: String,
    /// Where.
    pub(super) line: usize,
}

/// The modules that live in files of their own.
pub(super) fn declared(source: &str) -> Vec<Declared> {
    let tokens = tokens(source);
    let mut found = Vec::new();
    walk(&tokens, |at, inside| {
        if tokens[at].is("mod") && tokens.get(at + 2).is_some_and(|token| token.is(";")) {
            let name = tokens[at + 1].text.clone();
            found.push(Declared { inside: inside.to_vec(), name });
        }
    });
    found
}

/// What the file of the module `path` (for `src/a/b.rs`: a, b) uses from the root of its crate.
pub(super) fn references(source: &str, path: &[&str]) -> Vec<Reference> {
    let tokens = tokens(source);
    let mut found = Vec::new();
    walk(&tokens, |at, inside| {
        let depth = path.len() + inside.len();
        let after = match tokens[at].text.as_str() {
            "crate" if starts_with(&tokens, at + 1, &[":", ":"]) => at + 3,
            "super" if !preceded_by_path(&tokens, at) => match past_supers(&tokens, at, depth) {
                Some(after) => after,
                None => return,
            },
            _ => return,
        };
        for name in first_names(&tokens, after) {
            found.push(Reference { name: name.text.clone(), line: name.line });
        }
    });
    found
}

/// Calls `visit` with each place and the names of the inline modules around it.
fn walk(tokens: &[Token], mut visit: impl FnMut(usize, &[String])) {
    let mut ends: Vec<usize> = Vec::new();
    let mut inside: Vec<String> = Vec::new();
    for at in 0..tokens.len() {
        if ends.last() == Some(&at) {
            ends.pop();
            inside.pop();
        }
        visit(at, &inside);
        if tokens[at].is("mod") && tokens.get(at + 2).is_some_and(|token| token.is("{")) {
            ends.push(closing(tokens, at + 2));
            inside.push(tokens[at + 1].text.clone());
        }
    }
}

fn preceded_by_path(tokens: &[Token], at: usize) -> bool {
    at >= 1 && tokens[at - 1].is(":")
}

/// The place after `super::super::…` when that leads to the root of the crate.
fn past_supers(tokens: &[Token], mut at: usize, depth: usize) -> Option<usize> {
    let mut left = depth;
    while starts_with(tokens, at, &["super", ":", ":"]) {
        at += 3;
        left = left.checked_sub(1)?;
    }
    (left == 0).then_some(at)
}

/// The first names of a path or of each path in a group.
fn first_names(tokens: &[Token], at: usize) -> Vec<&Token> {
    match tokens.get(at) {
        Some(token) if token.is_word() => vec![token],
        Some(token) if token.is("{") => {
            let end = closing(tokens, at);
            let mut names = Vec::new();
            let mut next = at + 1;
            while next < end {
                names.extend(first_names(tokens, next));
                next = after_comma(tokens, next, end);
            }
            names
        }
        _ => Vec::new(),
    }
}

fn after_comma(tokens: &[Token], mut at: usize, end: usize) -> usize {
    while at < end {
        match tokens[at].text.as_str() {
            "," => return at + 1,
            "{" => at = closing(tokens, at) + 1,
            _ => at += 1,
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::{declared, references};

    fn names(source: &str, path: &[&str]) -> Vec<String> {
        references(source, path).into_iter().map(|reference| reference.name).collect()
    }

    #[test]
    fn groups_give_each_first_name() {
        let source = "use crate::{a::{x, y}, b, c::z};\nfn f() { crate::d::g() }";
        assert_eq!(names(source, &["m"]), ["a", "b", "c", "d"]);
        assert_eq!(references(source, &["m"])[3].line, 2);
    }

    #[test]
    fn super_counts_when_it_leads_to_the_root() {
        assert_eq!(names("use super::a;", &["m"]), ["a"]);
        assert_eq!(names("use super::a;", &["m", "n"]), [""; 0]);
        assert_eq!(names("use super::super::a;", &["m", "n"]), ["a"]);
        assert_eq!(names("mod tests { use super::a; use super::super::b; }", &["m"]), ["b"]);
        assert_eq!(names("mod t { } use super::a;", &["m"]), ["a"]);
    }

    #[test]
    fn comments_and_strings_refer_to_nothing() {
        assert!(names("// crate::a\n/// [`crate::b`]\nlet c = \"crate::d\";", &[]).is_empty());
    }

    #[test]
    fn declared_modules_know_the_inline_ones_around_them() {
        let found = declared("mod a; pub(crate) mod b; mod c { mod d; } mod e { } mod f;");
        let texts: Vec<String> =
            found.iter().map(|d| [d.inside.join("/"), d.name.clone()].join("/")).collect();
        assert_eq!(texts, ["/a", "/b", "c/d", "/f"]);
    }
}
