//! The list of those who may do everything, so that there is always one.
//!
//! Each change of who is an active administrator writes this document in the same batch, at the
//! version it was read: two administrators who demote each other at once cannot both succeed.

use outrigger_kernel::{Error, Result};
use outrigger_ports::collection::{Collection, Entity, Stored};
use outrigger_ports::store::{Precondition, Write};
use serde::{Deserialize, Serialize};

/// Most administrators.
const ADMINS_MAX: usize = 1_000;
const ID: &str = "admins";

/// The document.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Admins {
    ids: Vec<String>,
}

impl Entity for Admins {
    const COLLECTION: &'static str = "sys.settings";
    const NAME: &'static str = "list of administrators";
}

/// The list as it was read.
#[derive(Debug)]
pub(crate) struct AdminList(Option<Stored<Admins>>);

impl AdminList {
    /// Reads the list.
    pub(crate) async fn read(admins: &Collection<Admins>) -> Result<Self> {
        Ok(Self(admins.find(ID).await?))
    }

    /// Whether nobody may do everything.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|stored| stored.value.ids.is_empty())
    }

    /// The write that follows from a user's being an active administrator from now on, or not;
    /// `None` when nothing changes.
    ///
    /// # Errors
    /// `last_administrator` when nobody would be left.
    pub(crate) fn set(self, user_id: &str, is_active_admin: bool) -> Result<Option<Write>> {
        let (mut admins, precondition) = match self.0 {
            Some(stored) => (stored.value, Precondition::Version(stored.version)),
            None => (Admins::default(), Precondition::Absent),
        };
        let listed = admins.ids.iter().position(|id| id == user_id);
        match (listed, is_active_admin) {
            (None, false) | (Some(_), true) => return Ok(None),
            (None, true) if admins.ids.len() == ADMINS_MAX => {
                return Err(Error::conflict(
                    "too_many_administrators",
                    format!("there are {ADMINS_MAX} administrators already"),
                ));
            }
            (None, true) => admins.ids.push(user_id.to_owned()),
            (Some(_), false) if admins.ids.len() == 1 => {
                return Err(Error::conflict(
                    "last_administrator",
                    "this is the last administrator; make somebody else one first",
                ));
            }
            (Some(position), false) => {
                admins.ids.remove(position);
            }
        }
        Collection::put(ID, &admins, precondition).map(Some)
    }
}
