//! bench driver.
fn main() {}
