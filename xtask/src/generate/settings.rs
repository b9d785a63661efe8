//! docs/reference/config.md, from the commented defaults in config/default.toml.

use std::fmt::Write;

use anyhow::{Result, bail};

const INTRODUCTION: &str = "\
# Settings

<!-- Written by `cargo xtask gen` from config/default.toml; edit that file instead. -->

";

/// What the file says about one setting.
#[derive(Debug)]
struct Setting {
    section: String,
    key: String,
    default: String,
    meaning: String,
    /// The well-known name in the environment, beside the one made from section and key.
    alias: Option<String>,
}

/// The page for the text of the file.
pub(super) fn page(defaults: &str) -> Result<String> {
    let (introduction, settings) = parse(defaults)?;
    let mut page = format!("{INTRODUCTION}{introduction}\n");
    let mut section = "";
    for setting in &settings {
        if setting.section != section {
            section = &setting.section;
            write!(page, "\n## {section}\n\n")?;
            page.push_str(
                "| setting | default | in the environment | meaning |\n|---|---|---|---|\n",
            );
        }
        let Setting { key, default, meaning, .. } = setting;
        let own = format!("OUTRIGGER__{}__{}", section.to_uppercase(), key.to_uppercase());
        let names = setting.alias.iter().chain([&own]).map(|name| format!("`{name}`"));
        let names = names.collect::<Vec<_>>().join(", ");
        let meaning = meaning.replace('|', "\\|");
        writeln!(page, "| `{section}.{key}` | `{default}` | {names} | {meaning} |")?;
    }
    Ok(page)
}

/// The comment at the top, and the settings in their order.
fn parse(text: &str) -> Result<(String, Vec<Setting>)> {
    let top = text.lines().take_while(|line| !line.starts_with('['));
    let introduction = comment(top);
    let mut section = "";
    let mut settings: Vec<Setting> = Vec::new();
    let mut remarks: Vec<&str> = Vec::new();
    // How many settings stand below the remarks already.
    let mut below = 0;
    for (index, line) in text.lines().enumerate() {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name;
            remarks.clear();
        } else if line.starts_with('#') {
            if below > 0 {
                remarks.clear();
                below = 0;
            }
            remarks.push(line);
        } else if let Some((key, value)) = line.split_once(" = ") {
            if remarks.is_empty() {
                bail!("config/default.toml:{}: {section}.{key} has no comment above it", index + 1);
            }
            let (meaning, aliases) = without_aliases(&comment(remarks.iter().copied()));
            settings.push(Setting {
                section: section.to_owned(),
                key: key.to_owned(),
                default: value.to_owned(),
                meaning,
                alias: aliases.get(below).cloned(),
            });
            below += 1;
        } else if !line.trim().is_empty() {
            bail!("config/default.toml:{}: cannot read: {line}", index + 1);
        }
    }
    Ok((introduction, settings))
}

/// Comment lines as one text; an empty one parts two paragraphs.
fn comment<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for line in lines {
        let words = line.trim_start_matches('#').trim();
        if words.is_empty() {
            out.push_str("\n\n");
        } else {
            if !out.is_empty() && !out.ends_with('\n') {
                out.push(' ');
            }
            out.push_str(words);
        }
    }
    out.trim().to_owned()
}

/// Takes the names in brackets off the end of a comment.
fn without_aliases(text: &str) -> (String, Vec<String>) {
    let Some((meaning, names)) = text.strip_suffix(']').and_then(|text| text.rsplit_once('['))
    else {
        return (text.to_owned(), Vec::new());
    };
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    if !names.split(", ").all(is_name) {
        return (text.to_owned(), Vec::new());
    }
    (meaning.trim_end().to_owned(), names.split(", ").map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# Every setting.\n# Again.\n#\n# More.\n\n[http]\n# The public\n# port. [PORT]\nport = 8000\n\
        # Sizes a | b.\nbody_max = 1\nquery_max = 2\n\n[admin]\n# Who. [A_EMAIL, A_PASSWORD]\nemail = \"\"\npassword = \"\"\n";

    #[test]
    fn each_setting_has_a_row() {
        let page = page(FILE).unwrap();
        assert!(page.contains("\nEvery setting. Again.\n\nMore.\n"));
        let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
        assert_eq!(
            rows,
            [
                "| `http.port` | `8000` | `PORT`, `OUTRIGGER__HTTP__PORT` | The public port. |",
                "| `http.body_max` | `1` | `OUTRIGGER__HTTP__BODY_MAX` | Sizes a \\| b. |",
                "| `http.query_max` | `2` | `OUTRIGGER__HTTP__QUERY_MAX` | Sizes a \\| b. |",
                "| `admin.email` | `\"\"` | `A_EMAIL`, `OUTRIGGER__ADMIN__EMAIL` | Who. |",
                "| `admin.password` | `\"\"` | `A_PASSWORD`, `OUTRIGGER__ADMIN__PASSWORD` | Who. |",
            ]
        );
    }

    #[test]
    fn a_setting_without_a_comment_is_refused() {
        let error = page("# Top.\n\n[a]\nb = 1\n").unwrap_err().to_string();
        assert_eq!(error, "config/default.toml:4: a.b has no comment above it");
    }
}
