//! The changelog has a place for what comes next.

use super::finding::Finding;
use super::tree::Tree;

const CHANGELOG: &str = "CHANGELOG.md";

/// Looks for a heading "Unreleased".
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(file) = tree.file(CHANGELOG) else { return Vec::new() };
    let mut headings = file.text.lines().filter_map(|line| line.strip_prefix("## "));
    if headings.any(|heading| heading.trim().trim_matches(['[', ']']) == "Unreleased") {
        return Vec::new();
    }
    let what = "has no section Unreleased";
    vec![Finding::new(CHANGELOG, 1, what, "add \"## Unreleased\" above the last release")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_must_be_there() {
        let count = |text| check(&Tree::of(&[(CHANGELOG, text)])).len();
        assert_eq!(count("# Changelog\n\n## Unreleased\n"), 0);
        assert_eq!(count("# Changelog\n\n## [Unreleased]\n"), 0);
        assert_eq!(count("# Changelog\n\n## 0.1.0\n\nUnreleased things\n"), 1);
    }
}
