//! Sizes and first lines of files.

use super::finding::Finding;
use super::tree::{File, Tree};

const LINES_MAX: usize = 500;
const TEST_LINES_MAX: usize = 800;
const BYTES_MAX: usize = 1024 * 1024;

/// Refuses long Rust files, those that do not say what lives in them, and large files of any kind.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let large = tree.files.iter().filter(|file| file.bytes > BYTES_MAX).map(|file| {
        let what = format!("{} bytes, more than {BYTES_MAX}", file.bytes);
        Finding::new(&file.path, 1, what, "generate it, or keep it outside of the repository")
    });
    let long = tree.rust().filter_map(|file| {
        let most = if file.is_test() { TEST_LINES_MAX } else { LINES_MAX };
        let lines = file.text.lines().count();
        let what = format!("{lines} lines, more than {most}");
        (lines > most).then(|| Finding::new(&file.path, most + 1, what, "split it by topic"))
    });
    let unnamed = tree.rust().filter(|file| !file.text.starts_with("//! ")).map(|file| {
        let what = "the first line does not say what lives here";
        Finding::new(&file.path, 1, what, "begin the file with //! and a sentence")
    });
    large.chain(long).chain(unnamed).collect()
}

/// The median length of a Rust file in lines.
pub(super) fn median(tree: &Tree) -> usize {
    let mut lines: Vec<usize> = tree.rust().map(File::lines).collect();
    lines.sort_unstable();
    lines.get(lines.len() / 2).copied().unwrap_or(0)
}

impl File {
    fn lines(&self) -> usize {
        self.text.lines().count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::texts;

    #[test]
    fn long_files_are_named_and_tests_may_be_longer() {
        let text = format!("//! Here.\n{}", "a\n".repeat(LINES_MAX));
        let tree = Tree::of(&[("a/src/b.rs", &text), ("a/tests/it/b.rs", &text)]);
        assert_eq!(texts(&check(&tree)), ["a/src/b.rs:501: 501 lines, more than 500"]);
        let text = format!("//! Here.\n{}", "a\n".repeat(TEST_LINES_MAX));
        let tree = Tree::of(&[("a/tests/it/b.rs", &text), ("a/src/c/tests.rs", &text)]);
        assert_eq!(texts(&check(&tree)).len(), 2);
    }

    #[test]
    fn a_file_says_what_lives_in_it() {
        let tree = Tree::of(&[("a/src/b.rs", "use x;\n"), ("a/src/c.py", "import x\n")]);
        assert_eq!(
            texts(&check(&tree)),
            ["a/src/b.rs:1: the first line does not say what lives here"]
        );
    }

    #[test]
    fn large_files_are_refused() {
        let tree = Tree::of(&[("a.json", &"1".repeat(BYTES_MAX + 1))]);
        assert_eq!(texts(&check(&tree)), ["a.json:1: 1048577 bytes, more than 1048576"]);
    }

    #[test]
    fn the_median_is_of_rust_files() {
        let tree = Tree::of(&[("a.rs", "1"), ("b.rs", "1\n2"), ("c.rs", "1\n2\n3"), ("d.md", "1")]);
        assert_eq!(median(&tree), 2);
    }
}
