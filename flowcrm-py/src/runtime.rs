//! The threads that work for Python, and when they may speak to it.

use std::process;
use std::sync::{Mutex, PoisonError, RwLock};

use flowcrm_core::{Error, ErrorCode, Result};
use pyo3::prelude::*;
use tokio::runtime::{Builder, Runtime};

/// The runtime of this process. A process that was forked has none of its parent's threads, and gets its own.
static RUNTIME: Mutex<Option<(u32, &'static Runtime)>> = Mutex::new(None);

/// Whether threads of the runtime may still call Python: not while it exits.
static GATE: RwLock<bool> = RwLock::new(true);

/// The runtime of this process; begun when it is first asked for.
pub(crate) fn runtime() -> Result<&'static Runtime> {
    let process = process::id();
    let mut kept = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((home, runtime)) = *kept
        && home == process
    {
        return Ok(runtime);
    }
    let built = Builder::new_multi_thread().worker_threads(2).thread_name("flowcrm").enable_all().build();
    // It lives as long as the process does.
    let runtime: &'static Runtime = Box::leak(Box::new(built.map_err(Error::internal)?));
    *kept = Some((process, runtime));
    Ok(runtime)
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

/// Calls Python from a thread of the runtime, unless the interpreter exits.
pub(crate) fn tell(say: impl FnOnce(Python<'_>)) {
    let is_open = GATE.read().unwrap_or_else(PoisonError::into_inner);
    if *is_open {
        Python::attach(say);
    }
}

/// Keeps threads from calling Python from now on; called when the interpreter exits, before it is taken down.
#[pyfunction]
pub(crate) fn close_gate(py: Python<'_>) {
    py.detach(|| *GATE.write().unwrap_or_else(PoisonError::into_inner) = false);
}
