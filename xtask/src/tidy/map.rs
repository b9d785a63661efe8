//! The crate map of ARCHITECTURE.md names exactly the crates of the workspace, and the documents
//! that everybody looks for are there.

use super::finding::Finding;
use super::tree::Tree;
use crate::metadata::relative;

const ARCHITECTURE: &str = "ARCHITECTURE.md";
/// The heading of the section with the map, without its `#`.
const HEADING: &str = "crate map";
const DOCUMENTS: &[&str] = &[
    "README.md",
    ARCHITECTURE,
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "LICENSE-MIT",
    "LICENSE-APACHE",
];

/// Compares the folders in backticks in the section "Crate map" with the workspace.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let absent = DOCUMENTS.iter().filter(|path| tree.file(path).is_none());
    let absent = absent.map(|path| Finding::new(path, 1, "is missing", "write it"));
    absent.chain(compare(tree)).collect()
}

fn compare(tree: &Tree) -> Vec<Finding> {
    let Some(file) = tree.file(ARCHITECTURE) else { return Vec::new() };
    let named = named(&file.text);
    let Some(first) = named.first().map(|(line, _)| *line) else {
        let what = "has no section \"Crate map\" with folders in backticks";
        return vec![Finding::new(ARCHITECTURE, 1, what, "name each crate's folder in it")];
    };
    let crates: Vec<String> = tree.packages.iter().map(|p| folder(&p.manifest_path)).collect();
    let gone = named.iter().filter(|(_, path)| !crates.contains(path)).map(|(line, path)| {
        let what = format!("the crate map names {path}, which is no crate");
        Finding::new(ARCHITECTURE, *line, what, "take it out of the map")
    });
    let unnamed = crates.iter().filter(|path| !named.iter().any(|(_, name)| name == *path));
    let unnamed = unnamed.map(|path| {
        let what = format!("the crate map lacks {path}");
        Finding::new(ARCHITECTURE, first, what, "add a row that says what it must not import")
    });
    gone.chain(unnamed).collect()
}

fn folder(manifest: &std::path::Path) -> String {
    relative(manifest).trim_end_matches("/Cargo.toml").to_owned()
}

/// Folders of crates in backticks, with their lines, from the heading to the next one.
fn named(text: &str) -> Vec<(usize, String)> {
    let mut inside = false;
    let mut named = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.starts_with('#') {
            inside = line.trim_start_matches('#').trim().eq_ignore_ascii_case(HEADING);
        } else if inside {
            let quoted = line.split('`').skip(1).step_by(2).map(|path| path.trim_end_matches('/'));
            let of_crates = quoted.filter(|path| {
                let roots = ["crates/", "bench/", "examples/"];
                *path == "xtask" || roots.iter().any(|root| path.starts_with(root))
            });
            let whole = of_crates.filter(|path| !path.contains("/src/") && !path.contains('*'));
            named.extend(whole.map(|path| (index + 1, path.to_owned())));
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::texts;

    fn tree(map: &str) -> Tree {
        let mut files: Vec<(&str, &str)> = DOCUMENTS.iter().map(|path| (*path, "")).collect();
        files.retain(|(path, _)| *path != ARCHITECTURE);
        files.push((ARCHITECTURE, map));
        Tree::of(&files).with("k", "crates/kernel", &[]).with("xtask", "xtask", &[])
    }

    #[test]
    fn the_map_is_the_workspace() {
        let map =
            "# House\n## Crate map\n| `crates/kernel/` | `xtask` | `a/b.rs` |\n## Next\n`crates/x`";
        assert!(check(&tree(map)).is_empty());
    }

    #[test]
    fn a_missing_and_a_gone_crate_are_named() {
        let found = texts(&check(&tree("## Crate map\n`xtask`\n`crates/old`\n")));
        assert_eq!(
            found,
            [
                "ARCHITECTURE.md:3: the crate map names crates/old, which is no crate",
                "ARCHITECTURE.md:2: the crate map lacks crates/kernel",
            ]
        );
    }

    #[test]
    fn documents_and_the_section_must_be_there() {
        assert_eq!(check(&Tree::default()).len(), DOCUMENTS.len());
        assert_eq!(check(&tree("# House\n`crates/kernel`\n")).len(), 1);
    }
}
