//! A store that measures itself.

use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use metrics::{Counter, Histogram};
use outrigger_kernel::span;

use crate::probe::Probed;
use crate::store::{
    Batch, Document, Found, Key, MigrateMode, Migration, Query, Scanned, Store, StoreError,
};

/// The same store, with spans `store.get`, `store.commit` and so on, a histogram `outrigger_store_operation_seconds{operation}` and a counter
/// `outrigger_store_errors_total{kind}`. Its handles are those of the recorder that is installed
/// when it is made.
#[derive(Debug)]
pub struct MeteredStore {
    inner: Arc<dyn Store>,
    get: Histogram,
    get_many: Histogram,
    query: Histogram,
    commit: Histogram,
    scan: Histogram,
    purge_expired: Histogram,
    errors: [Counter; KINDS.len()],
}

/// The kinds of errors, in the order of [`place`].
const KINDS: [&str; 9] = [
    "precondition",
    "unique",
    "bound",
    "unavailable",
    "timeout",
    "full",
    "outcome_unknown",
    "schema",
    "internal",
];

fn place(error: &StoreError) -> usize {
    match error {
        StoreError::Precondition { .. } => 0,
        StoreError::Unique { .. } => 1,
        StoreError::Bound { .. } => 2,
        StoreError::Unavailable(_) => 3,
        StoreError::Timeout => 4,
        StoreError::Full(_) => 5,
        StoreError::OutcomeUnknown(_) => 6,
        StoreError::Schema(_) => 7,
        StoreError::Internal(_) => 8,
    }
}

impl MeteredStore {
    /// Measures `inner`.
    pub fn new(inner: Arc<dyn Store>) -> Self {
        let operation = |name: &'static str| metrics::histogram!("outrigger_store_operation_seconds", "operation" => name);
        Self {
            inner,
            get: operation("get"),
            get_many: operation("get_many"),
            query: operation("query"),
            commit: operation("commit"),
            scan: operation("scan"),
            purge_expired: operation("purge_expired"),
            errors: KINDS
                .map(|kind| metrics::counter!("outrigger_store_errors_total", "kind" => kind)),
        }
    }

    async fn measure<T>(
        &self,
        (name, histogram): (&'static str, &Histogram),
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let started = Instant::now();
        let code = |error: &StoreError| KINDS[place(error)];
        let result = span::within(name, code, call).await;
        histogram.record(started.elapsed().as_secs_f64());
        self.count(result)
    }

    fn count<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &result {
            self.errors[place(error)].increment(1);
        }
        result
    }
}

#[async_trait]
impl Store for MeteredStore {
    async fn get(&self, key: &Key) -> Result<Option<Document>, StoreError> {
        self.measure(("store.get", &self.get), self.inner.get(key)).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Document>>, StoreError> {
        self.measure(("store.get_many", &self.get_many), self.inner.get_many(keys)).await
    }

    async fn query(&self, query: &Query<'_>) -> Result<Vec<Found>, StoreError> {
        self.measure(("store.query", &self.query), self.inner.query(query)).await
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<u64>, StoreError> {
        self.measure(("store.commit", &self.commit), self.inner.commit(batch)).await
    }

    async fn scan(&self, after: Option<&Key>, limit: usize) -> Result<Vec<Scanned>, StoreError> {
        self.measure(("store.scan", &self.scan), self.inner.scan(after, limit)).await
    }

    async fn migrate(&self, mode: MigrateMode) -> Result<Vec<Migration>, StoreError> {
        self.count(self.inner.migrate(mode).await)
    }

    async fn purge_expired(&self, limit: usize) -> Result<usize, StoreError> {
        let call = self.inner.purge_expired(limit);
        self.measure(("store.purge_expired", &self.purge_expired), call).await
    }

    async fn probe(&self) -> Result<Probed, StoreError> {
        self.count(self.inner.probe().await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use metrics_exporter_prometheus::PrometheusBuilder;

    /// A store that is away.
    #[derive(Debug)]
    struct Away;

    #[async_trait]
    impl Store for Away {
        async fn get(&self, _: &Key) -> Result<Option<Document>, StoreError> {
            Ok(None)
        }

        async fn get_many(&self, _: &[Key]) -> Result<Vec<Option<Document>>, StoreError> {
            Err(StoreError::Timeout)
        }

        async fn query(&self, _: &Query<'_>) -> Result<Vec<Found>, StoreError> {
            Err(StoreError::Timeout)
        }

        async fn commit(&self, _: Batch) -> Result<Vec<u64>, StoreError> {
            Err(StoreError::OutcomeUnknown("cut".into()))
        }

        async fn scan(&self, _: Option<&Key>, _: usize) -> Result<Vec<Scanned>, StoreError> {
            Ok(Vec::new())
        }

        async fn migrate(&self, _: MigrateMode) -> Result<Vec<Migration>, StoreError> {
            Err(StoreError::Schema("old".into()))
        }

        async fn purge_expired(&self, _: usize) -> Result<usize, StoreError> {
            Ok(0)
        }

        async fn probe(&self) -> Result<Probed, StoreError> {
            Err(StoreError::Unavailable("away".into()))
        }
    }

    #[tokio::test]
    async fn operations_and_errors_are_counted_by_name() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        let store = metrics::with_local_recorder(&recorder, || MeteredStore::new(Arc::new(Away)));
        let key = Key::new("c", "i");
        for _ in 0..3 {
            assert!(store.get(&key).await.is_ok());
        }
        assert!(store.get_many(&[]).await.is_err());
        assert!(store.commit(Batch::default()).await.is_err());
        assert!(store.migrate(MigrateMode::Plan).await.is_err());
        assert!(store.probe().await.is_err());
        let text = handle.render();
        for line in [
            "outrigger_store_operation_seconds_count{operation=\"get\"} 3",
            "outrigger_store_operation_seconds_count{operation=\"commit\"} 1",
            "outrigger_store_errors_total{kind=\"timeout\"} 1",
            "outrigger_store_errors_total{kind=\"outcome_unknown\"} 1",
            "outrigger_store_errors_total{kind=\"schema\"} 1",
            "outrigger_store_errors_total{kind=\"unavailable\"} 1",
            "outrigger_store_errors_total{kind=\"unique\"} 0",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
