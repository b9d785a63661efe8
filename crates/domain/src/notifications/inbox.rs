//! What a user was told, for an app to show.

use std::time::Duration;

use outrigger_kernel::{Ctx, Error, Page, PageRequest, Result, Timestamp};
use outrigger_ports::collection::{Entity, Stored, entry};
use outrigger_ports::index_value;
use outrigger_ports::store::{Entry, Order};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Notifications;
use super::messages::{Reader, Saying, Variables};
use crate::cursor::List;

/// How long it is kept.
const KEPT_FOR: Duration = Duration::from_secs(90 * 86_400);
const BY_USER: &str = "user";
const UNREAD: &str = "unread";

/// Something a user was told, as the store keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Item {
    pub(super) user_id: String,
    pub(super) category: String,
    pub(super) message: String,
    pub(super) variables: Variables,
    pub(super) link: Option<String>,
    pub(super) created_at: Timestamp,
    pub(super) read_at: Option<Timestamp>,
}

impl Entity for Item {
    const COLLECTION: &'static str = "sys.inbox";
    const NAME: &'static str = "notification";

    fn entries(&self) -> Vec<Entry> {
        let user = || index_value::of_str(&self.user_id);
        let mut entries = vec![entry(BY_USER, user())];
        if self.read_at.is_none() {
            entries.push(entry(UNREAD, user()));
        }
        entries
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.created_at.plus(KEPT_FOR))
    }
}

/// Something a user was told, in their language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Notification")]
pub struct ItemView {
    /// `ntf_…`
    pub id: String,
    /// Of which kind it is, as in the preferences.
    pub category: String,
    /// The name of the message.
    pub message: String,
    /// One line.
    pub title: String,
    /// One or more paragraphs.
    pub text: String,
    /// Where it leads.
    pub link: Option<String>,
    /// When it was told, RFC 3339.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub created_at: Timestamp,
    /// When it was read, RFC 3339; null while it is not.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub read_at: Option<Timestamp>,
}

/// A change of what a user was told.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NotificationPatch")]
pub struct ItemPatch {
    /// Whether it was read.
    pub read: bool,
}

impl Notifications {
    /// A page of what the user who asks was told, the newest first, in the words for this reader.
    ///
    /// # Errors
    /// `unauthenticated`, `invalid` naming the parameter.
    pub async fn inbox(
        &self,
        ctx: &Ctx,
        reader: &Reader,
        unread: bool,
        page: &PageRequest,
    ) -> Result<Page<ItemView>> {
        let user = ctx.require_user()?;
        let list = List::of(&format!("inbox of {user}, unread {unread}"));
        let index = if unread { UNREAD } else { BY_USER };
        let range = index_value::exactly(index_value::of_str(user));
        let after = list.after(page)?;
        let (found, next) =
            self.inbox.list(Order::Index(index), range, true, after, page.limit).await?;
        let items = found.into_iter().map(|stored| self.view(stored, reader));
        Ok(Page { items: items.collect::<Result<_>>()?, next_cursor: list.next(next) })
    }

    /// Marks something that the user who asks was told as read or not.
    ///
    /// # Errors
    /// `unauthenticated`; `not_found` when there is none, or it is somebody else's.
    pub async fn mark(
        &self,
        ctx: &Ctx,
        reader: &Reader,
        id: &str,
        patch: ItemPatch,
    ) -> Result<ItemView> {
        let user = ctx.require_user()?;
        let not_found = || Error::not_found("notification");
        if !outrigger_kernel::id::is_valid_name(id) {
            return Err(not_found());
        }
        let now = self.clock.now();
        let changed = self.inbox.update(id, |item| {
            if item.user_id != user {
                return Err(not_found());
            }
            item.read_at = patch.read.then(|| item.read_at.unwrap_or(now));
            Ok(())
        });
        self.view(changed.await?, reader)
    }

    fn view(&self, stored: Stored<Item>, reader: &Reader) -> Result<ItemView> {
        let Stored { id, value: item, .. } = stored;
        let saying = Saying {
            message: &item.message,
            variables: &item.variables,
            link: item.link.as_deref(),
        };
        let said = self.shared.catalogue.words(&saying, reader)?;
        Ok(ItemView {
            id,
            category: item.category,
            title: said.title,
            text: said.text,
            message: item.message,
            link: item.link,
            created_at: item.created_at,
            read_at: item.read_at,
        })
    }
}
