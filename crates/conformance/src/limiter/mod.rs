//! The suite of the limiter port.

pub mod agreement;
pub mod escalation;
pub mod quotas;

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use outrigger_ports::limiter::Limiter;

/// A limiter, as several processes see it.
pub struct Opened {
    /// Two or more instances of one limiter, such as one per connection.
    pub instances: Vec<Arc<dyn Limiter>>,
    /// What must live as long as the limiter.
    pub keep: Box<dyn Any + Send + Sync>,
}

impl Opened {
    /// Several instances of one limiter, and what must live as long.
    pub fn many(instances: Vec<Arc<dyn Limiter>>, keep: impl Any + Send + Sync) -> Self {
        Self { instances, keep: Box::new(keep) }
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("instances", &self.instances).finish_non_exhaustive()
    }
}

/// Opens a limiter that knows no key yet. Its clock is the real one. Any `async fn() -> Opened` is
/// one.
#[async_trait]
pub trait LimiterFactory: Send + Sync {
    /// A fresh limiter.
    async fn open(&self) -> Opened;
}

#[async_trait]
impl<F, Fut> LimiterFactory for F
where
    F: Fn() -> Fut + Send + Sync,
    Fut: Future<Output = Opened> + Send,
{
    async fn open(&self) -> Opened {
        self().await
    }
}

/// Makes a `#[test]` of each guarantee of the limiter port.
///
/// The argument is a [`LimiterFactory`](crate::limiter::LimiterFactory), best an `async fn`. An
/// adapter that can be told the time also calls
/// [`agrees_exactly`](crate::limiter::agreement::agrees_exactly).
#[macro_export]
macro_rules! limiter_suite {
    ($factory:expr $(,)?) => {
        $crate::tests_of! { limiter, $factory;
            quotas {
                remaining_counts_down_to_a_refusal,
                a_cost_is_taken_all_or_not_at_all,
                keys_are_separate_and_any_text,
                exactly_the_limit_is_allowed_under_concurrency,
                retry_after_is_honest,
                what_was_taken_comes_back_bit_by_bit,
                forgiving_makes_a_key_as_new,
                what_is_given_back_can_be_taken_again,
                what_is_given_back_leaves_the_rest_taken,
                extreme_quotas_are_taken,
                the_limiter_probe_answers,
            }
            escalation {
                delays_double_up_to_the_cap,
                what_comes_while_closed_makes_it_no_longer,
                a_closed_key_is_closed_on_every_instance,
                refusals_are_forgotten_after_a_while,
                forgiving_forgets_refusals,
            }
            agreement {
                random_sequences_agree_with_the_specification,
            }
        }
    };
}
