//! Analytics, on embedded adapters and a clock that is moved.

mod asking;
mod counting;
mod faulty;
mod taking;

use std::collections::BTreeMap;
use std::time::Duration;

use outrigger_kernel::{Clock, Ctx, Result, Role, Timestamp};

use super::{
    Analytics, Answer, Interval, NewEvent, NewEvents, PropertyValue, Question, Settings, Taken,
};
use crate::audit::testing::{World, user_ctx};

const HOUR: Duration = Duration::from_secs(3_600);

struct Bench {
    world: World,
    analytics: Analytics,
    ann: Ctx,
    admin: Ctx,
}

fn bench(settings: Settings) -> Bench {
    let world = World::new();
    Bench {
        analytics: Analytics::new(&world.ports, settings),
        ann: user_ctx("usr_ann", "ses_1", &Role::user()),
        admin: user_ctx("usr_admin", "ses_2", &Role::admin()),
        world,
    }
}

/// An event that happens when it is sent.
fn event(id: impl Into<String>, name: &str, properties: &[(&str, &str)]) -> NewEvent {
    let text = |value: &&str| PropertyValue::Text((*value).to_owned());
    let properties = properties.iter().map(|(name, value)| ((*name).to_owned(), text(value)));
    NewEvent { id: id.into(), name: name.to_owned(), time: None, properties: properties.collect() }
}

fn question(event: &str) -> Question {
    Question {
        event: event.to_owned(),
        interval: Interval::Hour,
        group_by: None,
        time_zone: None,
        from: None,
        to: None,
    }
}

impl Bench {
    fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    async fn send(&self, events: Vec<NewEvent>) -> Result<Taken> {
        self.analytics.ingest(&self.ann, NewEvents { events }, None).await
    }

    /// Counts all that was taken.
    async fn count(&self) {
        let mut counter = self.analytics.counter("one");
        while counter.round().await.unwrap() {}
    }

    async fn ask(&self, question: Question) -> Answer {
        self.analytics.query(&self.admin, question).await.unwrap()
    }

    async fn total(&self, event: &str) -> u64 {
        self.ask(question(event)).await.total
    }

    /// The groups by their value, or `(other)` and `(none)`.
    async fn groups(&self, event: &str, property: &str) -> BTreeMap<String, u64> {
        let asked = Question { group_by: Some(property.to_owned()), ..question(event) };
        let answer = self.ask(asked).await;
        let groups = answer.groups.unwrap().into_iter().map(|group| {
            assert_eq!(group.counts.iter().sum::<u64>(), group.total);
            let without = if group.other { "(other)" } else { "(none)" };
            (group.value.unwrap_or_else(|| without.to_owned()), group.total)
        });
        groups.collect()
    }
}
