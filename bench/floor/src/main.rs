//! bench floor.
fn main() {}
