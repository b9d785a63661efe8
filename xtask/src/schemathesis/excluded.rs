//! The operations that the administrator's pass leaves out. Reviewed: an entry needs a reason.

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
        id: "auth.sessions.revoke_all",
        reason: "ends the session of the pass: every later answer would be 401",
    },
    Excluded {
        id: "users.me.delete",
        reason: "deletes the administrator of the pass: every later answer would be 401",
    },
];
