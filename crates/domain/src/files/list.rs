//! Lists of files.

use outrigger_kernel::{Ctx, Page, PageRequest, Result};
use outrigger_ports::index_value;
use outrigger_ports::store::Order;

use super::model::{BY_OWNER, FileView, stored_view};
use super::service::Files;
use crate::cursor::List;

impl Files {
    /// A page of the files of this owner, the newest first: of who asks unless said. Administrators
    /// may ask for those of anybody, and of all.
    ///
    /// # Errors
    /// `unauthenticated`, `forbidden`, `invalid` naming the parameter.
    pub async fn list(
        &self,
        ctx: &Ctx,
        owner: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<FileView>> {
        let asker = ctx.require_user()?;
        if owner.is_some_and(|owner| owner != asker) {
            ctx.require_admin()?;
        }
        let owner = owner.or((!ctx.is_admin()).then_some(asker));
        let list = List::of(&format!("files of {owner:?}"));
        let after = list.after(page)?;
        let (order, range) = match owner {
            Some(owner) => {
                (Order::Index(BY_OWNER), index_value::exactly(index_value::of_str(owner)))
            }
            None => (Order::Id, index_value::all()),
        };
        let (found, next) = self.stored.list(order, range, true, after, page.limit).await?;
        let items = found.into_iter().map(stored_view).collect();
        Ok(Page { items, next_cursor: list.next(next) })
    }
}
