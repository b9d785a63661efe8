//! `config show`: the settings in force, without secrets.

use std::fmt::Write;
use toml::Value;

use super::DEFAULTS;

/// Keys whose values are never shown.
const SECRET: [&str; 4] =
    ["auth.secret", "auth.signing_keys", "admin.password", "webhooks.secrets"];

/// Keys whose values are URLs, shown without what stands before the host.
const URLS: [&str; 4] = ["database.url", "database.readonly_url", "redis.url", "mail.url"];

/// The settings as TOML, in the order of the defaults.
pub(super) fn shown_values(table: &toml::Table) -> String {
    let defaults: toml::Table = DEFAULTS.parse().unwrap_or_default();
    let mut out = String::new();
    for (section, keys) in &defaults {
        let _ = writeln!(out, "[{section}]");
        for key in keys.as_table().into_iter().flat_map(toml::Table::keys) {
            let name = format!("{section}.{key}");
            let value = table.get(section).and_then(|keys| keys.get(key));
            let _ = writeln!(out, "{key} = {}", shown(&name, value));
        }
        out.push('\n');
    }
    schedules(table, &mut out);
    out.truncate(out.trim_end().len());
    out
}

/// The schedules, without the payloads of their tasks.
fn schedules(table: &toml::Table, out: &mut String) {
    let all = table.get("schedules").and_then(Value::as_table);
    for (name, schedule) in all.into_iter().flatten() {
        let _ = writeln!(out, "[schedules.{name:?}]");
        for (key, value) in schedule.as_table().into_iter().flatten() {
            let mut value = value.clone();
            if let Some(payload) = value.as_table_mut().and_then(|task| task.get_mut("payload")) {
                *payload = Value::String("***".to_owned());
            }
            let _ = writeln!(out, "{key} = {value}");
        }
        out.push('\n');
    }
}

fn shown(name: &str, value: Option<&Value>) -> String {
    let text = value.and_then(Value::as_str).unwrap_or_default();
    match value {
        Some(Value::String(_)) if text.is_empty() => "\"\"".to_owned(),
        Some(_) if SECRET.contains(&name) => "\"***\"".to_owned(),
        Some(Value::String(_)) if URLS.contains(&name) => format!("{:?}", redact_url(text)),
        Some(value) => value.to_string(),
        None => "\"\"".to_owned(),
    }
}

/// A URL without user, password and query, which may hold secrets.
pub fn redact_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "***".to_owned() };
    let place = rest.split('?').next().unwrap_or_default();
    let (authority, path) = place.split_once('/').unwrap_or((place, ""));
    match (authority.rsplit_once('@'), path) {
        (Some((_, host)), "") => format!("{scheme}://***@{host}"),
        (Some((_, host)), path) => format!("{scheme}://***@{host}/{path}"),
        (None, _) => format!("{scheme}://{place}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lose_their_secrets() {
        assert_eq!(
            redact_url("postgres://u:p%40@h:5432/db?password=x"),
            "postgres://***@h:5432/db"
        );
        assert_eq!(redact_url("redis://:p@h"), "redis://***@h");
        assert_eq!(redact_url("sqlite://data/x.db"), "sqlite://data/x.db");
        assert_eq!(redact_url("file:///run/secrets/x"), "file:///run/secrets/x");
        assert_eq!(redact_url("hunter2"), "***");
    }
}
