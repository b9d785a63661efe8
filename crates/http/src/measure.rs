//! Metrics of requests.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use http::{Method, StatusCode};
use metrics::Histogram;

use crate::request_info::RequestInfo;

/// Where requests that match no route are counted.
const NO_ROUTE: &str = "none";

/// The histograms of one route, by method and status.
type Handles = HashMap<(Method, StatusCode), Histogram>;

/// Keeps the handles of the histograms by route, so that counting a request looks up no labels.
#[derive(Default)]
pub(crate) struct Meter(Mutex<HashMap<Box<str>, Handles>>);

impl std::fmt::Debug for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Meter")
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
        let method = known(method);
        let mut routes = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !routes.contains_key(route) {
            routes.insert(route.into(), Handles::new());
        }
        if let Some(handles) = routes.get_mut(route) {
            let handle = handles
                .entry((method.clone(), status))
                .or_insert_with(|| histogram(method, route, status));
            handle.record(took.as_secs_f64());
        }
    }
}

fn histogram(method: &Method, route: &str, status: StatusCode) -> Histogram {
    metrics::histogram!(
        "outrigger_http_request_duration_seconds",
        "method" => method.as_str().to_owned(),
        "route" => route.to_owned(),
        "status" => status.as_str().to_owned(),
    )
}

/// The method, or one that stands for all that nobody uses.
pub(crate) fn known(method: &Method) -> &Method {
    let standard = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::HEAD,
        Method::OPTIONS,
    ];
    if standard.contains(method) { method } else { &Method::TRACE }
}
