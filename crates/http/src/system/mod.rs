//! The process itself: its settings, and what a doctor says of it.

pub(crate) mod doctor;
pub(crate) mod settings;
