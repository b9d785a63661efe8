//! The list of schema changes of each database, and whether what a database has fits it.

use aws_lc_rs::digest;
use outrigger_ports::store::{Migration, StoreError};

/// One schema change. Once released its text never changes; a new change is a new script.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Script {
    /// Its number and name.
    pub(crate) name: &'static str,
    /// What it runs.
    pub(crate) sql: &'static str,
}

/// The schema of SQLite, in order.
pub(crate) const SQLITE: &[Script] =
    &[Script { name: "0001_documents", sql: include_str!("migrations/sqlite/0001_documents.sql") }];

/// The schema of PostgreSQL, in order.
pub(crate) const POSTGRES: &[Script] = &[
    Script { name: "0001_documents", sql: include_str!("migrations/postgres/0001_documents.sql") },
    Script { name: "0002_restore", sql: include_str!("migrations/postgres/0002_restore.sql") },
];

impl Script {
    /// SHA-256 of the text, in hexadecimal.
    pub(crate) fn checksum(&self) -> String {
        let hash = digest::digest(&digest::SHA256, self.sql.as_bytes());
        hash.as_ref().iter().fold(String::with_capacity(64), |mut text, byte| {
            text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
            text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
            text
        })
    }
}

/// What a database has, as (name, checksum), against what this binary needs.
///
/// # Errors
/// [`StoreError::Schema`] when the database has a migration that this binary does not know, or
/// another text of one that it knows.
pub(crate) fn compare(
    scripts: &[Script],
    applied: &[(String, String)],
) -> Result<Vec<Migration>, StoreError> {
    for (name, checksum) in applied {
        match scripts.iter().find(|script| script.name == name) {
            None => {
                return Err(StoreError::Schema(format!(
                    "it has migration {name}, which this binary does not know; run a newer binary"
                )));
            }
            Some(script) if script.checksum() != *checksum => {
                return Err(StoreError::Schema(format!(
                    "migration {name} was applied with another text than this binary has; \
                     run the binary that applied it"
                )));
            }
            Some(_) => {}
        }
    }
    let has = |name: &str| applied.iter().any(|(applied, _)| applied == name);
    Ok(scripts
        .iter()
        .map(|script| Migration { name: script.name.to_owned(), applied: has(script.name) })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_and_an_unknown_migration_are_refused() {
        let sum = SQLITE[0].checksum();
        let row = |name: &str, sum: &str| vec![(name.to_owned(), sum.to_owned())];
        assert!(!compare(SQLITE, &[]).unwrap()[0].applied);
        assert!(compare(SQLITE, &row("0001_documents", &sum)).unwrap()[0].applied);
        for rows in [row("0001_documents", "0"), row("9999_later", &sum)] {
            assert!(matches!(compare(SQLITE, &rows), Err(StoreError::Schema(_))));
        }
    }
}
