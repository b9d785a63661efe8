//! What a collection is: as clients give it, as it is stored, and as clients see it.

use outrigger_kernel::Timestamp;
use outrigger_ports::collection::{Entity, entry};
use outrigger_ports::index_value;
use outrigger_ports::store;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::triggers::Trigger;
use crate::rule::Rule;

/// The rules of a collection; what is not named is for administrators.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// Who may list; with `owner`, each user sees their own records.
    pub list: Rule,
    /// Who may read one record.
    pub read: Rule,
    /// Who may create a record.
    pub create: Rule,
    /// Who may change a record.
    pub update: Rule,
    /// Who may delete a record.
    pub delete: Rule,
}

fn default_cache_ttl() -> u32 {
    60
}

/// A collection as an administrator defines it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CollectionInput {
    /// The JSON Schema that the data of each record must satisfy.
    #[serde(default)]
    pub schema: Option<Value>,
    /// Fields by which records can be filtered and sorted, such as `status`, or several at once,
    /// such as `status,created_at`. `id`, `created_at`, `updated_at` and `created_by` are those of
    /// the record; other names are those of its data, with dots for what is nested.
    #[serde(default)]
    #[schemars(length(max = 8))]
    pub indexes: Vec<String>,
    /// Fields, or several at once, of which no two records may have the same values. Records
    /// without a value are not compared.
    #[serde(default)]
    #[schemars(length(max = 3))]
    pub unique: Vec<String>,
    /// How long a record may be cached, in seconds; 0: not at all.
    #[serde(default = "default_cache_ttl")]
    #[schemars(range(max = 86_400))]
    pub cache_ttl_s: u32,
    /// Who may do what.
    #[serde(default)]
    pub rules: Rules,
    /// Tasks that follow from changes of records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4))]
    pub triggers: Vec<Trigger>,
}

/// A collection as clients see it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CollectionView {
    /// Its name.
    pub name: String,
    /// How it is defined.
    #[serde(flatten)]
    pub definition: CollectionInput,
    /// When it was first defined.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// When its definition was last changed.
    #[schemars(with = "String")]
    pub updated_at: Timestamp,
    /// The progress of re-indexing, while there is some to see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub indexing: Option<IndexingView>,
}

/// How far re-indexing is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IndexingView {
    /// `waiting`, `running` or `failed`.
    pub state: &'static str,
    /// The indexes that cannot be used yet.
    pub building: Vec<String>,
    /// Records that are done.
    pub records_done: u64,
    /// Why it failed, and what to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A collection as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Definition {
    #[serde(flatten)]
    pub(crate) input: CollectionInput,
    /// Tells this collection from earlier ones of the same name: their records are not its own.
    pub(crate) generation: String,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// The store's names of the indexes that every record has its entries in.
    pub(crate) ready: Vec<String>,
    pub(crate) reindex: Option<Reindex>,
}

/// Bringing the entries of all records up to the definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reindex {
    /// When the definition changed; older snapshots of it may be in use a little longer.
    pub(crate) since: Timestamp,
    pub(crate) claim: Option<Claim>,
    pub(crate) records_done: u64,
    /// The last record that is done.
    pub(crate) after: Option<String>,
    pub(crate) error: Option<String>,
}

/// Who is at a piece of background work, and until when that is believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claim {
    pub(crate) by: String,
    pub(crate) until: Timestamp,
}

impl Entity for Definition {
    const COLLECTION: &'static str = "sys.collections";
    const NAME: &'static str = "collection";

    /// Found by `reindex` while there is some to do.
    fn entries(&self) -> Vec<store::Entry> {
        match &self.reindex {
            Some(Reindex { error: None, since, .. }) => {
                vec![entry("reindex", index_value::of_time(*since))]
            }
            _ => Vec::new(),
        }
    }
}

/// The records of a deleted collection, until they are gone too. Its id is the generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Purge {
    /// The store's name of their collection.
    pub(crate) collection: String,
    pub(crate) since: Timestamp,
    pub(crate) claim: Option<Claim>,
}

impl Entity for Purge {
    const COLLECTION: &'static str = "sys.purges";
    const NAME: &'static str = "purge";
}
