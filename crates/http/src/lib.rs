//! The HTTP API: routes, layers, access rules, one file per operation.
