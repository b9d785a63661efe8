//! Users are told on the channels that they want, once, and can end mails with one click.

use std::sync::Arc;

use outrigger_kernel::{Ctx, PageRequest, Result, Role, Secret};
use outrigger_ports::queue::{TaskFilter, TaskRecord};
use serde_json::json;

use super::jobs::{SendNotification, SendRequest};
use super::messages::Reader;
use super::{Channel, Channels, ItemPatch, NewNotification, Notifications, Preferences};
use super::{Settings, Shared};
use crate::audit::Audit;
use crate::audit::testing::{World, actions, anonymous_ctx, user_ctx};
use crate::tasks::{Kinds, Sealer, Tasks, any};

const ANN: &str = "usr_ann";

fn service(world: &World) -> Notifications {
    let master = Secret::from("0123456789abcdef0123456789abcdef".to_owned());
    let audit = Audit::new(&world.ports);
    let kinds = [any::<SendNotification>().kind(), any::<SendRequest>().kind()];
    let kinds = Kinds::new(kinds.map(Result::unwrap)).unwrap();
    let sealer = Sealer::new(&master, false).unwrap();
    let tasks = Tasks::new(&world.ports, audit.clone(), Arc::new(kinds), Arc::new(sealer));
    let settings = Settings {
        master,
        secrets: Vec::new(),
        mail_from: "shop@example.com".to_owned(),
        product: "Shop".to_owned(),
        public_url: "https://api.example.com".to_owned(),
    };
    Notifications::new(&world.ports, audit, tasks, Shared::new(&settings).unwrap())
}

fn ann() -> Ctx {
    user_ctx(ANN, "ses_1", &Role::user())
}

fn news(text: &str) -> NewNotification {
    let new = json!({
        "user_id": ANN, "category": "news", "variables": {"title": "News", "text": text},
    });
    serde_json::from_value(new).unwrap()
}

async fn tell(service: &Notifications, new: NewNotification) -> Vec<Channel> {
    service.notify(&Ctx::system("r"), new, None).await.unwrap().channels
}

async fn tasks(world: &World) -> Vec<TaskRecord> {
    let all = TaskFilter { limit: 50, ..TaskFilter::default() };
    world.ports.board.list(&all).await.unwrap().tasks
}

fn page() -> PageRequest {
    PageRequest { limit: 10, cursor: None }
}

#[tokio::test]
async fn what_is_told_is_in_the_inbox_until_it_is_read_and_for_nobody_else() {
    let (world, reader) = (World::new(), Reader::default());
    let service = service(&world);
    assert_eq!(tell(&service, news("one")).await, [Channel::Email, Channel::Inbox]);
    let unread = service.inbox(&ann(), &reader, true, &page()).await.unwrap().items;
    assert_eq!((unread.len(), unread[0].text.as_str()), (1, "one"));
    let bob = user_ctx("usr_bob", "ses_2", &Role::user());
    assert!(service.inbox(&bob, &reader, false, &page()).await.unwrap().items.is_empty());
    let patch = ItemPatch { read: true };
    let refused = service.mark(&bob, &reader, &unread[0].id, patch).await.unwrap_err();
    assert_eq!(refused.code(), "not_found");
    let read = service.mark(&ann(), &reader, &unread[0].id, patch).await.unwrap();
    assert_eq!(read.read_at, Some(world.ports.clock.now()));
    assert!(service.inbox(&ann(), &reader, true, &page()).await.unwrap().items.is_empty());
    assert_eq!(service.inbox(&ann(), &reader, false, &page()).await.unwrap().items.len(), 1);
    let patch = ItemPatch { read: false };
    service.mark(&ann(), &reader, &unread[0].id, patch).await.unwrap();
    assert_eq!(service.inbox(&ann(), &reader, true, &page()).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn preferences_choose_the_channels_of_each_category() {
    let world = World::new();
    let service = service(&world);
    let none = Channels { email: false, inbox: false, webhook: false };
    let wanted = Preferences {
        categories: [("news".to_owned(), none)].into(),
        webhook_url: Some("https://hooks.example.com/a".to_owned()),
    };
    service.set_preferences(&ann(), wanted.clone()).await.unwrap();
    assert_eq!(service.preferences(&ann()).await.unwrap(), wanted);
    assert!(tell(&service, news("unwanted")).await.is_empty());
    assert!(tasks(&world).await.is_empty());
    let orders = NewNotification { category: "orders".to_owned(), ..news("wanted") };
    let all = [Channel::Email, Channel::Inbox, Channel::Webhook];
    assert_eq!(tell(&service, orders).await, all);
    let mut kinds: Vec<String> = tasks(&world).await.into_iter().map(|t| t.task.kind).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["http.request", "notification.mail"]);
}

#[tokio::test]
async fn what_concerns_the_account_is_always_mailed() {
    let world = World::new();
    let service = service(&world);
    let none = Channels { email: false, inbox: false, webhook: false };
    let wanted =
        Preferences { categories: [("account".to_owned(), none)].into(), webhook_url: None };
    let error = service.set_preferences(&ann(), wanted).await.unwrap_err();
    assert_eq!(error.fields()[0].loc, ["body", "categories", "account"]);
    assert!(service.unsubscribe_link(ANN, "account").is_none());
    let account = NewNotification { category: "account".to_owned(), ..news("x") };
    assert!(tell(&service, account).await.contains(&Channel::Email));
}

#[tokio::test]
async fn a_link_ends_the_mails_of_its_category_and_nothing_else() {
    let world = World::new();
    let service = service(&world);
    let link = service.unsubscribe_link(ANN, "news").unwrap();
    let token = link.strip_prefix("https://api.example.com/unsubscribe?token=").unwrap();
    let nobody = anonymous_ctx("192.0.2.1");
    let other = token.replace("news", "orders");
    for wrong in ["", "a.b.c", &token[..token.len() - 1], &other, &format!("{token}0")] {
        let error = service.unsubscribe(&nobody, wrong).await.unwrap_err();
        assert_eq!(error.code(), "link_invalid", "{wrong}");
    }
    for _ in 0..2 {
        service.unsubscribe(&nobody, token).await.unwrap();
        assert_eq!(tell(&service, news("no mail")).await, [Channel::Inbox]);
    }
    let orders = NewNotification { category: "orders".to_owned(), ..news("mail") };
    assert!(tell(&service, orders).await.contains(&Channel::Email));
    assert_eq!(actions(&world).await, ["notifications.unsubscribed"; 2]);
}

#[tokio::test]
async fn what_cannot_be_said_is_refused_with_its_place_and_nothing_is_kept() {
    let world = World::new();
    let service = service(&world);
    for (new, place) in [
        (NewNotification { message: "no-such".to_owned(), ..news("x") }, "message"),
        (NewNotification { category: "No".to_owned(), ..news("x") }, "category"),
        (NewNotification { variables: [].into(), ..news("x") }, "variables"),
    ] {
        let error = service.notify(&Ctx::system("r"), new, None).await.unwrap_err();
        assert_eq!(error.fields()[0].loc, ["body", place]);
    }
    let error = service.notify(&ann(), news("x"), None).await.unwrap_err();
    assert_eq!(error.code(), "forbidden");
    assert!(tasks(&world).await.is_empty());
}

#[tokio::test]
async fn with_a_key_a_user_is_told_once() {
    let world = World::new();
    let service = service(&world);
    let tell = |text: &str| {
        let (service, new) = (service.clone(), news(text));
        async move { service.notify(&Ctx::system("r"), new, Some("k")).await }
    };
    let first = tell("one").await.unwrap();
    assert_eq!(tell("one").await.unwrap(), first);
    assert_eq!(tell("two").await.unwrap_err().fields()[0].code, "key_reused");
    assert_eq!(tasks(&world).await.len(), 1);
}
