//! What everybody stores: records of some 300 bytes, and users.

/// Records in each collection.
pub(crate) const RECORDS: u32 = 10_000;
/// Users who log in, in turn.
pub(crate) const USERS: u32 = 64;
/// The password of all of them.
pub(crate) const PASSWORD: &str = "plum-gravel-77-otter";
/// Argon2id of the password: 19 MiB, two iterations, one lane, as everywhere in this benchmark.
const PASSWORD_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$loNl0mzRd8C0yWuDFJS4BA$oX87tum8CDfhOptRNMQUQ1ECJprAviPQhpg/XsW6fMQ";
/// The tables of the peers.
const SCHEMA: &str = include_str!("../../schema.sql");

/// The data of a record; `#` stands for its number.
pub(crate) const DATA: &str = r#"{"status":"open","title":"Replace the rudder bearings before the season","n":#,"priority":3,"tags":["boat","yard","spring"],"assignee":"maria.jones@example.com","estimate_h":6.5,"notes":"Order the bearings early: last year they took five weeks. The old ones are kept in box 14 under the bench."}"#;

/// What is expected of a body that holds one record.
pub(crate) fn record_bytes() -> std::ops::RangeInclusive<usize> {
    DATA.len()..=DATA.len() + 400
}

/// The address of a user; `#` stands for its number.
pub(crate) fn login_body() -> String {
    format!(r#"{{"email":"user#@example.com","password":"{PASSWORD}"}}"#)
}

/// Tables and data of a peer, as SQL.
pub(crate) fn sql() -> String {
    let data = DATA.replace('\'', "''");
    let (data_before, data_after) = data.split_once('#').unwrap_or((&data, ""));
    let first = crate::requests::FIRST;
    let (last_record, last_user) = (first + RECORDS - 1, first + USERS - 1);
    format!(
        "BEGIN;\n{SCHEMA}\n\
         INSERT INTO items SELECT 'r' || i, 1, 1760000000000000 + i, 1760000000000000 + i, NULL, \
         'open', '{data_before}' || i || '{data_after}' FROM generate_series({first}, {last_record}) i;\n\
         INSERT INTO users SELECT 'usr_' || i, 'user' || i || '@example.com', 'user', \
         '{PASSWORD_HASH}' FROM generate_series({first}, {last_user}) i;\n\
         COMMIT;"
    )
}
