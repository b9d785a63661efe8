//! Which programs the kit needs, and where they are.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// A program of the system and the Debian package that brings it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its file name.
    pub name: &'static str,
    /// Where to look before `PATH`; a `*` stands for each folder there, the highest number first.
    pub dirs: &'static [&'static str],
    /// The apt package.
    pub package: &'static str,
}

const POSTGRES_DIRS: &[&str] = &["/usr/lib/postgresql/*/bin"];
const SBIN: &[&str] = &["/usr/sbin", "/sbin", "/usr/local/sbin"];

impl Program {
    /// The PostgreSQL server.
    pub const POSTGRES: Self =
        Self { name: "postgres", dirs: POSTGRES_DIRS, package: "postgresql" };
    /// Makes a PostgreSQL data folder.
    pub const INITDB: Self = Self { name: "initdb", dirs: POSTGRES_DIRS, package: "postgresql" };
    /// The PostgreSQL client.
    pub const PSQL: Self = Self { name: "psql", dirs: POSTGRES_DIRS, package: "postgresql-client" };
    /// The Redis server.
    pub const REDIS_SERVER: Self =
        Self { name: "redis-server", dirs: &[], package: "redis-server" };
    /// The Redis client.
    pub const REDIS_CLI: Self = Self { name: "redis-cli", dirs: &[], package: "redis-tools" };
    /// The balancer with health checks.
    pub const HAPROXY: Self = Self { name: "haproxy", dirs: SBIN, package: "haproxy" };
    /// The balancer without.
    pub const NGINX: Self = Self { name: "nginx", dirs: SBIN, package: "nginx" };
    /// The Python that knows the system's packages.
    pub const SYSTEM_PYTHON: Self =
        Self { name: "python3", dirs: &["/usr/bin"], package: "python3" };
    /// The mail server, a package of that Python.
    pub const AIOSMTPD: Self =
        Self { name: "aiosmtpd", dirs: &["/usr/bin"], package: "python3-aiosmtpd" };
    /// Looks at rules of Prometheus.
    pub const PROMTOOL: Self =
        Self { name: "promtool", dirs: &["/usr/bin", "/usr/local/bin"], package: "prometheus" };
    /// The browser, where none is there under another name (`Browser::program`).
    pub const CHROMIUM: Self = Self { name: "chromium", dirs: &[], package: "chromium" };
    /// Everything that the kit can start.
    pub const ALL: &[Self] = &[
        Self::POSTGRES,
        Self::INITDB,
        Self::PSQL,
        Self::REDIS_SERVER,
        Self::REDIS_CLI,
        Self::HAPROXY,
        Self::NGINX,
        Self::SYSTEM_PYTHON,
        Self::AIOSMTPD,
        Self::PROMTOOL,
    ];

    /// Where it is, if it is there.
    pub fn find(&self) -> Option<PathBuf> {
        find_program(&[self.name], self.dirs)
    }

    /// Where it is.
    ///
    /// # Errors
    /// Says which package to install.
    pub fn path(&self) -> Result<PathBuf> {
        match self.find() {
            Some(path) => Ok(path),
            None => bail!(missing(&[*self])),
        }
    }
}

/// Refuses to go on without these programs.
///
/// # Errors
/// Names every missing program and the one command that installs them.
pub fn require(programs: &[Program]) -> Result<()> {
    let absent: Vec<Program> =
        programs.iter().copied().filter(|program| program.find().is_none()).collect();
    if absent.is_empty() { Ok(()) } else { bail!(missing(&absent)) }
}

/// The words of the error when programs are missing.
pub(crate) fn missing(absent: &[Program]) -> String {
    let names: Vec<&str> = absent.iter().map(|program| program.name).collect();
    format!(
        "not found: {}; install with: apt-get install --no-install-recommends {}",
        names.join(", "),
        packages(absent).join(" ")
    )
}

/// The packages that bring these programs, each once.
pub(crate) fn packages(programs: &[Program]) -> Vec<&'static str> {
    let mut packages: Vec<&str> = programs.iter().map(|program| program.package).collect();
    packages.sort_unstable();
    packages.dedup();
    packages
}

/// The first of `names` that is an executable file in `extra_dirs` (see [`Program::dirs`]), then
/// in `PATH`.
pub fn find_program(names: &[&str], extra_dirs: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut dirs: Vec<PathBuf> = extra_dirs.iter().flat_map(|dir| expand(dir)).collect();
    dirs.extend(std::env::split_paths(&path));
    let candidates = dirs.iter().flat_map(|dir| names.iter().map(|name| dir.join(name)));
    candidates.into_iter().find(|path| is_executable(path))
}

fn expand(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once("/*/") else {
        return vec![PathBuf::from(pattern)];
    };
    let entries = std::fs::read_dir(before).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.parse::<u32>().unwrap_or(0)));
    names.iter().map(|name| Path::new(before).join(name).join(after)).collect()
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named_with_its_package() {
        let absent = Program { name: "no-such-server", dirs: &["/no/*/bin"], package: "no-such" };
        let error = require(&[absent, Program { name: "sh", dirs: &[], package: "dash" }]);
        let words = error.unwrap_err().to_string();
        assert!(words.contains("no-such-server"), "{words}");
        assert!(words.ends_with("apt-get install --no-install-recommends no-such"), "{words}");
    }

    #[test]
    fn the_first_name_found_wins_and_plain_files_do_not_count() {
        let found = find_program(&["no-such-program", "sh"], &["/etc"]);
        assert!(found.is_some_and(|path| path.ends_with("sh")));
        assert_eq!(find_program(&["passwd"], &["/etc"]).filter(|p| p.starts_with("/etc")), None);
    }
}
