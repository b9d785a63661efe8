//! Sizes of functions. Clippy checks them too, but an attribute can silence it and macros hide
//! from it; this counts the same lines: code between the braces, without comments.

use super::blank::blank;
use super::finding::Finding;
use super::tokens::{Token, closing, tokens};
use super::tree::{File, Tree};

const LINES_MAX: usize = 70;

/// Names every function that is too long.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust().flat_map(of_file).collect()
}

fn of_file(file: &File) -> Vec<Finding> {
    let tokens = tokens(&file.text);
    let code = blank(&file.text);
    let lines: Vec<&str> = code.lines().collect();
    let mut findings = Vec::new();
    for at in 0..tokens.len() {
        let Some(name) = tokens.get(at + 1).filter(|next| tokens[at].is("fn") && next.is_word())
        else {
            continue;
        };
        let Some(open) = body(&tokens, at) else { continue };
        let last = tokens.get(closing(&tokens, open)).map_or(lines.len(), |token| token.line);
        if last <= tokens[open].line {
            continue;
        }
        let body = &lines[tokens[open].line..last - 1];
        let length = body.iter().filter(|line| !line.trim().is_empty()).count();
        if length > LINES_MAX {
            let what = format!("{} has {length} lines, more than {LINES_MAX}", name.text);
            findings.push(Finding::new(&file.path, name.line, what, "split it"));
        }
    }
    findings
}

/// The brace that opens the body, if there is one.
fn body(tokens: &[Token], mut at: usize) -> Option<usize> {
    loop {
        match tokens.get(at)?.text.as_str() {
            "{" => return Some(at),
            ";" => return None,
            "(" | "[" => at = closing(tokens, at) + 1,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::texts;

    #[test]
    fn long_functions_are_named() {
        let long = format!("fn short() {{}}\nfn long(\n) {{\n{}}}\n", "    a();\n".repeat(71));
        let tree = Tree::of(&[("a.rs", &long)]);
        assert_eq!(texts(&check(&tree)), ["a.rs:2: long has 71 lines, more than 70"]);
    }

    #[test]
    fn comments_and_empty_lines_do_not_count_and_arrays_in_types_do_not_end_it() {
        let text =
            format!("fn f(a: [u8; 4]) {{\n{}{}}}", "a();\n".repeat(70), "// b\n\n".repeat(9));
        assert!(check(&Tree::of(&[("a.rs", &text)])).is_empty());
        let text = format!("fn f(a: [u8; 4]) {{\n{}}}", "a();\n".repeat(71));
        assert_eq!(check(&Tree::of(&[("a.rs", &text)])).len(), 1);
    }
}
