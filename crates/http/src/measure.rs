//! Metrics of requests.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use http::{Method, StatusCode};
use metrics::Histogram;

use crate::request_info::RequestInfo;

/// Where requests that match no route are counted.
const NO_ROUTE: &str = "none";

/// Keeps the handles of the histograms, so that counting a request looks up no labels.
#[derive(Debug, Default)]
pub(crate) struct Meter(Mutex<HashMap<(Method, Box<str>, StatusCode), HandleDebug>>);

struct HandleDebug(Histogram);

impl std::fmt::Debug for HandleDebug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Histogram")
    }
}

impl Meter {
    /// Counts one request. The labels are bounded: methods and routes are ours, statuses few.
    pub(crate) fn record(
        &self,
        method: &Method,
        info: &RequestInfo,
        status: StatusCode,
        took: Duration,
    ) {
        let route = info.route.get().map_or(NO_ROUTE, |route| route.as_str());
        let method = if is_standard(method) { method } else { &Method::TRACE };
        let mut handles = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let key = (method.clone(), route.into(), status);
        let handle = handles.entry(key).or_insert_with(|| {
            HandleDebug(metrics::histogram!(
                "outrigger_http_request_duration_seconds",
                "method" => method.as_str().to_owned(),
                "route" => route.to_owned(),
                "status" => status.as_str().to_owned(),
            ))
        });
        handle.0.record(took.as_secs_f64());
    }
}

fn is_standard(method: &Method) -> bool {
    [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::HEAD,
        Method::OPTIONS,
    ]
    .contains(method)
}
