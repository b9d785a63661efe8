//! Passwords: what is good enough, and how it is kept.

use std::time::Instant;

use argon2::password_hash::phc::{Output, Salt};
use argon2::{Algorithm, Argon2, Params, ParamsBuilder, Version};
use outrigger_kernel::secret::ExposeSecret;
use outrigger_kernel::{Error, Random, Result, Secret, limits};
use zxcvbn::Score;

use super::hash_pool::Workspace;
use super::settings::HashSettings;
use crate::accounts::PasswordHash;

/// Judging a longer one costs much and changes nothing.
const JUDGED_CHARS_MAX: usize = 64;
/// RFC 9106 recommends 128 bits.
const SALT_BYTES: usize = 16;
const OUTPUT_BYTES: usize = 32;
/// A hash that asks for more is not one that we have made.
const MEMORY_KIB_MAX: u32 = 1 << 20;

/// Refuses a password that is too short, too long or easily guessed. `about` is what an attacker
/// knows of the user. `field` is its name in the body. Takes some milliseconds.
///
/// # Errors
/// `invalid` at `body.<field>`.
pub(super) fn check(password: &Secret, about: &[String], field: &str) -> Result<()> {
    let text = password.expose_secret();
    let fault =
        |code: &'static str, message: String| Err(Error::invalid(&["body", field], code, message));
    if text.chars().count() < limits::PASSWORD_CHARS_MIN {
        let min = limits::PASSWORD_CHARS_MIN;
        return fault("password_too_short", format!("a password has at least {min} characters"));
    }
    if text.len() > limits::PASSWORD_BYTES_MAX {
        let max = limits::PASSWORD_BYTES_MAX;
        return fault("password_too_long", format!("a password has at most {max} bytes"));
    }
    let judged: String = text.chars().take(JUDGED_CHARS_MAX).collect();
    let about: Vec<&str> = about.iter().map(String::as_str).collect();
    let entropy = zxcvbn::zxcvbn(&judged, &about);
    if entropy.score() >= Score::Two {
        return Ok(());
    }
    let why = entropy.feedback().and_then(zxcvbn::feedback::Feedback::warning);
    let why = why.map(|why| why.to_string().trim_end_matches('.').to_lowercase());
    let why = why.unwrap_or_else(|| "it follows a common pattern".to_owned());
    fault("password_too_weak", format!("this password is easily guessed: {why}"))
}

/// How new passwords are hashed.
#[derive(Clone, Debug)]
pub(super) struct Hasher {
    params: Params,
}

/// What came of comparing a password with its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is another password.
    Wrong,
    /// It is the password.
    Right,
    /// It is the password, and this is its hash with the parameters of today.
    RightRehashed(PasswordHash),
}

impl Hasher {
    /// A hasher with these parameters.
    ///
    /// # Errors
    /// When Argon2 does not allow them.
    pub(super) fn new(settings: &HashSettings) -> Result<Self> {
        let HashSettings { memory_kib, iterations, lanes, .. } = *settings;
        let params = Params::new(memory_kib, iterations, lanes, Some(OUTPUT_BYTES));
        Ok(Self { params: params.map_err(internal)? })
    }

    /// Hashes a new password.
    pub(super) fn hash(
        &self,
        password: &Secret,
        random: &dyn Random,
        workspace: &mut Workspace,
    ) -> Result<PasswordHash> {
        let mut salt = [0_u8; SALT_BYTES];
        random.fill(&mut salt);
        let output = compute(&self.params, password, &salt, OUTPUT_BYTES, workspace)?;
        self.phc(&salt, &output)
    }

    /// Compares a password with a hash, which may have been made with other parameters.
    pub(super) fn verify(
        &self,
        password: &Secret,
        hash: &PasswordHash,
        random: &dyn Random,
        workspace: &mut Workspace,
    ) -> Result<Verdict> {
        let phc = argon2::PasswordHash::new(hash.as_str()).map_err(internal)?;
        let (Some(salt), Some(expected)) = (phc.salt, phc.hash) else {
            return Err(Error::internal("a stored password hash has no salt or no output"));
        };
        let params = Params::try_from(&phc).map_err(internal)?;
        let is_ours = phc.algorithm == Algorithm::Argon2id.ident()
            && phc.version == Some(Version::V0x13.into())
            && params.m_cost() <= MEMORY_KIB_MAX;
        if !is_ours {
            return Err(Error::internal("a stored password hash is not of a known kind"));
        }
        let output = compute(&params, password, &salt, expected.len(), workspace)?;
        if Output::new(&output).map_err(internal)? != expected {
            return Ok(Verdict::Wrong);
        }
        let costs = |p: &Params| (p.m_cost(), p.t_cost(), p.p_cost());
        if costs(&params) == costs(&self.params) {
            return Ok(Verdict::Right);
        }
        self.hash(password, random, workspace).map(Verdict::RightRehashed)
    }

    /// A hash that no password has, and that costs as much to compare with as a real one.
    pub(super) fn decoy(&self, random: &dyn Random) -> Result<PasswordHash> {
        let mut bytes = [0_u8; SALT_BYTES + OUTPUT_BYTES];
        random.fill(&mut bytes);
        let (salt, output) = bytes.split_at(SALT_BYTES);
        self.phc(salt, output)
    }

    fn phc(&self, salt: &[u8], output: &[u8]) -> Result<PasswordHash> {
        let phc = argon2::PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: (&self.params).try_into().map_err(internal)?,
            salt: Some(Salt::new(salt).map_err(internal)?),
            hash: Some(Output::new(output).map_err(internal)?),
        };
        Ok(PasswordHash::new(phc.to_string()))
    }
}

fn compute(
    params: &Params,
    password: &Secret,
    salt: &[u8],
    output_bytes: usize,
    workspace: &mut Workspace,
) -> Result<Vec<u8>> {
    let mut builder = ParamsBuilder::new();
    builder.m_cost(params.m_cost()).t_cost(params.t_cost()).p_cost(params.p_cost());
    let params = builder.output_len(output_bytes).build().map_err(internal)?;
    let blocks = params.block_count();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut output = vec![0_u8; output_bytes];
    let password = password.expose_secret().as_bytes();
    let started = Instant::now();
    argon2
        .hash_password_into_with_memory(password, salt, &mut output, workspace.blocks(blocks))
        .map_err(internal)?;
    metrics::histogram!("outrigger_password_hash_seconds").record(started.elapsed());
    Ok(output)
}

fn internal(error: impl std::fmt::Display) -> Error {
    Error::internal(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use outrigger_kernel::SystemRandom;

    fn hasher(memory_kib: u32) -> Hasher {
        Hasher::new(&HashSettings { memory_kib, iterations: 1, ..HashSettings::default() }).unwrap()
    }

    fn secret(text: &str) -> Secret {
        Secret::from(text.to_owned())
    }

    #[test]
    fn a_hash_is_a_phc_string_that_knows_its_password() {
        let (hasher, mut memory) = (hasher(32), Workspace::default());
        let right = secret("correct horse");
        let hash = hasher.hash(&right, &SystemRandom, &mut memory).unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=32,t=1,p=1$"), "{}", hash.as_str());
        let verdict = |password: &Secret, memory: &mut Workspace| {
            hasher.verify(password, &hash, &SystemRandom, memory).unwrap()
        };
        assert_eq!(verdict(&right, &mut memory), Verdict::Right);
        assert_eq!(verdict(&secret("correct horsf"), &mut memory), Verdict::Wrong);
        let again = hasher.hash(&right, &SystemRandom, &mut memory).unwrap();
        assert_ne!(again, hash, "the salt is new each time");
        assert!(!format!("{hash:?}").contains("argon2"));
    }

    #[test]
    fn other_implementations_agree() {
        // Test vector of the reference implementation (phc-winner-argon2, test.c, Argon2id v19).
        let hash = PasswordHash::new(
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
                .to_owned(),
        );
        let mut memory = Workspace::default();
        // Memory that another hash has used must not matter.
        hasher(300).hash(&secret("something else"), &SystemRandom, &mut memory).unwrap();
        let verdict = hasher(32).verify(&secret("password"), &hash, &SystemRandom, &mut memory);
        assert!(matches!(verdict.unwrap(), Verdict::RightRehashed(_)));
    }

    #[test]
    fn other_parameters_are_accepted_and_replaced() {
        let mut memory = Workspace::default();
        let password = secret("correct horse");
        let old = hasher(64).hash(&password, &SystemRandom, &mut memory).unwrap();
        let Verdict::RightRehashed(new) =
            hasher(32).verify(&password, &old, &SystemRandom, &mut memory).unwrap()
        else {
            panic!("not rehashed")
        };
        assert!(new.as_str().contains("m=32,"));
        let verdict = hasher(32).verify(&password, &new, &SystemRandom, &mut memory);
        assert_eq!(verdict.unwrap(), Verdict::Right);
    }

    #[test]
    fn nothing_opens_a_decoy_and_strange_hashes_are_faults() {
        let (hasher, mut memory) = (hasher(32), Workspace::default());
        let decoy = hasher.decoy(&SystemRandom).unwrap();
        let verdict = hasher.verify(&secret(""), &decoy, &SystemRandom, &mut memory);
        assert_eq!(verdict.unwrap(), Verdict::Wrong);
        for strange in [
            "",
            "plain",
            "$argon2id$v=19$m=32,t=1,p=1",
            "$argon2i$v=19$m=32,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=4000000,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        ] {
            let hash = PasswordHash::new(strange.to_owned());
            let error = hasher.verify(&secret("x"), &hash, &SystemRandom, &mut memory);
            assert_eq!(error.unwrap_err().code(), "internal", "{strange}");
        }
    }

    #[test]
    fn weak_passwords_are_refused_where_they_stand() {
        let about = ["maria.jones@example.com".to_owned(), "Maria Jones".to_owned()];
        let code = |text: &str| {
            let error = check(&secret(text), &about, "password").err()?;
            assert_eq!(error.fields()[0].loc, ["body", "password"]);
            assert!(text.is_empty() || !error.to_string().contains(text));
            Some(error.fields()[0].code.clone().into_owned())
        };
        assert_eq!(code("").as_deref(), Some("password_too_short"));
        assert_eq!(code("ninechars").as_deref(), Some("password_too_short"));
        assert_eq!(code("password123").as_deref(), Some("password_too_weak"));
        assert_eq!(code("aaaaaaaaaaaaaaa").as_deref(), Some("password_too_weak"));
        assert_eq!(code("maria.jones@example.com").as_deref(), Some("password_too_weak"));
        assert_eq!(code(&"ab1".repeat(100)).as_deref(), Some("password_too_long"));
        assert_eq!(code("plum-gravel-77-otter"), None);
        assert_eq!(code("пароль-очень-длинный-7"), None);
    }
}
