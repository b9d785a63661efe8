//! Rust files that no module declares: nobody compiles them.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

use super::finding::Finding;
use super::scan::declared;
use super::tree::Tree;
use crate::metadata::relative;

/// Follows `mod` from the root file of each library, binary, test and example.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut reached = HashSet::new();
    for target in tree.packages.iter().flat_map(|package| &package.targets) {
        let root = relative(&target.src_path);
        let folder = parent(&root);
        follow(tree, &root, &folder, &mut reached);
    }
    for folder in other_workspaces(tree) {
        follow(
            tree,
            &format!("{folder}/src/main.rs"),
            &Path::new(folder).join("src"),
            &mut reached,
        );
    }
    let dead = tree.rust().filter(|file| !reached.contains(&file.path));
    dead.map(|file| {
        let what = "no module declares this file";
        Finding::new(&file.path, 1, what, "declare it with mod, or delete it")
    })
    .collect()
}

/// Programs that are no part of our workspace.
fn other_workspaces(tree: &Tree) -> impl Iterator<Item = &str> {
    let manifests = tree.files.iter().filter(|file| file.text.contains("\n[workspace]"));
    manifests.filter_map(|file| file.path.strip_suffix("/Cargo.toml"))
}

/// `folder` is where the modules that the file declares live.
fn follow(tree: &Tree, path: &str, folder: &Path, reached: &mut HashSet<String>) {
    let Some(file) = tree.file(path) else { return };
    if !reached.insert(path.to_owned()) {
        return;
    }
    for module in declared(&file.text) {
        let around: PathBuf =
            folder.iter().chain(module.inside.iter().map(AsRef::as_ref)).collect();
        let folder = around.join(&module.name);
        for candidate in [folder.with_extension("rs"), folder.join("mod.rs")] {
            follow(tree, &candidate.to_string_lossy(), &folder, reached);
        }
    }
}

fn parent(path: &str) -> PathBuf {
    let normal = Path::new(path).components().filter(|part| matches!(part, Component::Normal(_)));
    let path: PathBuf = normal.collect();
    path.parent().map(Path::to_owned).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::texts;

    #[test]
    fn a_file_without_a_mod_is_dead() {
        let tree = Tree::of(&[
            ("k/src/lib.rs", "mod a;\nmod b;\nmod inline { mod c; }\n// mod ghost;\n"),
            ("k/src/a.rs", "mod deep;"),
            ("k/src/a/deep.rs", ""),
            ("k/src/b/mod.rs", "mod deep;"),
            ("k/src/b/deep.rs", ""),
            ("k/src/inline/c.rs", ""),
            ("k/src/ghost.rs", ""),
            ("elsewhere/x.rs", ""),
            ("apart/Cargo.toml", "[package]\n\n[workspace]\n"),
            ("apart/src/main.rs", "mod a;"),
            ("apart/src/a.rs", ""),
            ("apart/src/ghost.rs", ""),
        ])
        .with("k", "k", &[]);
        assert_eq!(
            texts(&check(&tree)),
            [
                "k/src/ghost.rs:1: no module declares this file",
                "elsewhere/x.rs:1: no module declares this file",
                "apart/src/ghost.rs:1: no module declares this file",
            ]
        );
    }
}
