//! How far a long command has come, on standard error: a bar on a terminal, else a line now and then.

use std::cell::Cell;
use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use outrigger_archive::Step;

/// A line comes this often where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Shows it.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    last_line: Cell<Instant>,
    doing: Cell<&'static str>,
}

impl Progress {
    pub(super) fn new() -> Self {
        let bar = stderr().is_terminal().then(ProgressBar::no_length);
        Self { bar, last_line: Cell::new(Instant::now()), doing: Cell::new("") }
    }

    /// Whether somebody sees a bar.
    pub(super) fn has_bar(&self) -> bool {
        self.bar.is_some()
    }

    /// Shows a step.
    pub(super) fn show(&self, step: &Step<'_>) {
        let Step { doing, documents, of, collection } = *step;
        let is_new = self.doing.replace(doing) != doing;
        if let Some(bar) = &self.bar {
            if is_new {
                bar.reset();
                bar.set_style(style(of.is_some()));
            }
            if let Some(of) = of {
                bar.set_length(of);
            }
            bar.set_message(format!("{doing} {collection}"));
            bar.set_position(documents);
        } else if is_new || self.last_line.get().elapsed() >= LINE_EVERY {
            self.last_line.set(Instant::now());
            let of = of.map(|of| format!(" of {of}")).unwrap_or_default();
            line(&format!("{doing}: {documents}{of} documents, at {collection}"));
        }
    }

    /// Says something that stays.
    pub(super) fn note(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => line(text),
        }
    }

    /// Says what came of it. Standard output may be the archive.
    pub(super) fn end(&self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        line(text);
    }
}

fn style(has_end: bool) -> ProgressStyle {
    let template = match has_end {
        true => "{bar:40} {human_pos}/{human_len} {per_sec} {eta} {msg}",
        false => "{spinner} {human_pos} {per_sec} {msg}",
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn line(text: &str) {
    let _closed = writeln!(stderr(), "{text}");
}
