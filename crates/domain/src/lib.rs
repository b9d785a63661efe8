//! The rules: accounts, auth, records, audit.
