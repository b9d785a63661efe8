//! Users who were deleted, for the modules that keep something of theirs: a note in the batch that
//! deletes the user, taken away once nothing is left.

use outrigger_kernel::{Result, Timestamp};
use outrigger_ports::collection::{Collection, Entity};
use outrigger_ports::index_value;
use outrigger_ports::store::{Order, Precondition, Store, Write};
use serde::{Deserialize, Serialize};

use super::model::User;

/// That a user was deleted; kept under their id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Departed {
    at: Timestamp,
}

impl Entity for Departed {
    const COLLECTION: &'static str = "sys.departed_users";
    const NAME: &'static str = "deleted user";
}

impl Departed {
    /// The write that notes it.
    pub(crate) fn note(id: &str, at: Timestamp) -> Result<Write> {
        Collection::put(id, &Self { at }, Precondition::Any)
    }

    /// The writes that note it later, of a user whose deletion was not noted: only if there is no such user.
    pub(crate) fn note_late(id: &str, at: Timestamp) -> Result<[Write; 2]> {
        let key = Collection::<User>::key(id);
        Ok([Write::Check { key, precondition: Precondition::Absent }, Self::note(id, at)?])
    }

    /// Ids of some of them, at most of so many.
    ///
    /// # Errors
    /// `unavailable`.
    pub(crate) async fn some(all: &Collection<Self>, limit: usize) -> Result<Vec<String>> {
        let (found, _) = all.list(Order::Id, index_value::all(), false, None, limit).await?;
        Ok(found.into_iter().map(|departed| departed.id).collect())
    }

    /// The write that forgets it.
    pub(crate) fn forget(id: &str) -> Write {
        Collection::<Self>::delete(id, Precondition::Any)
    }
}

/// The check that there still is such a user, for batches that give them something.
pub(crate) fn must_exist(id: &str) -> Write {
    Write::Check { key: Collection::<User>::key(id), precondition: Precondition::Exists }
}

/// Those of these ids, at most [`GET_MANY_MAX`](outrigger_kernel::limits::GET_MANY_MAX), that are of no user.
///
/// # Errors
/// `unavailable`.
pub(crate) async fn of_nobody(store: &dyn Store, ids: &[String]) -> Result<Vec<String>> {
    let keys: Vec<_> = ids.iter().map(|id| Collection::<User>::key(id)).collect();
    let users = store.get_many(&keys).await?;
    let pairs = ids.iter().zip(users);
    Ok(pairs.filter(|(_, user)| user.is_none()).map(|(id, _)| id.clone()).collect())
}
