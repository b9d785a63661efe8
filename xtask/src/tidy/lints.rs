//! Every crate of the workspace inherits the workspace's lints.

use super::finding::Finding;
use super::tree::Tree;
use crate::metadata::relative;

/// Looks for `[lints] workspace = true` in each Cargo.toml.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let manifests = tree.packages.iter().map(|package| relative(&package.manifest_path));
    let without = manifests.filter(|path| {
        let text = tree.file(path).map_or("", |file| file.text.as_str());
        let manifest: toml::Table = text.parse().unwrap_or_default();
        let lints = manifest.get("lints").and_then(|lints| lints.get("workspace"));
        lints.and_then(toml::Value::as_bool) != Some(true)
    });
    without
        .map(|path| {
            let what = "does not inherit the workspace's lints";
            Finding::new(&path, 1, what, "add [lints] with workspace = true")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::texts;

    #[test]
    fn lints_must_be_inherited() {
        let tree = Tree::of(&[
            ("a/Cargo.toml", "[lints]\nworkspace = true\n"),
            ("b/Cargo.toml", "[lints.rust]\nunused = \"allow\"\n"),
            ("c/Cargo.toml", "# [lints]\n# workspace = true\n"),
        ]);
        let tree = tree.with("a", "a", &[]).with("b", "b", &[]).with("c", "c", &[]);
        assert_eq!(
            texts(&check(&tree)),
            [
                "b/Cargo.toml:1: does not inherit the workspace's lints",
                "c/Cargo.toml:1: does not inherit the workspace's lints",
            ]
        );
    }
}
