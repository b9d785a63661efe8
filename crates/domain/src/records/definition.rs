//! A collection's definition, checked and compiled for use.

use std::sync::Arc;

use outrigger_kernel::{Error, Result, limits};

use outrigger_ports::store::Entry;
use serde_json::Value;

use super::field::Meta;
use super::index::Index;
use super::model::{CollectionInput, CollectionView, Definition, IndexingView};
use crate::rule::Rule;
use crate::schema::Schema;

/// A definition that requests can use.
#[derive(Clone, Debug)]
pub(crate) struct Compiled {
    pub(crate) name: Arc<str>,
    /// The name of the records' collection in the store.
    pub(crate) store_collection: String,
    /// The version of the document that it was compiled from.
    pub(crate) version: u64,
    pub(crate) definition: Definition,
    pub(crate) schema: Option<Arc<Schema>>,
    pub(crate) indexes: Vec<Index>,
}

impl Compiled {
    pub(crate) fn new(name: &str, version: u64, definition: Definition) -> Result<Self> {
        let schema = definition.input.schema.as_ref().map(Schema::compile).transpose()?;
        Ok(Self {
            name: name.into(),
            store_collection: store_collection(name, &definition.generation),
            version,
            schema: schema.map(Arc::new),
            indexes: indexes(&definition.input)?,
            definition,
        })
    }

    /// Lets only an object that satisfies the schema pass.
    ///
    /// # Errors
    /// `invalid` below `body`; `too_large`.
    pub(crate) fn check_data(&self, data: &Value) -> Result<()> {
        if !data.is_object() {
            return Err(Error::invalid(&["body"], "type", "the data of a record is a JSON object"));
        }
        match &self.schema {
            Some(schema) => schema.check(data).map_err(|error| error.within(&["body"])),
            None => Ok(()),
        }
    }

    /// The entries of a record.
    ///
    /// # Errors
    /// `invalid` below `body` when a value has no place in an index.
    pub(crate) fn entries(&self, meta: &Meta<'_>, data: &Value) -> Result<Vec<Entry>> {
        super::index::entries(&self.indexes, meta, data).map_err(|error| error.within(&["body"]))
    }

    /// The collection as clients see it.
    pub(crate) fn view(&self) -> CollectionView {
        let Definition { input, created_at, updated_at, reindex, .. } = &self.definition;
        let now_building =
            || self.indexes.iter().filter(|i| !self.is_ready(i)).map(|i| i.name.clone()).collect();
        CollectionView {
            name: self.name.to_string(),
            definition: input.clone(),
            created_at: *created_at,
            updated_at: *updated_at,
            indexing: reindex.as_ref().map(|work| IndexingView {
                state: match (&work.error, work.records_done) {
                    (Some(_), _) => "failed",
                    (None, 0) => "waiting",
                    (None, _) => "running",
                },
                building: now_building(),
                records_done: work.records_done,
                error: work.error.clone(),
            }),
        }
    }

    /// Whether every record has its entry in this index.
    pub(crate) fn is_ready(&self, index: &Index) -> bool {
        self.definition.ready.contains(&index.store_name)
    }
}

/// The records of a collection in the store.
pub(crate) fn store_collection(name: &str, generation: &str) -> String {
    format!("rec.{name}.{generation}")
}

/// Checks all that can be checked of a definition without the store.
///
/// # Errors
/// `invalid` with the place below `body`.
pub(crate) fn validate(name: &str, input: &CollectionInput) -> Result<()> {
    if !outrigger_kernel::id::is_valid_name(name) {
        return Err(Error::invalid(
            &["path", "name"],
            "invalid_name",
            "a collection's name is 1 to 64 of A-Z a-z 0-9 _ -",
        ));
    }
    if let Some(schema) = &input.schema {
        let bytes = schema.to_string().len();
        if bytes > limits::SCHEMA_BYTES_MAX {
            return Err(Error::invalid(
                &["body", "schema"],
                "schema_too_large",
                format!("a schema has at most {} bytes", limits::SCHEMA_BYTES_MAX),
            ));
        }
        Schema::compile(schema).map_err(|error| error.within(&["body"]))?;
    }
    if input.cache_ttl_s > limits::CACHE_TTL_S_MAX {
        return Err(Error::invalid(
            &["body", "cache_ttl_s"],
            "maximum",
            format!("at most {} seconds", limits::CACHE_TTL_S_MAX),
        ));
    }
    let all = indexes(input).map_err(|error| error.within(&["body"]))?;
    let uniques = all.iter().filter(|index| index.is_unique).count();
    if uniques > limits::UNIQUES_MAX {
        let most = format!("at most {} unique indexes", limits::UNIQUES_MAX);
        return Err(Error::invalid(&["body", "unique"], "too_many", most));
    }
    if all.len() - uniques > limits::INDEXES_MAX {
        let most = format!(
            "at most {} indexes (with the rule list = owner, one of them is created_by)",
            limits::INDEXES_MAX
        );
        return Err(Error::invalid(&["body", "indexes"], "too_many", most));
    }
    Ok(())
}

/// The declared indexes, and the one on `created_by` that lists of own records need.
fn indexes(input: &CollectionInput) -> Result<Vec<Index>> {
    let schema = input.schema.as_ref();
    let mut all: Vec<Index> = Vec::new();
    let implied = (input.rules.list == Rule::Owner).then(|| "created_by".to_owned());
    let plain = input.indexes.iter().chain(&implied);
    let declared = plain
        .enumerate()
        .map(|(position, name)| ("indexes", position, name))
        .chain(input.unique.iter().enumerate().map(|(position, name)| ("unique", position, name)));
    for (list, position, name) in declared {
        let is_unique = list == "unique";
        let place = position.to_string();
        let index =
            Index::parse(name, is_unique, schema).map_err(|error| error.within(&[list, &place]))?;
        match all.iter().find(|other| other.store_name == index.store_name) {
            None => all.push(index),
            Some(_) if implied.as_ref() == Some(name) && !is_unique => {}
            Some(_) => {
                return Err(Error::invalid(
                    &[list, &place],
                    "duplicate",
                    format!("{name} is declared twice"),
                ));
            }
        }
    }
    Ok(all)
}
