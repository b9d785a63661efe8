//! The one-time link with which the first administrator is made.
//!
//! What the link proves is derived from the master secret and a number in the store. So all
//! processes of a fleet print the same link, also after a restart, and the store does not hold it.

use outrigger_kernel::{Ctx, Error, ErrorKind, Result, Secret, Timestamp};
use outrigger_ports::collection::{Collection, Entity, Stored};
use outrigger_ports::store::{Batch, Precondition};
use serde::{Deserialize, Serialize};

use super::Auth;
use crate::accounts::{NewKind, NewUser, UserView, administrator_exists};

const ID: &str = "setup";
const MARK: &str = "setup link";
const TOKEN_BYTES: usize = 32;

/// What the store keeps of the link.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Setup {
    number: String,
    expires_at: Timestamp,
}

impl Entity for Setup {
    const COLLECTION: &'static str = "sys.settings";
    const NAME: &'static str = "set-up link";

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}

/// The secret of a set-up link, and how long it works.
#[derive(Clone, Debug)]
pub struct SetupLink {
    /// Whoever has it may make the first administrator.
    pub token: Secret,
    /// Until then.
    pub expires_at: Timestamp,
}

impl Auth {
    /// The link that works now, the same in all processes; `None` when there is an administrator.
    pub async fn setup_link(&self) -> Result<Option<SetupLink>> {
        loop {
            if !self.is_empty().await? {
                return Ok(None);
            }
            if let Some(stored) = self.setups.find(ID).await? {
                return Ok(Some(SetupLink {
                    token: Secret::from(self.token_of(&stored)),
                    expires_at: stored.value.expires_at,
                }));
            }
            let expires_at = self.clock.now().plus(self.shared.settings.setup_link_life);
            let setup = Setup { number: self.ids.hex(16), expires_at };
            let put = Collection::put(ID, &setup, Precondition::Absent)?;
            match self.setups.store().commit(Batch::of([put])).await.map_err(Error::from) {
                // When another process was quicker, its number is the one.
                Err(error) if error.code() != "concurrent_change" => return Err(error),
                _ => {}
            }
        }
    }

    /// Makes the first administrator; the link works once.
    ///
    /// # Errors
    /// `setup_link_invalid`, `administrator_exists`, `invalid` with each fault, `rate_limited`.
    pub async fn set_up(
        &self,
        ctx: &Ctx,
        token: &str,
        email: &str,
        password: Secret,
    ) -> Result<UserView> {
        self.throttle.address(ctx).await?;
        if !self.is_empty().await? {
            return Err(administrator_exists());
        }
        let stored = self.setups.find(ID).await?.ok_or_else(invalid_link)?;
        let number = &stored.value.number;
        if !self.shared.vault.is_mark(MARK, number, token, TOKEN_BYTES) {
            return Err(invalid_link());
        }
        let used = |_: &UserView| {
            Ok(vec![Collection::<Setup>::delete(ID, Precondition::Version(stored.version))])
        };
        let new = NewUser { email: email.to_owned(), ..NewUser::default() };
        self.create(ctx, new, password, NewKind::FirstAdmin, used).await
    }

    fn token_of(&self, stored: &Stored<Setup>) -> String {
        self.shared.vault.mark(MARK, &stored.value.number, TOKEN_BYTES)
    }
}

fn invalid_link() -> Error {
    Error::new(
        ErrorKind::Forbidden,
        "setup_link_invalid",
        "this set-up link is wrong or has expired; restart the server for a new one, or run \
         outrigger admin create",
    )
}
