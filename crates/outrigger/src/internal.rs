//! The internal port: metrics and health, never to be made public.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use outrigger_http::health::Health;
use tokio::net::TcpListener;

use crate::readings::Readings;

/// How often samples are folded into histograms.
const FOLD_EVERY: Duration = Duration::from_secs(5);

/// Serves until the process ends.
pub(crate) async fn serve(listener: TcpListener, readings: Readings, health: Arc<Health>) {
    tokio::spawn(fold(readings.clone()));
    let render = move || {
        let text = readings.text();
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

async fn fold(readings: Readings) {
    loop {
        tokio::time::sleep(FOLD_EVERY).await;
        readings.fold();
    }
}
