//! Example: an own route beside the built-in API.
fn main() {}
