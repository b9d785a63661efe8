//! `config show`: the settings in force, without secrets.

use std::fmt::Write;
use toml::Value;

use super::DEFAULTS;

/// Keys whose values are never shown.
const SECRET: [&str; 5] =
    ["auth.secret", "auth.signing_keys", "admin.password", "webhooks.secrets", "traces.headers"];

/// Keys whose values are URLs, shown without what stands before the host.
const URLS: [&str; 5] =
    ["database.url", "database.readonly_url", "redis.url", "mail.url", "traces.endpoint"];

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

/// A URL without user, password and query, which may hold secrets. What stands before the last `@` is
/// taken for user and password, as passwords may hold `/`, `?` and `#`. Where it cannot be told
/// whether that `@` stands in a query, nothing is shown but the scheme.
pub fn redact_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "***".to_owned() };
    let (user, place) = match rest.rsplit_once('@') {
        Some((user, _)) if user.contains('?') => return format!("{scheme}://***"),
        Some((_, place)) => ("***@", place),
        None => ("", rest),
    };
    let place = place.split(['?', '#']).next().unwrap_or_default();
    format!("{scheme}://{user}{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lose_their_secrets() {
        for (url, shown) in [
            ("postgres://u:p%40@h:5432/db?password=x", "postgres://***@h:5432/db"),
            ("postgres://h/db?password=x", "postgres://h/db"),
            ("redis://:p@h", "redis://***@h"),
            ("sqlite://data/x.db", "sqlite://data/x.db"),
            ("file:///run/secrets/x", "file:///run/secrets/x"),
            ("hunter2", "***"),
        ] {
            assert_eq!(redact_url(url), shown, "{url}");
        }
    }

    #[test]
    fn passwords_may_hold_what_parts_urls() {
        for (url, shown) in [
            ("postgres://u:hunt/er2@h:1/db", "postgres://***@h:1/db"),
            ("postgres://u:hunt#er2@h/db", "postgres://***@h/db"),
            ("postgres://u:hunt@er2@h/db", "postgres://***@h/db"),
            ("postgres://u:hunt?er2@h/db", "postgres://***"),
            ("postgres://u:hunt/?#@er2@h/db?sslmode=require", "postgres://***"),
            ("postgres://h/db?user=u&password=hunt@er2", "postgres://***"),
            ("smtp://AKIA:hunt/er+2@mail:587?tls=required", "smtp://***@mail:587"),
        ] {
            assert_eq!(redact_url(url), shown, "{url}");
        }
    }
}
