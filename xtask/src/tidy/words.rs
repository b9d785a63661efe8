//! Words that must not stand anywhere: notes of unfinished work, silenced tests, escapes from
//! safe Rust, folders of one machine, mirrors of registries.

use super::finding::Finding;
use super::tokens::{starts_with, tokens};
use super::tree::{File, Tree};

/// A word in any text file, with what to do about it. Written in two halves, so that this file
/// does not hold the words.
const WORDS: &[(&str, &str, &str)] = &[
    ("TO", "DO", UNFINISHED),
    ("FIX", "ME", UNFINISHED),
    ("XX", "X", UNFINISHED),
    ("/ro", "ot/", MACHINE),
    ("/ho", "me/", MACHINE),
    ("/wo", "rk/", MACHINE),
    ("/fa", "rm/", MACHINE),
    ("index", "-url", MIRROR),
    ("replace", "-with", MIRROR),
];
const UNFINISHED: &str = "finish it, or open an issue and delete the note";
const MACHINE: &str = "name no folder of one machine; use a temporary folder or a setting";
const MIRROR: &str = "use the public registry; mirrors belong into the user's own settings";

/// Code that must not be, in tokens.
const CODE: &[(&[&str], &str, &str)] = &[
    (&["todo", "!"], "an unfinished place", UNFINISHED),
    (&["unimplemented", "!"], "an unfinished place", UNFINISHED),
    (&["#", "[", "ignore"], "an ignored test", "make it run, or delete it"),
    (&["unsafe"], "code outside of safe Rust", "find a safe way or a library that has one"),
    (&["#", "[", "path"], "a module at another path", "put the file where its module says"),
];

/// Where these words have another meaning: lists that tools make or that are patterns.
const EXEMPT: &[&str] = &["Cargo.lock", ".gitignore", ".dockerignore"];

/// Names every place with such a word.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let files = tree.files.iter().filter(|file| !EXEMPT.contains(&file.path.as_str()));
    files.flat_map(|file| in_text(file).into_iter().chain(in_code(file))).collect()
}

fn in_text(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for (left, right, remedy) in WORDS {
            let word = format!("{left}{right}");
            if stands_alone(line, &word) {
                let what = format!("contains {word}");
                findings.push(Finding::new(&file.path, index + 1, what, remedy));
            }
        }
    }
    findings
}

/// Whether the word is in the line and not a part of a longer one.
fn stands_alone(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let inner = |edge: Option<char>, neighbour: Option<char>| {
            edge.is_some_and(part) && neighbour.is_some_and(part)
        };
        // A path must begin where it stands: a/home/b is none of ours.
        let continues =
            word.starts_with('/') && before.is_some_and(|c| part(c) || c == '.' || c == '}');
        !continues && !inner(word.chars().next(), before) && !inner(word.chars().next_back(), after)
    })
}

fn in_code(file: &File) -> Vec<Finding> {
    if !file.is_rust() {
        return Vec::new();
    }
    let tokens = tokens(&file.text);
    let mut findings = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        for (pattern, what, remedy) in CODE {
            if starts_with(&tokens, at, pattern) {
                findings.push(Finding::new(&file.path, token.line, *what, remedy));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::texts;

    fn found(path: &str, text: &str) -> Vec<String> {
        texts(&check(&Tree::of(&[(path, text)])))
    }

    #[test]
    fn every_word_is_found_in_any_text() {
        for (left, right, _) in WORDS {
            let text = format!("first\n# see {left}{right} there");
            assert_eq!(found("a.sh", &text), [format!("a.sh:2: contains {left}{right}")]);
        }
    }

    #[test]
    fn longer_words_and_paths_are_others() {
        let inner = format!("MY{}{}_LIST and mastodo", "TO", "DO");
        assert!(found("a.md", &inner).is_empty());
        let path = format!("deploy{}{}x", "/ho", "me/");
        assert!(found("a.md", &path).is_empty());
    }

    #[test]
    fn code_that_must_not_be_is_found_outside_of_strings() {
        // In two parts, so that this file itself holds no such mark.
        let marks = [
            ("fn f() { to", "do!() }"),
            ("unimple", "mented!()"),
            ("#[ign", "ore = \"slow\"]"),
            ("#[ign", "ore]"),
        ];
        for (left, right) in marks {
            assert_eq!(found("a.rs", &format!("{left}{right}")).len(), 1, "{left}{right}");
        }
        assert_eq!(found("a.rs", "fn f() { unsafe { g() } }").len(), 1);
        assert_eq!(found("a.rs", "#[path = \"b.rs\"] mod c;").len(), 1);
        let quoted = format!("// unsafe\nlet a = \"unsafe #[ign{}\";", "ore]");
        assert!(found("a.rs", &quoted).is_empty());
    }
}
