//! What all metrics of this process say at this moment.

use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusHandle;
use outrigger_http::layers::InFlight;
use outrigger_http::transfers::Transfers;

use crate::process_metrics;

/// Reads them, with those that nobody counts as they change.
#[derive(Clone)]
pub(crate) struct Readings {
    metrics: PrometheusHandle,
    in_flight: Arc<InFlight>,
    transfers: Arc<Transfers>,
}

impl Readings {
    /// Of the process whose requests and files under way these are.
    pub(crate) fn new(
        metrics: PrometheusHandle,
        in_flight: Arc<InFlight>,
        transfers: Arc<Transfers>,
    ) -> Self {
        Self { metrics, in_flight, transfers }
    }

    /// In the text format of Prometheus.
    pub(crate) fn text(&self) -> String {
        process_metrics::update();
        self.count();
        self.metrics.render()
    }

    #[expect(clippy::cast_precision_loss, reason = "there are not 2^52 requests in flight")]
    fn count(&self) {
        metrics::gauge!("outrigger_http_requests_in_flight").set(self.in_flight.count() as f64);
        let (uploads, downloads) = self.transfers.counts();
        for (direction, files) in [("up", uploads), ("down", downloads)] {
            metrics::gauge!("outrigger_file_transfers", "direction" => direction).set(files as f64);
        }
    }

    /// Folds samples into histograms, which otherwise takes as long as nobody reads them.
    pub(crate) fn fold(&self) {
        self.metrics.run_upkeep();
    }
}
