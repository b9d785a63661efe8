//! What can be set about HTTP.

/// Settings of the HTTP side; see `config/default.toml` for what each means.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address under which clients reach this deployment, without a slash at the end.
    pub public_url: String,
    /// Requests in flight per process; one more is answered 503.
    pub concurrency_max: usize,
    /// Largest body of a request, in bytes.
    pub body_bytes_max: usize,
    /// Longest query string, in bytes.
    pub query_bytes_max: usize,
    /// Largest head of a request (its first line and its headers), in bytes.
    pub header_bytes_max: usize,
    /// Proxies in front whose `X-Forwarded-For` is believed.
    pub forwarded_hops: usize,
    /// Origins that a browser may call from; empty: CORS is off. `*` allows all.
    pub cors_origins: Vec<String>,
    /// Whether `/docs`, `/redoc` and `/openapi.json` are served.
    pub docs: bool,
    /// Whether the console is served, and its cookies are believed.
    pub console: bool,
    /// Whether `Strict-Transport-Security` is sent.
    pub hsts: bool,
    /// Which services' routes are exposed; empty: all.
    pub services: Vec<String>,
}

impl Settings {
    /// Whether what belongs to this service is exposed.
    pub(crate) fn exposes(&self, service: &str) -> bool {
        self.services.is_empty() || self.services.iter().any(|exposed| exposed == service)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:8000".to_owned(),
            concurrency_max: 1_024,
            body_bytes_max: 1024 * 1024,
            query_bytes_max: 8 * 1024,
            header_bytes_max: 16 * 1024,
            forwarded_hops: 0,
            cors_origins: Vec::new(),
            docs: true,
            console: true,
            hsts: false,
            services: Vec::new(),
        }
    }
}
