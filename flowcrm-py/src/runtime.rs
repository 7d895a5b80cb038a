//! The threads that work for Python, and when they may speak to it.

use std::mem;
use std::ops::Deref;
use std::process;
use std::sync::{Mutex, PoisonError, RwLock};

use flowcrm_core::{Error, ErrorCode, Result};
use pyo3::prelude::*;
use tokio::runtime::{Builder, Runtime};
use tokio::task::block_in_place;

use crate::log;

/// What works for this process. A process that was forked has none of its parent's threads, and gets its own.
static THREADS: Mutex<Option<Threads>> = Mutex::new(None);

#[derive(Clone, Copy)]
struct Threads {
    process: u32,
    runtime: &'static Runtime,
    gate: Gate,
}

fn threads() -> Result<Threads> {
    let process = process::id();
    let mut kept = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(threads) = *kept
        && threads.process == process
    {
        return Ok(threads);
    }
    let built = Builder::new_multi_thread().worker_threads(2).thread_name("flowcrm").enable_all().build();
    // Both live as long as the process does.
    let runtime: &'static Runtime = Box::leak(Box::new(built.map_err(Error::internal)?));
    let threads = Threads { process, runtime, gate: Gate(Box::leak(Box::new(RwLock::new(true)))) };
    *kept = Some(threads);
    log::begin(threads.gate);
    Ok(threads)
}

/// The runtime of this process; begun when it is first asked for.
pub(crate) fn runtime() -> Result<&'static Runtime> {
    Ok(threads()?.runtime)
}

/// Whether threads of the runtime may still call Python: not while it exits.
#[derive(Clone, Copy)]
pub(crate) struct Gate(&'static RwLock<bool>);

impl Gate {
    /// The gate of this process.
    ///
    /// # Errors
    ///
    /// `unavailable` once it is closed: nobody could be told of an outcome.
    pub(crate) fn here() -> Result<Self> {
        let gate = threads()?.gate;
        // Whoever cannot read at once meets the one who closes it. To wait for that with the GIL might be for ever.
        if gate.0.try_read().is_ok_and(|is_open| *is_open) {
            return Ok(gate);
        }
        Err(Error::new(ErrorCode::Unavailable, "The interpreter is exiting."))
    }

    /// Calls Python from a thread of our own, unless the interpreter exits. Other work of a thread of the runtime goes on
    /// elsewhere meanwhile: whoever has the GIL may wait for it.
    pub(crate) fn tell(self, say: impl FnOnce(Python<'_>)) {
        block_in_place(|| {
            let is_open = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if *is_open {
                Python::attach(say);
            }
        });
    }
}

/// The process that a handle was opened in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Home(u32);

impl Home {
    /// This process.
    pub(crate) fn here() -> Self {
        Self(process::id())
    }

    /// Demands that this is still the process.
    ///
    /// # Errors
    ///
    /// `conflict` in a process that was forked off since: connections cannot be shared.
    pub(crate) fn check(self) -> Result<()> {
        if self.0 == process::id() {
            return Ok(());
        }
        let detail = "This handle belongs to the process that opened it. Open the CRM anew after a fork.";
        Err(Error::new(ErrorCode::Conflict, detail))
    }
}

/// What belongs to the process that made it. A process that was forked off leaves its copy alone for ever: to close a
/// socket that both have would take it from the other's list of sockets to wait for.
pub(crate) struct Owned<T> {
    /// Taken out in `drop` only.
    value: Option<T>,
    home: Home,
}

impl<T> Owned<T> {
    pub(crate) fn new(value: T, home: Home) -> Self {
        Self { value: Some(value), home }
    }

    /// Where it belongs.
    pub(crate) fn home(&self) -> Home {
        self.home
    }
}

impl<T> Deref for Owned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("it is there until it is dropped")
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        if self.home.check().is_err() {
            mem::forget(self.value.take());
        }
    }
}

/// Keeps threads from calling Python from now on; called when the interpreter exits, before it is taken down.
#[pyfunction]
pub(crate) fn close_gate(py: Python<'_>) {
    let kept = *THREADS.lock().unwrap_or_else(PoisonError::into_inner);
    // A parent's gate may have been left half open by a thread that there is not in a fork.
    if let Some(threads) = kept.filter(|threads| threads.process == process::id()) {
        py.detach(|| *threads.gate.0.write().unwrap_or_else(PoisonError::into_inner) = false);
    }
}
