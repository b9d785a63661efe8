//! Layers of settings, one over the other, each checked against the defaults.

use anyhow::{Context, Result, bail};
use outrigger_domain::tasks::schedules::ScheduleInput;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use toml::{Table, Value};

/// Variables with a second, well-known name.
const ALIASES: [(&str, &str); 15] = [
    ("PORT", "http.port"),
    ("DATABASE_URL", "database.url"),
    ("DATABASE_READONLY_URL", "database.readonly_url"),
    ("REDIS_URL", "redis.url"),
    ("BLOB_URL", "blobs.url"),
    ("MAIL_URL", "mail.url"),
    ("OUTRIGGER_ENV", "deployment.environment"),
    ("OUTRIGGER_PUBLIC_URL", "http.public_url"),
    ("OUTRIGGER_SECRET", "auth.secret"),
    ("OUTRIGGER_ADMIN_EMAIL", "admin.email"),
    ("OUTRIGGER_ADMIN_PASSWORD", "admin.password"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "traces.endpoint"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "traces.headers"),
    ("OTEL_TRACES_SAMPLER_ARG", "traces.sample"),
    ("OTEL_SERVICE_NAME", "traces.service"),
];

/// The section whose keys are the user's: `[schedules.NAME]`.
const SCHEDULES: &str = "schedules";

/// `section.key` in the environment starts so.
const PREFIX: &str = "OUTRIGGER__";
/// What is written in its place by mistake, with `__` further on.
const ALMOST: &str = "OUTRIGGER_";

/// The settings so far.
#[derive(Debug)]
pub(super) struct Layered(Table);

impl Layered {
    /// The base layer.
    pub(super) fn new(defaults: &str) -> Result<Self> {
        Ok(Self(defaults.parse().context("the built-in defaults are not valid TOML")?))
    }

    /// Lays a file over what is there.
    pub(super) fn add_file(&mut self, path: &Path) -> Result<()> {
        let place = path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {place}"))?;
        let table: Table = text
            .parse()
            .map_err(|error: toml::de::Error| anyhow::anyhow!("{place}: {}", one_line(&error)))?;
        for (section, keys) in table {
            let Value::Table(keys) = keys else {
                bail!("{place}: {section} stands outside of a section; {}", self.nearest(&section));
            };
            if section == SCHEDULES {
                self.add_schedules(keys, &place)?;
                continue;
            }
            for (key, value) in keys {
                let name = format!("{section}.{key}");
                let slot = self.slot(&name, &place)?;
                let value = match (&*slot, value) {
                    // 1 is a number as 1.0 is.
                    (Value::Float(_), Value::Integer(whole)) => float(whole),
                    (_, value) => value,
                };
                if std::mem::discriminant(slot) != std::mem::discriminant(&value) {
                    bail!("{name} in {place}: expected {}", expectation(slot));
                }
                *slot = value;
            }
        }
        Ok(())
    }

    /// Adds the schedules of a file: their names are the user's own.
    fn add_schedules(&mut self, schedules: Table, place: &str) -> Result<()> {
        for (name, schedule) in &schedules {
            let at = || format!("schedules.{name} in {place}");
            ScheduleInput::deserialize(schedule.clone())
                .map_err(|error| anyhow::anyhow!("{}: {}", at(), one_line(&error)))?;
        }
        let all = self.0.entry(SCHEDULES).or_insert_with(|| Value::Table(Table::new()));
        if let Value::Table(all) = all {
            all.extend(schedules);
        }
        Ok(())
    }

    /// Lays the environment over what is there; variables of others are none of our business.
    pub(super) fn add_environment(&mut self, variables: &[(String, String)]) -> Result<()> {
        for (alias, key) in ALIASES {
            if let Some((_, value)) = variables.iter().find(|(name, _)| name == alias) {
                self.set(key, value, &format!("the environment ({alias})"))?;
            }
        }
        for (name, value) in variables {
            if let Some(path) = name.strip_prefix(PREFIX) {
                let key = path.to_ascii_lowercase().replace("__", ".");
                self.set(&key, value, &format!("the environment ({name})"))?;
            } else if let Some(path) = name.strip_prefix(ALMOST)
                && path.contains("__")
            {
                bail!(
                    "the environment ({name}): there is no such setting; it may be {PREFIX}{path}"
                );
            }
        }
        Ok(())
    }

    /// Sets one key from text.
    pub(super) fn set(&mut self, key: &str, text: &str, place: &str) -> Result<()> {
        let slot = self.slot(key, place)?;
        let value = match slot {
            Value::Integer(_) => text.parse().ok().map(Value::Integer),
            Value::Float(_) => text.parse().ok().map(Value::Float),
            Value::Boolean(_) => text.parse().ok().map(Value::Boolean),
            Value::Array(_) => Some(Value::Array(
                text.split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty())
                    .map(|item| Value::String(item.to_owned()))
                    .collect(),
            )),
            _ => Some(Value::String(text.to_owned())),
        };
        // The value may be a secret in the wrong place: it is not repeated.
        let value =
            value.with_context(|| format!("{key} in {place}: expected {}", expectation(slot)))?;
        *slot = value;
        Ok(())
    }

    /// The settings as they are now.
    pub(super) fn values(&self) -> &Table {
        &self.0
    }

    /// The typed settings.
    pub(super) fn finish<T: DeserializeOwned>(self) -> Result<T> {
        serde_path_to_error::deserialize(Value::Table(self.0))
            .map_err(|error| anyhow::anyhow!("{}: {}", error.path(), one_line(error.inner())))
    }

    fn slot(&mut self, name: &str, place: &str) -> Result<&mut Value> {
        let nearest = self.nearest(name);
        name.split_once('.')
            .and_then(|(section, key)| self.0.get_mut(section)?.get_mut(key))
            .with_context(|| format!("{place}: there is no setting {name}; {nearest}"))
    }

    /// What somebody may have meant.
    fn nearest(&self, name: &str) -> String {
        let known = self.0.iter().flat_map(|(section, keys)| {
            let keys = keys.as_table().into_iter().flat_map(Table::keys);
            keys.map(move |key| format!("{section}.{key}"))
        });
        let best = known
            .max_by(|a, b| strsim::jaro_winkler(name, a).total_cmp(&strsim::jaro_winkler(name, b)));
        format!("the nearest is {}", best.unwrap_or_default())
    }
}

fn expectation(value: &Value) -> &'static str {
    match value {
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Array(_) => "a list of texts",
        _ => "a text",
    }
}

#[expect(clippy::cast_precision_loss, reason = "settings with fractions are small")]
fn float(whole: i64) -> Value {
    Value::Float(whole as f64)
}

/// TOML errors point at the place with several lines; a start-up error is one.
fn one_line(error: &toml::de::Error) -> String {
    error.message().lines().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Layered {
        Layered::new("[http]\nport = 8000\ncors_origins = []\n[log]\nlevel = \"info\"\n").unwrap()
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_known_one() {
        let error = base().set("http.prot", "1", "the command line").unwrap_err().to_string();
        assert!(error.contains("http.prot") && error.contains("http.port"), "{error}");
    }

    #[test]
    fn a_wrong_type_is_named_without_repeating_the_value() {
        let variables = [("PORT".to_owned(), "hunter2".to_owned())];
        let error = base().add_environment(&variables).unwrap_err().to_string();
        assert!(error.contains("http.port") && error.contains("PORT"), "{error}");
        assert!(error.contains("whole number") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn the_environment_lies_over_the_defaults() {
        let mut layers = base();
        let variables = [
            ("OUTRIGGER__HTTP__CORS_ORIGINS".to_owned(), "https://a, https://b".to_owned()),
            ("OUTRIGGER__LOG__LEVEL".to_owned(), "debug".to_owned()),
            ("HOME".to_owned(), "/".to_owned()),
        ];
        layers.add_environment(&variables).unwrap();
        assert_eq!(layers.0["http"]["cors_origins"].as_array().unwrap().len(), 2);
        assert_eq!(layers.0["log"]["level"].as_str(), Some("debug"));
    }
}
