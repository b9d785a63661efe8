//! Tests of records on embedded adapters.
