//! Whether the servers and the database are as this store needs them: without its indexes, unique
//! values would not be unique.

use std::sync::atomic::{AtomicBool, Ordering};

use mongodb::IndexModel;
use mongodb::bson::{Bson, Document, doc};
use mongodb::options::{ReadPreference, SelectionCriteria};
use outrigger_ports::store::StoreError;

use crate::error::Failure;
use crate::link::{Budget, DOCUMENTS, Link};

/// MongoDB 5.0: reads of one instant outside of transactions.
const WIRE_VERSION_MIN: i64 = 13;
/// There is no such collection yet.
const NO_SUCH_COLLECTION: i32 = 26;
/// What is deleted by MongoDB has expired this long ago, in seconds: clocks differ.
pub(crate) const TTL_AFTER_S: i32 = 300;

/// An index that the store needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Needed {
    pub(crate) name: &'static str,
    pub(crate) field: &'static str,
    pub(crate) is_unique: bool,
    pub(crate) is_ttl: bool,
}

/// The places of documents; their unique values; when they expire.
pub(crate) const NEEDED: [Needed; 3] = [
    Needed { name: "places", field: "p.$**", is_unique: false, is_ttl: false },
    Needed { name: "uniques", field: "u", is_unique: true, is_ttl: false },
    Needed { name: "expiry", field: "t", is_unique: false, is_ttl: true },
];

impl Needed {
    /// As it is made.
    pub(crate) fn specification(self) -> Document {
        let mut index = doc! { "key": { self.field: 1 }, "name": self.name };
        if self.is_unique {
            index.insert("unique", true);
        }
        if self.is_ttl {
            index.insert("expireAfterSeconds", TTL_AFTER_S);
        }
        // An index of all fields under one is sparse by nature.
        if self.is_unique || self.is_ttl {
            index.insert("sparse", true);
        }
        index
    }

    fn is(self, index: &IndexModel) -> bool {
        let options = index.options.clone().unwrap_or_default();
        let expires = options.expire_after.map(|after| after.as_secs());
        index.keys.keys().eq([self.field])
            && options.unique.unwrap_or_default() == self.is_unique
            && expires == self.is_ttl.then(|| u64::from(TTL_AFTER_S.unsigned_abs()))
            && (self.field.ends_with("**") || options.sparse == Some(true))
    }
}

/// Whether it was found so once.
#[derive(Debug, Default)]
pub(crate) struct Ready(AtomicBool);

impl Link {
    /// Goes on only when the database is as it must be.
    ///
    /// # Errors
    /// [`StoreError::Schema`] says what to do; and as [`Link::ask`].
    pub(crate) async fn must_be_ready(&self) -> Result<(), StoreError> {
        if self.ready.0.load(Ordering::Acquire) {
            return Ok(());
        }
        self.check_servers().await?;
        if let Some(missing) = self.missing().await?.first() {
            let database = self.reached();
            let name = database.database.name();
            return Err(StoreError::Schema(format!(
                "database {name} has no index {}; run `outrigger migrate apply`",
                missing.name
            )));
        }
        self.ready.0.store(true, Ordering::Release);
        Ok(())
    }

    /// What the server says of itself.
    ///
    /// # Errors
    /// As [`Link::ask`].
    pub(crate) async fn hello(&self) -> Result<Document, StoreError> {
        self.ask(|budget| self.command(budget, doc! { "hello": 1 })).await
    }

    /// Runs a command that changes nothing, on the primary.
    pub(crate) async fn command(
        &self,
        budget: Budget,
        command: Document,
    ) -> Result<Document, Failure> {
        let primary = SelectionCriteria::ReadPreference(ReadPreference::Primary);
        budget.spend(self.reached().database.run_command(command).selection_criteria(primary)).await
    }

    /// Refuses servers that cannot give what the store promises.
    pub(crate) async fn check_servers(&self) -> Result<(), StoreError> {
        let hello = self.hello().await?;
        let is_sharded = hello.get_str("msg").is_ok_and(|msg| msg == "isdbgrid");
        if !is_sharded && hello.get_str("setName").is_err() {
            let what = "the server stands alone, and has no transactions; make it a replica set";
            return Err(StoreError::Schema(what.to_owned()));
        }
        let version = hello.get("maxWireVersion").map(whole).unwrap_or_default();
        if version < WIRE_VERSION_MIN {
            return Err(StoreError::Schema("the server is older than MongoDB 5.0".to_owned()));
        }
        Ok(())
    }

    /// The indexes that are not there.
    ///
    /// # Errors
    /// [`StoreError::Schema`] when there is another one in the place of one of them.
    pub(crate) async fn missing(&self) -> Result<Vec<Needed>, StoreError> {
        let indexes = self.ask(|budget| self.indexes(budget)).await?;
        let mut missing = Vec::new();
        for needed in NEEDED {
            let named = indexes.iter().find(|index| {
                let options = index.options.as_ref();
                options.and_then(|options| options.name.as_deref()) == Some(needed.name)
            });
            match named {
                None => missing.push(needed),
                Some(index) if needed.is(index) => {}
                Some(_) => {
                    return Err(StoreError::Schema(format!(
                        "the index {} of {}.{DOCUMENTS} is not as it must be: drop it and run `outrigger migrate apply`, or name another database",
                        needed.name,
                        self.reached().database.name()
                    )));
                }
            }
        }
        Ok(missing)
    }

    async fn indexes(&self, budget: Budget) -> Result<Vec<IndexModel>, Failure> {
        use futures_util::TryStreamExt;
        let listed = async {
            let cursor = match self.reached().documents.list_indexes().await {
                Ok(cursor) => cursor,
                Err(error) if is_absent(&error) => return Ok(Vec::new()),
                Err(error) => return Err(error),
            };
            cursor.try_collect().await
        };
        budget.spend(listed).await
    }
}

fn is_absent(error: &mongodb::error::Error) -> bool {
    matches!(&*error.kind, mongodb::error::ErrorKind::Command(said) if said.code == NO_SUCH_COLLECTION)
}

/// A whole number of any kind.
pub(crate) fn whole(number: &Bson) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "whole numbers come as doubles too")]
    match number {
        Bson::Int32(number) => i64::from(*number),
        Bson::Int64(number) => *number,
        Bson::Double(number) => *number as i64,
        _ => 0,
    }
}
