//! Answers that are none: errors of the service, parts that are left out, and what is not allowed.

use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusBuilder;
use outrigger_dynamodb::{DynamoOptions, DynamoStore};
use outrigger_kernel::SystemRandom;
use outrigger_ports::probe::Severity;
use outrigger_ports::store::{Store, StoreError};

use crate::emulator::Emulator;
use crate::interposer::{Fault, TRANSACT};
use crate::support::{PATIENT, by_status, clock, connect, create, impatient, interposed, key};

/// It may have been done, whatever the error is called.
#[tokio::test]
async fn an_error_of_the_service_leaves_the_outcome_open() {
    let (direct, interposer, through) = interposed(Emulator::Dynoxide).await;
    let patient = connect(&through, clock()).await;
    interposer.next(2, TRANSACT, Fault::Break);
    assert_eq!(create(&patient, "asked-again").await.unwrap(), [1]);
    let store = impatient(&through).await;
    interposer.next(usize::MAX, TRANSACT, Fault::Break);
    let outcome = create(&store, "never-answered").await;
    assert!(matches!(outcome, Err(StoreError::OutcomeUnknown(_))), "{outcome:?}");
    interposer.relent();
    assert_eq!(by_status(&direct).await, ["asked-again", "never-answered"]);
    interposer.next(usize::MAX, "GetItem", Fault::Break);
    let read = store.get(&key("asked-again")).await;
    assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
}

#[tokio::test]
async fn what_a_read_leaves_out_is_asked_for_again_and_counted_as_throttled() {
    let (_direct, interposer, through) = interposed(Emulator::Dynoxide).await;
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let guard = metrics::set_default_local_recorder(&recorder);
    let options = DynamoOptions { patience: PATIENT, ..DynamoOptions::at(through) };
    let store = DynamoStore::connect(&options, clock(), Arc::new(SystemRandom)).await.unwrap();
    drop(guard);
    create(&store, "a").await.unwrap();
    interposer.next(3, "BatchGetItem", Fault::LeaveOut);
    let found = store.get_many(&[key("a"), key("b")]).await.unwrap();
    assert!(found[0].is_some() && found[1].is_none());
    assert_eq!(interposer.relent(), 0, "every fault was met");
    let counted = "outrigger_dynamodb_retries_total{reason=\"throttled\"} 3";
    assert!(metrics.render().contains(counted), "{}", metrics.render());
}

#[tokio::test]
async fn a_right_that_lacks_is_named() {
    let (_direct, interposer, through) = interposed(Emulator::Dynoxide).await;
    for (operation, words) in [
        ("Query", "Query on the index `expiring`"),
        ("BatchGetItem", "BatchGetItem"),
        (TRANSACT, "it cannot write"),
    ] {
        interposer.next(usize::MAX, operation, Fault::Deny);
        // What was found is believed for a while, by each handle.
        let probed = connect(&through, clock()).await.probe().await.unwrap();
        interposer.relent();
        let errors = probed.findings.iter().filter(|it| it.severity == Severity::Error);
        let errors: Vec<_> = errors.map(|it| it.message.as_str()).collect();
        assert!(errors.iter().any(|it| it.contains(words)), "{operation}: {errors:?}");
        assert!(errors.iter().all(|it| it.contains("AccessDenied")), "{operation}: {errors:?}");
    }
}

/// Many processes look at once, and DynamoDB cancels transactions that meet.
#[tokio::test]
async fn a_probe_that_meets_others_tries_again() {
    let (_direct, interposer, through) = interposed(Emulator::Dynoxide).await;
    interposer.next(2, TRANSACT, Fault::Conflict);
    let probed = connect(&through, clock()).await.probe().await.unwrap();
    assert_eq!(interposer.relent(), 0, "every fault was met");
    assert!(probed.findings.iter().all(|it| it.severity != Severity::Error), "{probed:?}");
}
