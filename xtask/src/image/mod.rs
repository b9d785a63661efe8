//! `cargo xtask image`: builds the image for real and proves what it promises. Not a part of `ci`: it
//! compiles everything once more, optimised for size and speed.

mod bases;
mod engine;
mod promises;

use anyhow::Result;

use crate::cargo;
use crate::out::say;
use crate::root::root;
use engine::Engine;

/// The image's name.
const NAME: &str = "outrigger:local";

/// The recipe.
const RECIPE: &str = "deploy/docker/Dockerfile";

/// This machine's authorities, which a registry behind a proxy may need while building. They do not
/// get into the image.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Builds the image, starts it as it is meant to be run, and says how large it is.
///
/// # Errors
/// When there is no engine, the build fails, or a promise is not kept.
pub(crate) fn run() -> Result<()> {
    let engine = Engine::find()?;
    let arguments = bases::arguments(&engine)?;
    let mut build = engine.docker(&["build", "--file", RECIPE, "--tag", NAME]);
    if std::path::Path::new(AUTHORITIES).exists() {
        build.args(["--secret", &format!("id=ca,src={AUTHORITIES}")]);
    }
    for argument in arguments {
        build.args(["--build-arg", &argument]);
    }
    cargo::pass(build.arg(".").env("DOCKER_BUILDKIT", "1").current_dir(root()))?;
    for promise in promises::check(&engine, NAME)? {
        say(&format!("ok  {promise}"));
    }
    Ok(())
}
