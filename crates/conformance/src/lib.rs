//! One suite per port, which every adapter passes.
