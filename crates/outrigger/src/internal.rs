//! The internal port: metrics and health, never to be made public.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use outrigger_http::health::Health;
use outrigger_http::layers::InFlight;
use tokio::net::TcpListener;

use crate::process_metrics;

/// How often samples are folded into histograms.
const FOLD_EVERY: Duration = Duration::from_secs(5);

/// Serves until the process ends.
pub(crate) async fn serve(
    listener: TcpListener,
    metrics: PrometheusHandle,
    health: Arc<Health>,
    in_flight: Arc<InFlight>,
) {
    tokio::spawn(fold(metrics.clone()));
    let render = move || {
        process_metrics::update();
        #[expect(clippy::cast_precision_loss, reason = "there are not 2^52 requests in flight")]
        metrics::gauge!("outrigger_http_requests_in_flight").set(in_flight.count() as f64);
        let text = metrics.render();
        async move { ([("content-type", "text/plain; version=0.0.4")], text) }
    };
    let [traffic, live, ready] = [(); 3].map(|()| health.clone());
    let router = Router::new()
        .route("/metrics", get(render))
        .route("/health", get(move || async move { traffic.traffic() }))
        .route("/health/live", get(move || async move { live.live() }))
        .route("/health/ready", get(move || async move { ready.ready() }));
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!(source = %error, "the internal port has failed");
    }
}

async fn fold(metrics: PrometheusHandle) {
    loop {
        tokio::time::sleep(FOLD_EVERY).await;
        metrics.run_upkeep();
    }
}
