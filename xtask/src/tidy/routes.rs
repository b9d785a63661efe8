//! Every row of the route table has a file of its own for the operation and a file of black-box
//! tests for its resource, and no operation is left out of the table.

use super::finding::Finding;
use super::tokens::{Token, starts_with, tokens};
use super::tree::Tree;

const HTTP: &str = "crates/http/src/";
const ROUTES: &str = "crates/http/src/routes.rs";
const TESTS: &str = "crates/outrigger/tests/it/";

/// A row: the handler's path without `handle`, such as `auth`, `login`.
struct Row {
    line: usize,
    operation: Vec<String>,
}

/// Compares the table with the files.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(file) = tree.file(ROUTES) else { return Vec::new() };
    let rows = rows(&tokens(&file.text));
    let mut findings = Vec::new();
    let mut tested: Vec<&str> = Vec::new();
    for row in &rows {
        let name = row.operation.join("::");
        if !is_file(tree, HTTP, &row.operation.join("/")) {
            let what = format!("{name} has no file of its own");
            findings.push(Finding::new(
                ROUTES,
                row.line,
                what,
                "put the operation in <resource>/<verb>.rs",
            ));
        }
        let resource = row.operation[0].as_str();
        if !tested.contains(&resource) {
            tested.push(resource);
            if !is_file(tree, TESTS, resource) {
                let what = format!("{resource} has no black-box tests");
                let remedy = format!("write {TESTS}{resource}.rs");
                findings.push(Finding::new(ROUTES, row.line, what, &remedy));
            }
        }
    }
    findings.extend(left_out(tree, &rows));
    findings
}

fn is_file(tree: &Tree, folder: &str, module: &str) -> bool {
    let candidates = [format!("{folder}{module}.rs"), format!("{folder}{module}/mod.rs")];
    candidates.iter().any(|path| tree.file(path).is_some())
}

/// `get("/path", a::b::handle, a::b::doc())`: what stands before `::handle`, when a note follows.
fn rows(tokens: &[Token]) -> Vec<Row> {
    let mut rows = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if !token.is("handle") || !starts_with(tokens, at + 1, &[","]) {
            continue;
        }
        let mut operation = Vec::new();
        let mut before = at;
        while before >= 3 && tokens[before - 1].is(":") && tokens[before - 3].is_word() {
            before -= 3;
            operation.insert(0, tokens[before].text.clone());
        }
        if !operation.is_empty() {
            rows.push(Row { line: token.line, operation });
        }
    }
    rows
}

/// Files that have a note but no row.
fn left_out(tree: &Tree, rows: &[Row]) -> Vec<Finding> {
    let notes = tree.rust().filter(|file| file.path.starts_with(HTTP)).filter_map(|file| {
        let tokens = tokens(&file.text);
        let at = (0..tokens.len()).find(|at| starts_with(&tokens, *at, &["fn", "doc", "("]))?;
        let module = file.path[HTTP.len()..].trim_end_matches(".rs").trim_end_matches("/mod");
        Some((file, tokens[at].line, module))
    });
    let unused = notes.filter(|(_, _, module)| {
        !rows.iter().any(|row| row.operation.iter().map(String::as_str).eq(module.split('/')))
    });
    unused
        .map(|(file, line, _)| {
            let what = "this operation is not in the route table";
            Finding::new(&file.path, line, what, "add its row to crates/http/src/routes.rs")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::texts;

    const TABLE: &str = "vec![\n\
        post(\"/a\", auth::login::handle, auth::login::doc()),\n\
        post(\"/b\", batch::handle, batch::doc()),\n]";

    #[test]
    fn rows_have_files_and_tests() {
        let tree = Tree::of(&[
            (ROUTES, TABLE),
            ("crates/http/src/auth/login.rs", "pub fn doc() {}"),
            ("crates/http/src/batch.rs", "pub fn doc() {}"),
            ("crates/outrigger/tests/it/auth.rs", ""),
            ("crates/outrigger/tests/it/batch/mod.rs", ""),
        ]);
        assert!(check(&tree).is_empty());
    }

    #[test]
    fn what_is_missing_is_named() {
        let tree = Tree::of(&[
            (ROUTES, TABLE),
            ("crates/http/src/batch.rs", ""),
            ("crates/outrigger/tests/it/auth.rs", ""),
            ("crates/http/src/auth/logout.rs", "use a;\npub(crate) fn doc() -> Doc {}"),
        ]);
        assert_eq!(
            texts(&check(&tree)),
            [
                "crates/http/src/routes.rs:2: auth::login has no file of its own",
                "crates/http/src/routes.rs:3: batch has no black-box tests",
                "crates/http/src/auth/logout.rs:2: this operation is not in the route table",
            ]
        );
    }
}
