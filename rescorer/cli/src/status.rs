use std::io::{self, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How a command that did not break off ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was done.
    Complete,
    /// Something was skipped or failed, and was reported.
    Partial,
}

/// Messages and progress, all on stderr.
#[derive(Debug, Clone, Copy)]
pub struct Status {
    quiet: bool,
}

impl Status {
    pub fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    /// A line for the user, unless `--quiet`.
    pub fn say(&self, message: impl std::fmt::Display) {
        if !self.quiet {
            print(message);
        }
    }

    /// A line that `--quiet` does not silence: something was left out.
    pub fn warn(&self, message: impl std::fmt::Display) {
        print(format_args!("warning: {message}"));
    }

    /// A counter of utterances; indicatif hides it where stderr is not a terminal.
    pub fn counter(&self) -> ProgressBar {
        self.bar("{spinner} {pos} lists, {per_sec}, {elapsed}")
    }

    /// A bar of training steps with the time that is left.
    pub fn steps(&self, total: u64) -> ProgressBar {
        let bar = self.bar("{bar:30} {pos}/{len} {msg}, {eta} left");
        bar.set_length(total);
        bar
    }

    /// A bar of bytes of a known total.
    pub fn bytes(&self, total: u64) -> ProgressBar {
        let bar = self.bar("{msg} {bar:30} {bytes}/{total_bytes}");
        bar.set_length(total);
        bar
    }

    fn bar(&self, template: &str) -> ProgressBar {
        if self.quiet {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new_spinner().with_style(style);
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }
}

/// Writes a line to stderr. Where that fails nobody is left to be told.
pub fn print(message: impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "{message}");
}
