//! The lists in deny.toml.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use toml::{Table, Value};

/// What deny.toml allows and forbids.
#[derive(Debug)]
pub(super) struct Policy {
    /// The platforms whose crates count.
    pub(super) platforms: Vec<String>,
    /// Licences by their SPDX names.
    pub(super) licenses: Vec<String>,
    /// Crates that must not be used, with the reason.
    pub(super) banned: BTreeMap<String, String>,
    /// Names and versions that may stand beside a newer one.
    pub(super) duplicates: Vec<(String, String)>,
}

impl Policy {
    /// Reads the file's text.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let file: Table = text.parse().context("deny.toml is no TOML")?;
        let mut banned = BTreeMap::new();
        for entry in list(&file, "bans", "deny")? {
            banned.insert(word(entry, "crate", "bans.deny")?, word(entry, "reason", "bans.deny")?);
        }
        let mut duplicates = Vec::new();
        for entry in list(&file, "bans", "skip")? {
            let spec = word(entry, "crate", "bans.skip")?;
            word(entry, "reason", "bans.skip")?;
            let (name, version) = spec.split_once('@').with_context(|| {
                format!("deny.toml: bans.skip: {spec} names no version; write NAME@VERSION")
            })?;
            duplicates.push((name.to_owned(), version.to_owned()));
        }
        Ok(Self {
            platforms: words(&file, "graph", "targets")?,
            licenses: words(&file, "licenses", "allow")?,
            banned,
            duplicates,
        })
    }
}

fn list<'a>(file: &'a Table, section: &str, key: &str) -> Result<&'a Vec<Value>> {
    let value = file.get(section).and_then(|section| section.get(key)).and_then(Value::as_array);
    value.with_context(|| format!("deny.toml: {section}.{key} is missing or no list"))
}

fn words(file: &Table, section: &str, key: &str) -> Result<Vec<String>> {
    let values = list(file, section, key)?.iter().map(|value| value.as_str().map(str::to_owned));
    let words: Option<Vec<String>> = values.collect();
    words.with_context(|| format!("deny.toml: {section}.{key} must hold texts"))
}

fn word(entry: &Value, key: &str, place: &str) -> Result<String> {
    let word = entry.get(key).and_then(Value::as_str).filter(|word| !word.is_empty());
    let word =
        word.with_context(|| format!("deny.toml: {place}: an entry has no {key}: {entry}"))?;
    Ok(word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::Policy;

    #[test]
    fn entries_need_a_version_and_a_reason() {
        let parse = |bans: &str| {
            let text = format!("graph.targets = []\nlicenses.allow = []\n[bans]\n{bans}\n");
            Policy::parse(&text).map(|_| ()).map_err(|error| error.to_string())
        };
        assert_eq!(parse("deny = []\nskip = []"), Ok(()));
        assert!(parse("deny = []").unwrap_err().contains("bans.skip is missing"));
        let without_reason = parse("deny = [{ crate = \"a\" }]\nskip = []").unwrap_err();
        assert!(without_reason.contains("has no reason"), "{without_reason}");
        let without_version = parse("deny = []\nskip = [{ crate = \"a\", reason = \"b\" }]");
        assert!(without_version.unwrap_err().contains("write NAME@VERSION"));
    }
}
