//! What a file has for a collection, whatever its format.

use outrigger_kernel::{Error, Result};
use outrigger_ports::blobs::BlobReader;
use serde_json::{Map, Value};

use super::lines::Lines;
use super::rows::{Row, Rows};
use super::{ENVELOPE, Format, LINE_BYTES_MAX, csv};
use crate::json;
use crate::records::definition::Compiled;

/// A record that is to be written.
#[derive(Clone, Debug)]
pub(super) struct Incoming {
    /// Chosen by Outrigger when there is none.
    pub(super) id: Option<String>,
    pub(super) data: Value,
}

/// What a line holds, or what is wrong with it.
pub(super) type Entry = std::result::Result<Incoming, String>;

/// A file that is read line by line.
pub(super) enum Source {
    Ndjson(Lines),
    Csv { rows: Box<Rows>, columns: Vec<String>, properties: Map<String, Value> },
}

impl Source {
    /// Reads a file; of a CSV the first row.
    pub(super) async fn open(
        reader: Box<dyn BlobReader>,
        format: Format,
        compiled: &Compiled,
    ) -> Result<Self> {
        if format == Format::Ndjson {
            return Ok(Self::Ndjson(Lines::new(reader)));
        }
        let mut rows = Box::new(Rows::new(reader));
        let columns = match rows.next().await? {
            Some((_, Ok(columns))) => columns,
            Some((line, Err(why))) => return Err(bad_head(&format!("line {line}: {why}"))),
            None => return Err(bad_head("it is empty")),
        };
        if let Some(twice) = columns.iter().enumerate().find(|(at, c)| columns[..*at].contains(c)) {
            return Err(bad_head(&format!("the column {:?} is there twice", twice.1)));
        }
        let properties = compiled.definition.input.schema.as_ref();
        let properties = properties.and_then(|schema| schema["properties"].as_object());
        Ok(Self::Csv { rows, columns, properties: properties.cloned().unwrap_or_default() })
    }

    /// The next entry, with the number of its line.
    pub(super) async fn next(&mut self) -> Result<Option<(u64, Entry)>> {
        match self {
            Self::Ndjson(lines) => loop {
                let Some((number, line)) = lines.next().await? else { return Ok(None) };
                let too_long = || format!("a line has at most {LINE_BYTES_MAX} bytes");
                match line {
                    Some(line) if line.trim_ascii().is_empty() => {}
                    Some(line) => return Ok(Some((number, of_json(&line)))),
                    None => return Ok(Some((number, Err(too_long())))),
                }
            },
            Self::Csv { rows, columns, properties } => {
                let Some((number, row)) = rows.next().await? else { return Ok(None) };
                Ok(Some((number, of_row(row, columns, properties))))
            }
        }
    }
}

fn bad_head(why: &str) -> Error {
    Error::invalid(&["file"], "columns", format!("the names of the columns: {why}"))
}

fn of_json(line: &[u8]) -> Entry {
    let value = json::parse(line).map_err(|error| said(&error))?;
    let Value::Object(mut fields) = value else { return Err("it is no JSON object".to_owned()) };
    let id = match fields.remove("id") {
        None | Some(Value::Null) => None,
        Some(Value::String(id)) => Some(id),
        Some(_) => return Err("id: is no text".to_owned()),
    };
    let data = fields.remove("data").ok_or("data: this field is required")?;
    let unknown = fields
        .keys()
        .find(|name| name.as_str() != "collection" && !ENVELOPE.contains(&name.as_str()));
    match unknown {
        Some(name) => Err(format!("{name}: this field is not known; a record's own are in data")),
        None => Ok(Incoming { id, data }),
    }
}

fn of_row(row: Row, columns: &[String], properties: &Map<String, Value>) -> Entry {
    let row = row?;
    if row.len() != columns.len() {
        return Err(format!("it has {} cells, and there are {} columns", row.len(), columns.len()));
    }
    let mut data = Map::new();
    let mut id = None;
    for (name, text) in columns.iter().zip(row).filter(|(_, text)| !text.is_empty()) {
        if name == "id" {
            id = Some(text);
        } else if !ENVELOPE.contains(&name.as_str()) {
            let value = csv::value(properties.get(name), name, &text);
            data.insert(name.clone(), value.map_err(|error| said(&error))?);
        }
    }
    Ok(Incoming { id, data: Value::Object(data) })
}

/// What is wrong, with its places.
pub(super) fn said(error: &Error) -> String {
    let places: Vec<String> = error
        .fields()
        .iter()
        .take(3)
        .map(|field| format!("{}: {}", field.loc.join("."), field.message))
        .collect();
    if places.is_empty() { error.to_string() } else { places.join("; ") }
}
