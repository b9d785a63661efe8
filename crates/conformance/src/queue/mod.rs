//! The suite of the queue port.
//!
//! Tests that wait for a time go through `bed::Bed::until`: with a clock that the test moves,
//! time passes at once; with the real one the test looks until it has passed.

pub mod attempts;
mod bed;
pub mod bounds;
pub mod calendar;
pub mod cancelling;
pub mod contention;
pub mod history;
pub mod leases;
pub mod limits;
pub mod lists;
pub mod load;
mod model;
pub mod once;
pub mod order;
pub mod pausing;
pub mod results;
pub mod staging;

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use outrigger_kernel::ManualClock;
use outrigger_ports::queue::{Queue, TaskBoard};
use outrigger_ports::store::Store;

/// One handle to a queue, such as that of one process.
#[derive(Clone, Debug)]
pub struct Instance {
    /// As workers see it.
    pub queue: Arc<dyn Queue>,
    /// As those see it who look after it.
    pub board: Arc<dyn TaskBoard>,
}

impl Instance {
    /// A handle that is both.
    pub fn of<Q: Queue + TaskBoard + 'static>(queue: Q) -> Self {
        let queue = Arc::new(queue);
        Self { queue: queue.clone(), board: queue }
    }
}

/// A fresh, empty queue.
pub struct Opened {
    /// Two or more handles to it, as of several processes.
    pub instances: Vec<Instance>,
    /// The store to which staged tasks go.
    pub store: Arc<dyn Store>,
    /// The clock of the queue and the store, when the test may move it; else it is the real one.
    pub clock: Option<Arc<ManualClock>>,
    /// What must live as long as the queue.
    pub keep: Box<dyn Any + Send + Sync>,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("instances", &self.instances).finish_non_exhaustive()
    }
}

/// Opens queues. Each must be empty and independent of all others, also of those of tests that run
/// at the same time. Any `async fn() -> Opened` is one.
#[async_trait]
pub trait QueueFactory: Send + Sync {
    /// A fresh queue.
    async fn open(&self) -> Opened;
}

#[async_trait]
impl<F, Fut> QueueFactory for F
where
    F: Fn() -> Fut + Send + Sync,
    Fut: Future<Output = Opened> + Send,
{
    async fn open(&self) -> Opened {
        self().await
    }
}

/// Makes a `#[test]` of each guarantee of the queue port.
///
/// The argument is a [`QueueFactory`](crate::queue::QueueFactory), best an `async fn`. With
/// `manual`, when it opens queues with a clock that the tests may move, what takes days is tested
/// too.
#[macro_export]
macro_rules! queue_suite {
    ($factory:expr, manual $(,)?) => {
        $crate::queue_suite!($factory);
        $crate::tests_of! { queue, $factory;
            calendar {
                a_dead_task_is_kept_for_its_retention,
                a_finished_task_is_kept_for_its_retention,
                a_task_far_ahead_waits,
            }
            history {
                random_queue_histories_agree_with_the_model,
            }
        }
    };
    ($factory:expr $(,)?) => {
        $crate::tests_of! { queue, $factory;
            order {
                greater_priorities_come_first,
                equals_come_in_the_order_of_enqueuing,
                a_delayed_task_waits_for_its_time,
                a_delayed_task_takes_its_place_by_priority,
                a_released_task_comes_before_others_of_its_priority,
                a_lost_task_comes_before_others_of_its_priority,
                kinds_are_served_in_turn,
                a_claim_is_of_its_queue_and_kinds,
                enqueuing_wakes_who_waits,
            }
            once {
                a_known_id_changes_nothing,
                the_same_id_twice_in_one_call_is_once,
                a_unique_key_is_held_until_the_task_is_finished,
                the_same_unique_key_twice_in_one_call_is_once,
                a_unique_key_is_of_its_kind,
                a_replay_does_not_take_a_unique_key_from_another,
            }
            attempts {
                a_claim_counts_and_a_release_takes_it_back,
                what_is_postponed_waits_and_has_not_been_tried,
                a_retry_waits_for_its_time,
                the_last_attempt_that_fails_is_the_end,
                a_failure_for_good_is_told,
                the_history_tells_of_the_last_attempts,
                a_task_that_loses_its_workers_is_quarantined,
                a_lost_last_attempt_is_the_end,
                a_dead_task_is_replayed_with_all_attempts,
                only_finished_tasks_that_failed_are_replayed,
            }
            leases {
                a_lease_proves_itself_once,
                a_foreign_or_unknown_lease_is_refused,
                a_heartbeat_extends_the_lease,
                an_ended_lease_is_refused_before_anybody_claims,
                a_lease_is_refused_once_another_has_the_task,
                a_released_lease_is_refused,
                a_lease_of_an_earlier_claim_by_the_same_worker_is_refused,
                the_same_lease_twice_in_one_call_is_once,
                many_leases_are_ended_in_one_call,
            }
            results {
                a_result_is_kept,
                progress_is_seen_while_the_task_runs,
                payloads_are_kept_byte_for_byte,
                times_are_told,
                a_finished_task_is_forgotten,
                without_retention_a_task_is_forgotten_at_once,
            }
            cancelling {
                a_waiting_task_is_cancelled_at_once,
                a_scheduled_task_is_cancelled_at_once,
                a_running_task_is_told,
                a_cancelled_task_does_not_come_back,
                a_lost_cancelled_task_does_not_come_back,
                a_task_may_succeed_although_it_was_cancelled,
                a_finished_task_stays_as_it_is,
            }
            pausing {
                nothing_is_claimed_from_a_paused_queue,
                a_queue_that_was_never_seen_is_paused,
                a_queue_that_was_only_asked_for_is_not_known,
                what_runs_goes_on_in_a_paused_queue,
                queues_tell_how_full_they_are,
                the_oldest_is_found_behind_others,
            }
            limits {
                so_many_of_a_kind_run_at_once_on_all_workers,
                a_lost_worker_frees_its_place,
                so_many_of_a_kind_start_in_a_time,
                a_limited_kind_does_not_hold_up_another,
            }
            bounds {
                tasks_over_a_bound_are_refused_by_name,
                claims_over_a_bound_are_refused_by_name,
                results_over_a_bound_are_refused_by_name,
                the_largest_task_goes_through,
                long_errors_are_cut_off,
            }
            staging {
                a_staged_task_is_there_with_its_batch,
                a_staged_task_whose_batch_failed_is_not_there,
                a_committed_task_is_found_though_nobody_was_told,
                a_staged_task_with_a_taken_unique_key_does_not_vanish,
            }
            lists {
                the_newest_come_first_in_pages,
                lists_are_of_a_status_kind_and_queue,
                one_call_looks_at_so_many_tasks,
                very_many_running_tasks_are_listed_in_pages,
                the_queue_probe_answers,
            }
            contention {
                each_task_is_claimed_once_among_many_claimers,
                tasks_survive_workers_that_vanish,
                one_of_two_settlements_holds,
            }
        }
    };
}
