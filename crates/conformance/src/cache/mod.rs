//! The suite of the cache port, and of cache-aside on top of it.

pub mod aside;
pub mod faults;
pub mod holds;
pub mod leases;
mod support;
pub mod values;

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use outrigger_ports::cache::Cache;

/// A cache, as several processes see it.
pub struct Opened {
    /// Two or more instances of one cache, such as one per connection; the tests spread their
    /// work over them.
    pub instances: Vec<Arc<dyn Cache>>,
    /// What must live as long as the cache.
    pub keep: Box<dyn Any + Send + Sync>,
}

impl Opened {
    /// Several instances of one cache, and what must live as long.
    pub fn many(instances: Vec<Arc<dyn Cache>>, keep: impl Any + Send + Sync) -> Self {
        Self { instances, keep: Box::new(keep) }
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("instances", &self.instances).finish_non_exhaustive()
    }
}

/// Opens a cache that is empty, or at least not used by others. Its clock is the real one. Any
/// `async fn() -> Opened` is one.
#[async_trait]
pub trait CacheFactory: Send + Sync {
    /// A fresh cache.
    async fn open(&self) -> Opened;
}

#[async_trait]
impl<F, Fut> CacheFactory for F
where
    F: Fn() -> Fut + Send + Sync,
    Fut: Future<Output = Opened> + Send,
{
    async fn open(&self) -> Opened {
        self().await
    }
}

/// Makes a `#[test]` of each guarantee of the cache port.
///
/// The argument is a [`CacheFactory`](crate::cache::CacheFactory), best an `async fn`.
#[macro_export]
macro_rules! cache_suite {
    ($factory:expr $(,)?) => {
        $crate::tests_of! { cache, $factory;
            values {
                a_filled_value_is_seen_by_all,
                values_are_kept_byte_for_byte,
                keys_are_any_text,
                a_value_lives_for_its_time,
                the_cache_probe_answers,
            }
            leases {
                a_miss_gives_one_lease_at_a_time,
                one_of_concurrent_misses_gets_the_lease,
                peeking_gives_no_lease,
                a_lease_is_for_one_fill_of_one_key,
                a_lease_ends_by_itself,
                an_abandoned_lease_goes_to_the_next,
            }
            holds {
                a_hold_removes_values_and_ends_leases,
                no_fill_during_or_from_before_a_hold,
                overlapping_holds_end_with_the_last,
                a_hold_ends_by_itself,
                of_overlapping_holds_each_has_its_own_time,
                only_the_own_hold_is_released,
                some_of_the_keys_are_released,
                a_late_release_removes_what_came_after_the_hold,
            }
            aside {
                concurrent_misses_load_once_across_instances,
                a_slow_reader_cannot_put_back_an_old_value,
                a_reader_after_a_write_does_not_share_a_load_from_before,
                a_reader_after_a_write_elsewhere_does_not_share_a_load_from_before,
                nothing_is_shared_but_loaded_once_more_for_all,
                what_is_not_there_is_not_cached,
                readers_never_see_what_is_older_than_the_last_acknowledged_write,
            }
            faults {
                a_failed_load_is_handed_to_the_next_reader,
                after_two_failed_loads_all_load_at_once,
                a_dropped_load_is_handed_to_the_next_reader,
                the_lease_of_a_dropped_lonely_reader_is_given_back,
                a_long_load_elsewhere_is_not_waited_for,
                a_dead_writer_leaves_no_old_value,
                an_unknown_outcome_leaves_the_key_held,
                a_failed_commit_releases_the_key,
                without_the_cache_everything_goes_on,
                writes_that_the_cache_missed_are_made_good,
                a_release_that_the_cache_missed_is_made_good,
            }
        }
    };
}
