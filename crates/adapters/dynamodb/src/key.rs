//! Where items stand in the table.
//!
//! | `pk` | `sk` | item |
//! |---|---|---|
//! | `d/COLLECTION` | the id | a document |
//! | `i/COLLECTION/INDEX` | the value, then the id | an index entry |
//! | `u/COLLECTION/INDEX` | the value | a unique entry |
//! | `c` | the collection | that there is such a collection |
//! | `s/STAMP` | one byte | that a large batch is on its way |
//! | `m` | a name | nothing: what the probe asks for |
//!
//! A value stands in a sort key as groups of eight bytes, filled up with zeros, each followed by how
//! many of them count; 9 says that more groups follow. So the order of the bytes is that of the
//! values, whatever follows, and the longest value takes 585 of the 1,024 bytes of a key.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use outrigger_ports::store::bounds::Names;
use outrigger_ports::store::{Entry, Key};
use std::collections::HashMap;

use crate::item::{Item, Stamp};

/// A slash ends the name of a collection.
pub(crate) const NAMES: Names = Names { ends: |char| char == '/', called: "/" };
/// The partition of the collections' names.
pub(crate) const COLLECTIONS: &str = "c";
/// The partition of what the probe asks for.
pub(crate) const META: &str = "m";
/// Bytes in a group.
const GROUP: usize = 8;
/// The mark of a group after which others follow.
const MORE: u8 = 9;

/// The primary key of an item.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ItemKey {
    pub(crate) pk: String,
    pub(crate) sk: Vec<u8>,
}

impl ItemKey {
    pub(crate) fn new(pk: impl Into<String>, sk: impl Into<Vec<u8>>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }

    /// That of a document.
    pub(crate) fn document(key: &Key) -> Self {
        Self::new(documents(&key.collection), key.id.as_bytes())
    }

    /// That of an entry of the document.
    pub(crate) fn entry(key: &Key, entry: &Entry) -> Self {
        let mut sk = encoded(&entry.value);
        if !entry.unique {
            sk.extend_from_slice(key.id.as_bytes());
        }
        Self::new(entries(&key.collection, &entry.index, entry.unique), sk)
    }

    /// That of the mark of a large batch.
    pub(crate) fn large(stamp: Stamp) -> Self {
        Self::new(format!("s/{stamp}"), [1])
    }

    /// As the attributes of a request.
    pub(crate) fn attributes(&self) -> Item {
        HashMap::from([
            ("pk".to_owned(), AttributeValue::S(self.pk.clone())),
            ("sk".to_owned(), AttributeValue::B(Blob::new(self.sk.clone()))),
        ])
    }

    /// Of an item that was read.
    pub(crate) fn of(item: &Item) -> Option<Self> {
        let pk = item.get("pk")?.as_s().ok()?;
        let sk = item.get("sk")?.as_b().ok()?;
        Some(Self::new(pk, sk.as_ref()))
    }
}

/// The partition of a collection's documents.
pub(crate) fn documents(collection: &str) -> String {
    format!("d/{collection}")
}

/// The partition of the entries in an index of a collection.
pub(crate) fn entries(collection: &str, index: &str, unique: bool) -> String {
    format!("{}/{collection}/{index}", if unique { 'u' } else { 'i' })
}

/// The value as it stands in a sort key.
pub(crate) fn encoded(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity((value.len() / GROUP + 1) * (GROUP + 1));
    let mut rest = value;
    loop {
        let (group, after) = rest.split_at(rest.len().min(GROUP));
        out.extend_from_slice(group);
        out.resize(out.len() + GROUP - group.len(), 0);
        if after.is_empty() {
            out.push(u8::try_from(group.len()).unwrap_or(MORE));
            return out;
        }
        out.push(MORE);
        rest = after;
    }
}

/// The value at the start of a sort key, and what follows it.
pub(crate) fn decoded(sk: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut value = Vec::with_capacity(sk.len());
    let mut rest = sk;
    loop {
        let (group, after) = rest.split_at_checked(GROUP + 1)?;
        rest = after;
        match group[GROUP] {
            MORE => value.extend_from_slice(&group[..GROUP]),
            count => {
                value.extend_from_slice(group.get(..usize::from(count))?);
                return Some((value, rest));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use outrigger_kernel::limits;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn values_are_read_back_and_keep_their_order_whatever_follows(
            a in prop::collection::vec(prop_oneof![Just(0_u8), Just(1), Just(255), any::<u8>()], 0..20),
            b in prop::collection::vec(prop_oneof![Just(0_u8), Just(1), Just(255), any::<u8>()], 0..20),
            x in "[a-z]{1,3}", y in "[a-z]{1,3}",
        ) {
            let place = |value: &[u8], id: &str| [encoded(value), id.as_bytes().to_vec()].concat();
            prop_assert_eq!((&a, &x).cmp(&(&b, &y)), place(&a, &x).cmp(&place(&b, &y)));
            let key = place(&a, &x);
            prop_assert_eq!(decoded(&key), Some((a, x.as_bytes())));
        }
    }

    #[test]
    fn the_longest_value_and_id_fit_into_a_key() {
        let longest = encoded(&[0; limits::INDEX_VALUE_BYTES_MAX]).len() + limits::ID_BYTES_MAX;
        assert!(longest <= 1_024, "{longest}");
        assert_eq!(decoded(b"short"), None);
    }
}
