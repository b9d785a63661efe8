//! Links between the documents lead somewhere: to a file of the repository, and to a heading when
//! they name one. The outside world is not asked.

use super::finding::Finding;
use super::markdown::{anchors, links};
use super::tree::{File, Tree};

/// Follows every relative link of every Markdown file.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let documents = tree.files.iter().filter(|file| file.is_markdown());
    documents.flat_map(|file| of_file(tree, file)).collect()
}

fn of_file(tree: &Tree, file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for link in links(&file.text) {
        if link.target.contains("://") || link.target.starts_with("mailto:") {
            continue;
        }
        let what = match broken(tree, file, &link.target) {
            None => continue,
            Some(Broken::File) => format!("the link {} leads nowhere", link.target),
            Some(Broken::Heading) => format!("the link {} names no heading", link.target),
        };
        findings.push(Finding::new(&file.path, link.line, what, "correct or remove the link"));
    }
    findings
}

enum Broken {
    File,
    Heading,
}

fn broken(tree: &Tree, from: &File, target: &str) -> Option<Broken> {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if path.is_empty() { Some(from.path.clone()) } else { resolve(&from.path, path) };
    let Some(path) = path.filter(|path| tree.has(path)) else { return Some(Broken::File) };
    // Lines of source files and the like are not looked for.
    let document = tree.file(&path).filter(|file| file.is_markdown() && !anchor.is_empty())?;
    (!anchors(&document.text).iter().any(|known| known == anchor)).then_some(Broken::Heading)
}

/// The path from the root; none when it leaves the repository.
fn resolve(from: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::texts;

    #[test]
    fn links_to_files_folders_and_headings() {
        let good = "[a](guide.md) [b](guide.md#first-steps) [c](../src) [d](#here) [e](../src/x.rs)\n\
                    [f](https://example.org/x) [g](mailto:a@b.c)\n# Here\n";
        let files = [("docs/a.md", good), ("docs/guide.md", "# First steps\n"), ("src/x.rs", "")];
        assert!(check(&Tree::of(&files)).is_empty());
    }

    #[test]
    fn broken_links_are_named() {
        let bad = "[a](no.md)\n[b](guide.md#last)\n[c](#no)\n[d](../../x)\n";
        let tree = Tree::of(&[("docs/a.md", bad), ("docs/guide.md", "# First\n")]);
        assert_eq!(
            texts(&check(&tree)),
            [
                "docs/a.md:1: the link no.md leads nowhere",
                "docs/a.md:2: the link guide.md#last names no heading",
                "docs/a.md:3: the link #no names no heading",
                "docs/a.md:4: the link ../../x leads nowhere",
            ]
        );
    }
}
