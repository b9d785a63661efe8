//! One folder per test process for all that it keeps on disk, and the janitor that removes it.
//!
//! The janitor is a small shell in a process group of its own. Its standard input is a pipe that
//! this process holds open and never writes to: when this process ends, in whatever way, the
//! janitor reads the end of the file, ends the servers that are still there and removes the folder.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow};

/// `$1` is the folder. Servers get twenty seconds to end by themselves (they were told by the
/// parent-death signal), then they are killed. Only ids that this process has noted are touched.
const JANITOR: &str = r#"
cat >/dev/null
tries=0
while [ "$tries" -lt 200 ]; do
    alive=
    for file in "$1"/pids/*; do
        pid="${file##*/}"
        [ "$pid" = '*' ] && continue
        kill -0 "$pid" 2>/dev/null || continue
        # Without a reaping process 1, who has ended stays as a zombie.
        case "$(cat "/proc/$pid/stat" 2>/dev/null)" in *') Z '*) continue ;; esac
        alive=1
        [ "$tries" -eq 199 ] && kill -9 "$pid" 2>/dev/null
    done
    [ -z "$alive" ] && break
    tries=$((tries + 1))
    sleep 0.1
done
tries=0
while ! rm -rf "$1" 2>/dev/null && [ "$tries" -lt 100 ]; do tries=$((tries + 1)); sleep 0.1; done
"#;

struct Root {
    path: PathBuf,
    /// Kept for its standard input.
    _janitor: Child,
}

/// The folder of this process, made on first use.
pub(crate) fn root() -> Result<&'static Path> {
    static ROOT: OnceLock<Result<Root, String>> = OnceLock::new();
    let root = ROOT.get_or_init(|| make().map_err(|error| format!("{error:#}")));
    root.as_ref().map(|root| root.path.as_path()).map_err(|error| anyhow!("{error}"))
}

/// Where the ids of running servers are noted, for the janitor.
pub(crate) fn pid_file(pid: u32) -> Result<PathBuf> {
    Ok(root()?.join("pids").join(pid.to_string()))
}

fn make() -> Result<Root> {
    // Long enough to be unique together with the process id, also after a reboot.
    let unique = std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.subsec_nanos());
    let path =
        std::env::temp_dir().join(format!("outrigger-test-{}-{unique:09}", std::process::id()));
    std::fs::create_dir_all(path.join("pids"))
        .with_context(|| format!("cannot make the temporary folder {}", path.display()))?;
    let mut command = Command::new("sh");
    command.args(["-c", JANITOR, "test-janitor"]).arg(&path);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    // It must not live in a folder that somebody wants to remove.
    command.current_dir("/");
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let janitor = command.spawn().context("cannot start the shell that cleans up")?;
    Ok(Root { path, _janitor: janitor })
}
