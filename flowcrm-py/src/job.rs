//! One call on its way: waited for by a thread, or told of when it is done.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flowcrm_core::worker::panic_message;
use flowcrm_core::{Error, Result};
use futures_util::FutureExt as _;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use crate::error::exception;
use crate::runtime::{Gate, Home, Owned, runtime};

/// How often a waiting thread looks for signals: Ctrl-C.
const BETWEEN_SIGNALS: Duration = Duration::from_millis(100);

/// Makes what the caller gets, once Python can be spoken to.
type Finish = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;

type Work = Pin<Box<dyn Future<Output = Result<Finish>> + Send>>;

/// One call: begun by `wait`, or by `start`.
#[pyclass(frozen, module = "flowcrm._native")]
pub(crate) struct Job(Owned<Mutex<State>>);

enum State {
    New(Work),
    Running(AbortHandle),
    Done(Result<Finish>),
    /// Waited for, cancelled, or its result has been taken.
    Over,
}

impl Job {
    /// A call, and what its caller gets of its outcome.
    pub(crate) fn new<T: Send + 'static>(
        home: Home,
        work: impl Future<Output = Result<T>> + Send + 'static,
        finish: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
    ) -> Self {
        let work = async move {
            let outcome = AssertUnwindSafe(work).catch_unwind().await;
            let outcome = outcome.unwrap_or_else(|panic| Err(defect(&*panic)))?;
            Ok(Box::new(move |py: Python<'_>| finish(py, outcome)) as Finish)
        };
        Self(Owned::new(Mutex::new(State::New(Box::pin(work))), home))
    }

    /// A call that gives nothing.
    pub(crate) fn silent(home: Home, work: impl Future<Output = Result<()>> + Send + 'static) -> Self {
        Self::new(home, work, |py, ()| Ok(py.None()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self) -> PyResult<Work> {
        match std::mem::replace(&mut *self.state(), State::Over) {
            State::New(work) => Ok(work),
            _ => Err(PyRuntimeError::new_err("a call is made once")),
        }
    }
}

#[pymethods]
impl Job {
    /// Makes the call and waits for its outcome, without the GIL.
    fn wait(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let mut work = self.begin()?;
        self.0.home().check().map_err(|error| exception(py, &error))?;
        let runtime = runtime().map_err(|error| exception(py, &error))?;
        loop {
            let outcome = py.detach(|| runtime.block_on(async { timeout(BETWEEN_SIGNALS, &mut work).await }));
            match outcome {
                Ok(Ok(finish)) => return finish(py),
                Ok(Err(error)) => return Err(exception(py, &error)),
                Err(_) => py.check_signals().inspect_err(|_| {
                    // Connections go back to their pool on the runtime.
                    let _entered = runtime.enter();
                    work = Box::pin(std::future::pending());
                })?,
            }
        }
    }

    /// Makes the call in the background; `told` is called from another thread when its `result` is there. Refused as
    /// `unavailable` when the interpreter exits.
    fn start(slf: Py<Self>, py: Python<'_>, told: Py<PyAny>) -> PyResult<()> {
        let job = slf.get();
        let work = job.begin()?;
        job.0.home().check().map_err(|error| exception(py, &error))?;
        let runtime = runtime().map_err(|error| exception(py, &error))?;
        let gate = Gate::here().map_err(|error| exception(py, &error))?;
        let mut state = job.state();
        let kept = slf.clone_ref(py);
        let task = runtime.spawn(async move {
            let outcome = work.await;
            gate.tell(move |py| {
                *kept.get().state() = State::Done(outcome);
                if let Err(error) = told.call0(py) {
                    // Nobody is there who could catch it.
                    error.write_unraisable(py, None);
                }
            });
        });
        *state = State::Running(task.abort_handle());
        Ok(())
    }

    /// The outcome of a call that was started and is done.
    fn result(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let state = std::mem::replace(&mut *self.state(), State::Over);
        match state {
            State::Done(Ok(finish)) => finish(py),
            State::Done(Err(error)) => Err(exception(py, &error)),
            _ => Err(PyRuntimeError::new_err("the call is not done")),
        }
    }

    /// Gives up a call that was started; a command that has not been committed is undone.
    fn cancel(&self) {
        let mut state = self.state();
        if let State::Running(task) = &*state {
            task.abort();
            *state = State::Over;
        }
    }
}

fn defect(panic: &(dyn Any + Send)) -> Error {
    Error::internal(panic_message(panic))
}
