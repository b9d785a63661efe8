//! One handle per module, built from ports in one function.

/// All that the outer layers may call.
#[derive(Clone, Debug)]
pub struct Services {}
