//! Comparing a password with an Argon2id hash, on the core's one blocking thread.

use std::cell::RefCell;

use anyhow::{Context, Result, ensure};
use argon2::{Algorithm, Argon2, Block, Params, ParamsBuilder, PasswordHash, Version};

thread_local! {
    /// The 19 MiB that a hash needs, kept for the next one.
    static MEMORY: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
}

/// Whether `phc` is a hash of `password`.
pub(crate) async fn is_right(password: String, phc: String) -> Result<bool> {
    tokio::task::spawn_blocking(move || compare(&password, &phc)).await?
}

fn compare(password: &str, phc: &str) -> Result<bool> {
    let wrong = |error| anyhow::anyhow!("not an Argon2 hash: {error}");
    let hash = PasswordHash::new(phc).map_err(|error| wrong(error.to_string()))?;
    ensure!(hash.algorithm == Algorithm::Argon2id.ident(), "not an Argon2id hash");
    let (salt, expected) = hash.salt.zip(hash.hash).context("an incomplete hash")?;
    let params = Params::try_from(&hash).map_err(|error| wrong(error.to_string()))?;
    let mut builder = ParamsBuilder::new();
    builder.m_cost(params.m_cost()).t_cost(params.t_cost()).p_cost(params.p_cost());
    let params = builder
        .output_len(expected.as_bytes().len())
        .build()
        .map_err(|error| wrong(error.to_string()))?;
    let blocks = params.block_count();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut output = vec![0_u8; expected.as_bytes().len()];
    MEMORY.with_borrow_mut(|memory| {
        memory.resize(blocks, Block::default());
        argon2
            .hash_password_into_with_memory(
                password.as_bytes(),
                salt.as_ref(),
                &mut output,
                memory.as_mut_slice(),
            )
            .map_err(|error| wrong(error.to_string()))
    })?;
    Ok(output == expected.as_bytes())
}
