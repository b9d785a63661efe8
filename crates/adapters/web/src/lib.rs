//! Requests to web servers of others: one connection each, no redirects, no proxies, and never to
//! an address that is not on the public internet unless it is allowed.

mod client;
mod connect;
mod guard;
mod resolve;

pub use client::{WebClient, WebOptions};
pub use guard::refusal;
pub use resolve::{Resolve, SystemResolver};
