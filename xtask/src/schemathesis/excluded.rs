//! The operations that the passes of somebody signed in leave out. Reviewed: an entry needs a reason.

/// An operation that would end the run.
pub(super) struct Excluded {
    /// Its id in the API document.
    pub(super) id: &'static str,
    /// Why it is left out, for the reader of this list.
    #[expect(dead_code, reason = "read by people")]
    reason: &'static str,
}

/// All of them are called in the anonymous pass, and for real in the black-box suite.
pub(super) const EXCLUDED: &[Excluded] = &[
    Excluded {
        id: "auth.logout",
        reason: "ends the session of the pass: every later answer would be 401",
    },
    Excluded {
        id: "auth.revoke_sessions",
        reason: "ends the session of the pass: every later answer would be 401",
    },
    Excluded {
        id: "users.revoke_sessions",
        reason: "ends the session of the pass when it meets the administrator's own id",
    },
    Excluded {
        id: "users.revoke_session",
        reason: "ends the session of the pass when it meets the administrator's own ids",
    },
    Excluded {
        id: "users.delete_me",
        reason: "deletes the account of the pass: every later answer would be 401",
    },
];
