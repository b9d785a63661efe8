//! Writing all records of a collection into a file.

use bytes::Bytes;
use outrigger_kernel::{Error, Result};
use outrigger_ports::index_value;
use outrigger_ports::store::{Document, Order, Query};
use serde::Serialize;
use serde_json::Value;

use super::{ENVELOPE, Format, Told, csv};
use crate::records::definition::Compiled;
use crate::records::envelope;
use crate::records::service::Records;

/// Records that are in memory at once.
const PAGE: usize = 50;

/// What is to be written where.
pub(crate) struct Export<'a> {
    pub(crate) collection: &'a str,
    pub(crate) format: Format,
    pub(crate) to: String,
    pub(crate) fields: Vec<String>,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// The key of the file.
    pub key: String,
    /// Records in it.
    pub records: u64,
    /// Its size.
    pub bytes: u64,
}

impl Records {
    /// Writes all records in the order of their ids. Each that is there throughout is in the file
    /// once; the file is there when all of it is.
    ///
    /// # Errors
    /// `not_found`, `invalid` (a CSV without known fields, a key that is none), `unavailable`.
    pub(crate) async fn export(&self, export: Export<'_>, told: Told<'_>) -> Result<Exported> {
        let compiled = self.definitions.get(export.collection).await?;
        let fields = match export.format {
            Format::Csv => fields(&compiled, export.fields)?,
            Format::Ndjson => Vec::new(),
        };
        let mut file = self.blobs.create(&export.to).await?;
        if export.format == Format::Csv {
            let mut head = Vec::new();
            let names = ENVELOPE.into_iter().chain(fields.iter().map(String::as_str));
            csv::row(&mut head, names);
            file.write(Bytes::from(head)).await?;
        }
        let (mut records, mut after) = (0, None);
        loop {
            let query = Query {
                collection: &compiled.store_collection,
                order: Order::Id,
                range: index_value::all(),
                descending: false,
                after: after.take(),
                limit: PAGE,
                may_lag: false,
            };
            let found = self.store.query(&query).await?;
            let mut piece = Vec::new();
            for found in &found {
                match export.format {
                    Format::Ndjson => line(&mut piece, &compiled, &found.document),
                    Format::Csv => row(&mut piece, &fields, &found.document)?,
                }
            }
            records += found.len() as u64;
            let is_last = found.len() < PAGE;
            after = found.into_iter().next_back().map(|found| found.position);
            if !piece.is_empty() {
                file.write(Bytes::from(piece)).await?;
            }
            told(records)?;
            if is_last {
                break;
            }
        }
        let bytes = file.finish().await?;
        Ok(Exported { key: export.to, records, bytes })
    }
}

/// The columns besides those of every record.
fn fields(compiled: &Compiled, given: Vec<String>) -> Result<Vec<String>> {
    let properties = compiled.definition.input.schema.as_ref();
    let properties = properties.and_then(|schema| schema["properties"].as_object());
    let fields = match given.is_empty() {
        true => properties.into_iter().flat_map(|p| p.keys().cloned()).collect(),
        false => given,
    };
    if fields.is_empty() {
        let message = "name the fields: the collection's schema has none";
        return Err(Error::invalid(&["payload", "fields"], "required", message));
    }
    Ok(fields)
}

fn line(out: &mut Vec<u8>, compiled: &Compiled, document: &Document) {
    let (id, version) = (&document.key.id, document.version);
    out.extend_from_slice(&envelope::render(&compiled.name, id, version, &document.body));
    out.push(b'\n');
}

fn row(out: &mut Vec<u8>, fields: &[String], document: &Document) -> Result<()> {
    let head = envelope::head(document)?;
    let data = envelope::data(document)?;
    let mut cells = vec![
        document.key.id.clone(),
        head.version.to_string(),
        head.created_at.to_string(),
        head.updated_at.to_string(),
        head.created_by.unwrap_or_default(),
    ];
    cells.extend(fields.iter().map(|field| csv::cell(data.get(field).unwrap_or(&Value::Null))));
    csv::row(out, cells.iter().map(String::as_str));
    Ok(())
}
