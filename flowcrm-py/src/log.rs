//! What goes wrong where nobody waits for it, told to Python's logger `flowcrm`.

use std::io::{self, Write};
use std::process;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use pyo3::prelude::*;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::prelude::*;

use crate::runtime::Gate;

/// So many lines wait until Python takes them; more are dropped.
const MOST_WAITING: usize = 1_000;

/// Where lines go, in the process that it names. It is never freed, and no lock guards it: in a process that was forked
/// off, a thread that is not there any more might hold one.
static LINES: AtomicPtr<Lines> = AtomicPtr::new(ptr::null_mut());

struct Lines {
    process: u32,
    sender: SyncSender<Line>,
}

struct Line {
    method: &'static str,
    text: String,
}

/// Begins to tell Python; its own thread does, as nobody else may wait for the GIL.
pub(crate) fn begin(gate: Gate) {
    let (sender, lines) = sync_channel::<Line>(MOST_WAITING);
    let tell = move || lines.into_iter().for_each(|line| gate.tell(|py| say(py, line.method, &line.text)));
    if thread::Builder::new().name("flowcrm-log".to_owned()).spawn(tell).is_ok() {
        let kept = Box::new(Lines { process: process::id(), sender });
        LINES.store(Box::leak(kept), Ordering::Release);
    }
    let lines = tracing_subscriber::fmt::layer().without_time().with_level(false).with_target(false);
    let ours = Targets::new().with_target("flowcrm", Level::WARN);
    // A process that was forked has inherited it.
    let _ = tracing_subscriber::registry()
        .with(lines.with_ansi(false).with_writer(Writers))
        .with(ours)
        .try_init();
}

/// Logs a line. Whatever a handler raises is shown as Python shows what nobody can catch.
pub(crate) fn say(py: Python<'_>, method: &str, text: &str) {
    let log = || {
        let logger = py.import("logging")?.call_method1("getLogger", ("flowcrm",))?;
        logger.call_method1(method, ("%s", text)).map(|_| ())
    };
    if let Err(error) = log() {
        error.write_unraisable(py, None);
    }
}

struct Writers;

impl MakeWriter<'_> for Writers {
    type Writer = Writer;

    fn make_writer(&self) -> Writer {
        Writer { method: "warning" }
    }

    fn make_writer_for(&self, of: &Metadata<'_>) -> Writer {
        Writer { method: if *of.level() == Level::ERROR { "error" } else { "warning" } }
    }
}

/// Takes one line, which is written at once.
struct Writer {
    method: &'static str,
}

impl Write for Writer {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // SAFETY: what is stored there has been leaked, and is shared only.
        #[allow(unsafe_code, reason = "a lock is no good in a process that was forked off")]
        let lines = unsafe { LINES.load(Ordering::Acquire).as_ref() };
        if let Some(lines) = lines.filter(|lines| lines.process == process::id()) {
            let text = String::from_utf8_lossy(line).trim_end().to_owned();
            let _ = lines.sender.try_send(Line { method: self.method, text });
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
