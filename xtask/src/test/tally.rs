//! Counts what the suites say: how many tests passed and failed, and on which servers.

use std::collections::BTreeMap;

use crate::out::table;

/// Words in the names of packages and modules that say what a test runs on, and what is said of it.
const BACKENDS: &[(&str, &str)] = &[
    ("embedded", "embedded"),
    ("sqlite", "sqlite"),
    ("postgres", "postgres"),
    ("dynamodb", "dynamodb emulator"),
    ("mongodb", "mongodb emulator"),
    ("on_replica_set", "mongodb replica set"),
    ("s3", "s3 emulator"),
    ("redis", "redis"),
    ("cluster", "cluster"),
    ("haproxy", "haproxy"),
    ("nginx", "nginx"),
    ("balancer", "balancer"),
];

/// One test program, or the examples in the documentation of one crate.
#[derive(Debug, Default)]
struct Suite {
    name: String,
    passed: usize,
    failed: Vec<String>,
    seconds: String,
    on: BTreeMap<&'static str, usize>,
}

/// All of them, in their order.
#[derive(Debug, Default)]
pub(super) struct Tally {
    suites: Vec<Suite>,
    /// Whether cargo itself was content.
    ended_well: bool,
}

impl Tally {
    /// Nothing counted yet.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Takes one line of what `cargo test` says; `suite_of` knows the suite in a program.
    pub(super) fn line(&mut self, line: &str, suite_of: impl Fn(&str) -> String) {
        let trimmed = line.trim();
        if let Some(rest) = trimmed.strip_prefix("Running ") {
            let program =
                rest.rsplit_once('(').map_or(rest, |(_, path)| path.trim_end_matches(')'));
            self.start(suite_of(program));
        } else if let Some(name) = trimmed.strip_prefix("Doc-tests ") {
            self.start(format!("{}: documentation", name.replace('_', "-")));
        }
        let Some(suite) = self.suites.last_mut() else { return };
        if let Some(result) = line.strip_prefix("test result: ") {
            let time = result.rsplit_once("finished in ").map_or("", |(_, time)| time);
            time.trim().clone_into(&mut suite.seconds);
        } else if let Some(rest) = line.strip_prefix("test ") {
            match rest.rsplit_once(" ... ") {
                Some((name, "ok")) => suite.pass(name),
                Some((name, "FAILED")) => suite.failed.push(name.to_owned()),
                _ => {}
            }
        }
    }

    /// Notes how cargo ended.
    pub(super) fn ended_well(&mut self, well: bool) {
        self.ended_well = well;
    }

    /// What ran on what.
    pub(super) fn table(&self) -> String {
        let heading = ["suite", "passed", "failed", "time", "of these on"].map(str::to_owned);
        let mut rows = vec![heading.to_vec()];
        for suite in self.suites.iter().filter(|suite| suite.passed + suite.failed.len() > 0) {
            let on = suite.on.iter().map(|(name, count)| format!("{name} {count}"));
            rows.push(vec![
                suite.name.clone(),
                suite.passed.to_string(),
                suite.failed.len().to_string(),
                suite.seconds.clone(),
                on.collect::<Vec<_>>().join(", "),
            ]);
        }
        let passed: usize = self.suites.iter().map(|suite| suite.passed).sum();
        let failed: usize = self.suites.iter().map(|suite| suite.failed.len()).sum();
        rows.push(vec!["all".to_owned(), passed.to_string(), failed.to_string()]);
        table(&rows)
    }

    /// Every test that failed; and a complaint when cargo was not content for another reason, or
    /// no test ran at all.
    pub(super) fn failures(&self) -> Vec<String> {
        let failed = self
            .suites
            .iter()
            .flat_map(|suite| suite.failed.iter().map(|test| format!("{}: {test}", suite.name)));
        let mut failed: Vec<String> = failed.collect();
        if failed.is_empty() && !self.ended_well {
            failed.push("cargo test failed without naming a test: see above".to_owned());
        }
        if failed.is_empty() && self.suites.iter().all(|suite| suite.passed == 0) {
            failed.push("no test ran: no name contains the filters".to_owned());
        }
        failed
    }

    fn start(&mut self, name: String) {
        self.suites.push(Suite { name, ..Suite::default() });
    }
}

impl Suite {
    fn pass(&mut self, test: &str) {
        self.passed += 1;
        let module = test.rsplit_once("::").map_or("", |(module, _)| module);
        let mut name = format!("{} {module}", self.name);
        if module.starts_with("on_replica_set") {
            // The package's name speaks of the emulator.
            module.clone_into(&mut name);
        }
        for (_, said) in BACKENDS.iter().filter(|(word, _)| name.contains(word)) {
            *self.on.entry(said).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    fn tally(said: &str, ended_well: bool) -> Tally {
        let mut tally = Tally::new();
        said.lines().for_each(|line| tally.line(line, |program| format!("suite {program}")));
        tally.ended_well(ended_well);
        tally
    }

    const SAID: &str = "\
     Running tests/it/main.rs (target/debug/deps/it-1)

running 3 tests
test postgres::sqlite_is_no_module ... ok
test sqlite::one ... ok
test sqlite::two ... FAILED

test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s

   Doc-tests outrigger_kernel
test crates/kernel/src/id.rs - id (line 3) ... ok
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s
";

    #[test]
    fn suites_are_counted_by_what_they_ran_on() {
        let tally = tally(SAID, false);
        let text = tally.table();
        let rows: Vec<Vec<&str>> =
            text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(
            rows[1][1..],
            ["target/debug/deps/it-1", "2", "1", "1.20s", "postgres", "1,", "sqlite", "1"]
        );
        assert_eq!(rows[2][..3], ["outrigger-kernel:", "documentation", "1"]);
        assert_eq!(rows[3], ["all", "3", "1"]);
        assert_eq!(tally.failures(), ["suite target/debug/deps/it-1: sqlite::two"]);
    }

    #[test]
    fn an_emulator_is_called_one() {
        let said = "     Running tests/it.rs (outrigger-mongodb)\n\
            test mongodb_emulator::suite::a ... ok\n\
            test on_replica_set::suite::a ... ok\n";
        let text = tally(said, true).table();
        assert!(text.contains("mongodb emulator 1, mongodb replica set 1"), "{text}");
    }

    #[test]
    fn a_failure_without_a_name_and_an_empty_run_are_failures() {
        assert_eq!(tally("error: no", false).failures().len(), 1);
        assert_eq!(tally("     Running x (it-1)\nrunning 0 tests", true).failures().len(), 1);
        assert!(tally("     Running x (it-1)\ntest a ... ok", true).failures().is_empty());
    }
}
