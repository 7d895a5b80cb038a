//! What goes wrong where nobody waits for it, told as warnings of the process.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use napi::Status;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode::NonBlocking};
use napi_derive::napi;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

/// So many lines wait until JavaScript takes them; more are dropped.
const MOST_WAITING: usize = 1_000;

/// A function of JavaScript that takes a line. It does not hold the process.
type Listener = ThreadsafeFunction<String, (), String, Status, false, true, MOST_WAITING>;

/// Those of all JavaScript threads that have loaded this package.
static LISTENERS: Mutex<Vec<Listener>> = Mutex::new(Vec::new());

/// Has a function called with each line from now on, unless another thread's is there for it.
#[napi]
pub(crate) fn on_warning(listener: Listener) {
    LISTENERS.lock().unwrap_or_else(PoisonError::into_inner).push(listener);
    let lines = tracing_subscriber::fmt::layer().without_time().with_level(false).with_target(false);
    let ours = Targets::new().with_target("flowcrm", Level::WARN);
    // Another thread may have done it.
    let _ = tracing_subscriber::registry()
        .with(lines.with_ansi(false).with_writer(|| Writer))
        .with(ours)
        .try_init();
}

/// Takes one line, which is written at once.
struct Writer;

impl Write for Writer {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut listeners = LISTENERS.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(first) = listeners.first() {
            let text = String::from_utf8_lossy(line).trim_end().to_owned();
            if first.call(text, NonBlocking) != Status::Closing {
                break;
            }
            // Its thread has ended.
            listeners.remove(0);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
