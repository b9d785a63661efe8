//! Whether the disk has room for a build and its tests. A disk that fills up in between makes
//! servers fail in ways that say nothing of it.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::out::say;
use crate::{cargo, generate, metadata};

/// What a build from nothing and the tests take, in GiB: measured 5, with some to spare.
const FROM_NOTHING: u64 = 8;
/// What the tests alone take.
const BUILT: u64 = 3;

/// Says how much there is.
///
/// # Errors
/// When there is too little, with what is needed.
pub(crate) fn check() -> Result<()> {
    let workspace = metadata::workspace()?;
    let is_built = generate::program(&workspace.target_directory).exists();
    let needed = if is_built { BUILT } else { FROM_NOTHING };
    for place in [workspace.target_directory, std::env::temp_dir()] {
        let free = free_gib(&cargo::capture(Command::new("df").arg("-Pk").arg(&place))?)?;
        let place = place.display();
        say(&format!("{free} GiB free at {place}, {needed} needed"));
        if free < needed {
            bail!("{place} has {free} GiB free and {needed} are needed: make room");
        }
    }
    Ok(())
}

/// The fourth column of the last line, which is in KiB.
fn free_gib(df: &str) -> Result<u64> {
    let free = df.lines().last().and_then(|line| line.split_whitespace().nth(3));
    let free: u64 = free.and_then(|kib| kib.parse().ok()).context("df says nothing of space")?;
    Ok(free / (1024 * 1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_free_space_is_read() {
        let said = "Filesystem 1024-blocks Used Available Capacity Mounted on\n\
                    /dev/vda 264076288 91226112 5138022 95% /\n";
        assert_eq!(free_gib(said).unwrap(), 4);
        assert!(free_gib("nothing").is_err());
    }
}
