//! What the rules need to know of Markdown: links and the anchors of headings, outside of code.

/// A link.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// Its line, from 1.
    pub(super) line: usize,
    /// Where it leads.
    pub(super) target: String,
}

/// The links of a text: `[…](target)`, pictures, and `[name]: target`.
pub(super) fn links(text: &str) -> Vec<Link> {
    let mut links = Vec::new();
    for (line, text) in prose(text) {
        let text = without_code(text);
        if let Some((_, target)) = definition(&text) {
            links.push(Link { line, target: target.to_owned() });
        }
        for (at, _) in text.match_indices("](") {
            let inner = &text[at + 2..];
            let end = inner.find([')', ' ']).unwrap_or(inner.len());
            links.push(Link { line, target: inner[..end].trim_matches(['<', '>']).to_owned() });
        }
    }
    links
}

/// What stands in backticks outside of fenced code, with its line.
pub(super) fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    prose(text).flat_map(|(line, text)| text.split('`').skip(1).step_by(2).map(move |c| (line, c)))
}

/// The anchors that GitHub gives to the headings of a text.
pub(super) fn anchors(text: &str) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::new();
    for (_, line) in prose(text) {
        let title = line.trim_start_matches('#');
        if !line.starts_with('#') || !title.starts_with(' ') {
            continue;
        }
        let plain = shown(title.trim());
        let kept = plain.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        let slug: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let slug = slug.to_lowercase();
        let before = anchors.iter().filter(|other| same_but_number(other, &slug)).count();
        anchors.push(if before == 0 { slug } else { format!("{slug}-{before}") });
    }
    anchors
}

fn same_but_number(anchor: &str, slug: &str) -> bool {
    anchor.strip_prefix(slug).is_some_and(|rest| {
        rest.is_empty() || rest.strip_prefix('-').is_some_and(|n| n.parse::<u32>().is_ok())
    })
}

/// The lines outside of fenced code, numbered from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fence: Option<&str> = None;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let marker = ["```", "~~~"].into_iter().find(|mark| line.trim_start().starts_with(mark));
        match (fence, marker) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => return Some((index + 1, line)),
            _ => {}
        }
        None
    })
}

/// The line without what stands in backticks.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("``")
}

fn definition(line: &str) -> Option<(&str, &str)> {
    let (name, target) = line.strip_prefix('[')?.split_once("]: ")?;
    Some((name, target.split_whitespace().next()?))
}

/// A heading as it is shown: of links, only their words.
fn shown(title: &str) -> String {
    let mut out = String::new();
    let mut rest = title;
    while let Some((before, after)) = rest.split_once("](") {
        out.push_str(before);
        rest = after.split_once(')').map_or("", |(_, after)| after);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::{Link, anchors, links};

    #[test]
    fn links_outside_of_code() {
        let text = "[a](b.md#c) ![p](p.png \"t\") `[x](y)`\n```\n[no](no)\n```\n[r]: d.md\n";
        let found = links(text);
        let link = |line, target: &str| Link { line, target: target.to_owned() };
        assert_eq!(found, [link(1, "b.md#c"), link(1, "p.png"), link(5, "d.md")]);
    }

    #[test]
    fn anchors_are_those_of_github() {
        let text = "# A `b_c` & D!\n## [Link](x.md) 2.1\n## Twice\n## Twice\n```\n# no\n```\n#no\n";
        assert_eq!(anchors(text), ["a-b_c--d", "link-21", "twice", "twice-1"]);
    }
}
