//! The suite of the store port.

pub mod batches;
mod bed;
pub mod contention;
pub mod documents;
pub mod expiry;
pub mod history;
pub mod pages;
pub mod preconditions;
pub mod queries;
pub mod restoring;
pub mod scans;
pub mod things;
pub mod uniques;

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use outrigger_kernel::{Clock, Timestamp};
use outrigger_ports::store::Store;

/// What the clocks of the tests say first, in the year 2096: servers that delete by their own clocks
/// what has expired find nothing.
const START: Timestamp = Timestamp::from_secs(4_000_000_000);

/// A fresh, empty, migrated store.
pub struct Opened {
    /// One or more handles to the same data, such as one per process or thread; contention tests
    /// spread their work over all of them.
    pub handles: Vec<Arc<dyn Store>>,
    /// What must live as long as the store, such as its folder.
    pub keep: Box<dyn Any + Send + Sync>,
}

impl Opened {
    /// A store with one handle that needs nothing else.
    pub fn one(store: impl Store + 'static) -> Self {
        Self { handles: vec![Arc::new(store)], keep: Box::new(()) }
    }

    /// Several handles to one store, and what must live as long.
    pub fn many(handles: Vec<Arc<dyn Store>>, keep: impl Any + Send + Sync) -> Self {
        Self { handles, keep: Box::new(keep) }
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("handles", &self.handles).finish_non_exhaustive()
    }
}

/// Opens stores. Each must be empty and independent of all others, also of those of tests that run
/// at the same time. Any `async fn(Arc<dyn Clock>) -> Opened` is one.
#[async_trait]
pub trait StoreFactory: Send + Sync {
    /// A fresh store that takes its time from `clock`.
    async fn open(&self, clock: Arc<dyn Clock>) -> Opened;
}

#[async_trait]
impl<F, Fut> StoreFactory for F
where
    F: Fn(Arc<dyn Clock>) -> Fut + Send + Sync,
    Fut: Future<Output = Opened> + Send,
{
    async fn open(&self, clock: Arc<dyn Clock>) -> Opened {
        self(clock).await
    }
}

/// Makes a `#[test]` of each guarantee of the store port.
///
/// The first argument is a [`StoreFactory`](crate::store::StoreFactory), best an `async fn`. With
/// `model = …`, a function from a clock to the model (`Arc<dyn Store>`), random histories are
/// compared with it: 96, or as many as `histories = …` says, for a store that answers slowly. With
/// `without = the_heaviest_batch_is_taken` that is left out, for an emulator that refuses it where what
/// it stands for does not.
#[macro_export]
macro_rules! store_suite {
    ($factory:expr, model = $model:expr $(,)?) => {
        $crate::store_suite!($factory, model = $model, histories = 96);
    };
    ($factory:expr, model = $model:expr, histories = $histories:expr $(,)?) => {
        $crate::tests_of! { store, $factory; batches { the_heaviest_batch_is_taken } }
        $crate::store_suite!(
            $factory,
            model = $model,
            histories = $histories,
            without = the_heaviest_batch_is_taken
        );
    };
    (
        $factory:expr, model = $model:expr, histories = $histories:expr,
        without = the_heaviest_batch_is_taken $(,)?
    ) => {
        #[test]
        fn random_histories_agree_with_the_model() {
            $crate::store::history::random_histories_agree_with_the_model(
                &$factory, $model, $histories,
            );
        }
        $crate::tests_of! { store, $factory;
            documents {
                what_is_not_there_is_none,
                get_many_keeps_order_and_absence,
                bodies_are_kept_byte_for_byte,
                the_largest_body_is_kept,
                versions_start_at_one_and_count_puts,
                commit_returns_the_version_of_each_write,
                every_handle_sees_a_commit,
                collections_are_separate,
                migrating_twice_is_as_once,
                the_probe_answers,
            }
            preconditions {
                put_obeys_each_precondition,
                delete_obeys_each_precondition,
                check_obeys_each_precondition,
                reindex_obeys_each_precondition,
                deleting_what_is_not_there_is_no_error,
            }
            batches {
                a_failing_write_undoes_the_batch_at_every_position,
                a_failing_unique_entry_undoes_the_batch_at_every_position,
                the_first_fault_is_named,
                preconditions_are_looked_at_before_unique_entries,
                the_largest_batch_is_taken,
                an_empty_batch_changes_nothing,
                what_is_over_a_bound_is_refused,
                reads_over_a_bound_are_refused,
            }
            uniques {
                a_taken_value_is_refused_and_named,
                a_value_is_unique_within_its_collection_and_index,
                deleting_or_changing_the_holder_frees_the_value,
                a_document_keeps_its_own_value,
                values_are_swapped_within_one_batch,
                a_value_moves_to_another_document_within_one_batch,
                the_same_value_twice_in_a_batch_names_the_later_write,
                a_holder_that_is_rewritten_stands_in_line,
                an_expired_holder_does_not_block,
                reindexing_takes_and_frees_values,
            }
            queries {
                index_order_is_value_order_for_every_kind,
                ties_are_broken_by_id_in_both_directions,
                only_documents_with_an_entry_are_found,
                ranges_with_every_kind_of_bound,
                prefixes_are_ranges,
                ids_are_an_order,
                unique_indexes_are_an_order,
                entries_change_with_their_document,
                reindexing_leaves_version_body_and_expiry,
                a_put_replaces_all_entries,
            }
            pages {
                pages_cover_every_order_once,
                the_limit_is_exact,
                a_position_need_not_exist,
                nothing_that_stays_is_skipped_or_repeated_under_change,
            }
            scans {
                a_scan_sees_all_collections_in_key_order,
                a_scan_goes_on_after_any_key,
                nothing_that_stays_is_skipped_or_repeated_by_a_scan,
                a_scan_gives_the_entries_of_each_document,
            }
            restoring {
                a_restored_document_is_as_it_was_elsewhere,
                restoring_obeys_preconditions_and_unique_values,
                what_expired_on_the_way_is_absent,
                a_version_out_of_bounds_is_refused,
            }
            expiry {
                an_expired_document_is_absent_everywhere,
                expiry_is_exact_to_the_microsecond,
                an_expired_document_counts_as_absent_in_preconditions,
                a_put_over_an_expired_document_starts_at_version_one,
                reindexing_an_expired_document_does_nothing,
                a_put_changes_the_expiry,
                purging_deletes_expired_documents_only,
            }
            contention {
                concurrent_updates_lose_nothing,
                one_of_concurrent_creates_wins,
                one_of_concurrent_claims_of_a_unique_value_wins,
                write_skew_through_checks_is_impossible,
                batches_in_opposite_order_do_not_deadlock,
                a_query_never_shows_a_document_under_a_value_that_it_has_not,
                transfers_keep_the_total,
            }
        }
    };
}

/// Makes a `#[test]` of each named function of a suite.
#[doc(hidden)]
#[macro_export]
macro_rules! tests_of {
    ($port:ident, $factory:expr; $($module:ident { $($name:ident),* $(,)? })*) => {
        $($(
            #[test]
            fn $name() {
                $crate::run($crate::$port::$module::$name(&$factory));
            }
        )*)*
    };
}
