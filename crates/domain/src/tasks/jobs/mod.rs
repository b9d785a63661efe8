//! The jobs of this module.

mod noop;

pub use noop::Noop;
