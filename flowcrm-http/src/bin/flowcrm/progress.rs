use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::say;

/// How often a line is printed where there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(2);

/// Shows how far long work is: a bar on a terminal, plain lines elsewhere.
pub(crate) struct Progress {
    what: &'static str,
    bar: Option<ProgressBar>,
    total: u64,
    last_line: Instant,
}

impl Progress {
    /// Begins work on `total` units; `what` says what is done: "Reading", "Importing".
    pub(crate) fn begin(what: &'static str, total: u64) -> Self {
        let bar = console::user_attended_stderr().then(|| {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{prefix:10} {bar:40} {percent:>3} % {eta} left");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_prefix(what);
            bar
        });
        Self { what, bar, total, last_line: Instant::now() }
    }

    /// Begins work of which nobody knows yet how much it is.
    pub(crate) fn of_unknown(what: &'static str) -> Self {
        Self::begin(what, 0)
    }

    /// So much is done of as much as there turned out to be.
    pub(crate) fn reach_of(&mut self, done: u64, total: u64) {
        self.total = total;
        if let Some(bar) = &self.bar {
            bar.set_length(total);
        }
        self.reach(done);
    }

    /// So much is done.
    pub(crate) fn reach(&mut self, done: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
        } else if self.last_line.elapsed() >= BETWEEN_LINES {
            let percent = (done * 100).checked_div(self.total).unwrap_or(100);
            say(format!("{}: {percent} %", self.what));
            self.last_line = Instant::now();
        }
    }

    /// Ends the bar.
    pub(crate) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
