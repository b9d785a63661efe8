//! Source files that the documents mention are there: a map that names files which have moved
//! misleads more than none.

use super::finding::Finding;
use super::markdown::code;
use super::tree::{File, Tree};

/// Looks at every Markdown file but the guides, whose files do not exist yet, and the changelog,
/// whose files may be gone.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let documents = tree.files.iter().filter(|file| {
        file.is_markdown() && !file.path.starts_with("docs/guides/") && file.path != "CHANGELOG.md"
    });
    documents.flat_map(|file| of_file(tree, file)).collect()
}

fn of_file(tree: &Tree, document: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, text) in code(&document.text) {
        for word in text.split_whitespace().filter(|word| is_rust_file(word)) {
            let end = format!("/{word}");
            let there = tree.rust().any(|file| file.path == word || file.path.ends_with(&end));
            if !there {
                let what = format!("mentions {word}, which is not there");
                findings.push(Finding::new(
                    &document.path,
                    line,
                    what,
                    "name the file as it is now",
                ));
            }
        }
    }
    findings
}

/// A path without placeholders.
fn is_rust_file(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/' | '.');
    word.strip_suffix(".rs").is_some_and(|stem| !stem.is_empty() && stem.chars().all(plain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::texts;

    #[test]
    fn files_that_moved_are_named() {
        let text = "`tests/it/sweep.rs` and `sweep/mod.rs`\n`b.rs` gone.rs `<verb>.rs` `a::b.rs`\n";
        let tree = Tree::of(&[
            ("ARCHITECTURE.md", text),
            ("docs/guides/g.md", "`widget.rs`"),
            ("x/tests/it/sweep/mod.rs", ""),
            ("x/src/ab.rs", ""),
        ]);
        assert_eq!(
            texts(&check(&tree)),
            [
                "ARCHITECTURE.md:1: mentions tests/it/sweep.rs, which is not there",
                "ARCHITECTURE.md:2: mentions b.rs, which is not there",
            ]
        );
    }
}
