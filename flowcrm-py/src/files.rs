//! Files on their way in and out, piece by piece.

use std::sync::Arc;

use flowcrm_core::exports::Export;
use flowcrm_core::imports::{self, Import, RejectedFile, Staging};
use flowcrm_core::operations::Datum;
use flowcrm_core::{Error, ErrorCode};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tokio::sync::Mutex;

use crate::job::Job;
use crate::output;
use crate::runtime::{Home, Owned};

/// A file that is being taken in.
#[pyclass(frozen, module = "flowcrm._native")]
pub(crate) struct Upload(Owned<Arc<Mutex<Option<Staging>>>>);

impl Upload {
    pub(crate) fn new(staging: Staging, home: Home) -> Self {
        Self(Owned::new(Arc::new(Mutex::new(Some(staging))), home))
    }
}

#[pymethods]
impl Upload {
    /// Takes the next piece.
    fn push(&self, piece: Vec<u8>) -> Job {
        let staging = Arc::clone(&self.0);
        let work = async move { staging.lock().await.as_mut().ok_or_else(ended)?.push(&piece).await };
        Job::silent(self.0.home(), work)
    }

    /// Ends the file, and works on the import; both go on when nobody waits for them any more.
    fn run(&self) -> Job {
        let (staging, home) = (Arc::clone(&self.0), self.0.home());
        let work = async move { staging.lock().await.take().ok_or_else(ended)?.run().await };
        Job::new(home, work, move |py, run| {
            Ok(Bound::new(py, ImportRun::new(run, home))?.into_any().unbind())
        })
    }

    /// Throws away what has been taken in.
    fn abandon(&self) -> Job {
        let staging = Arc::clone(&self.0);
        Job::silent(self.0.home(), async move {
            if let Some(staging) = staging.lock().await.take() {
                staging.abandon().await;
            }
            Ok(())
        })
    }
}

/// An import that is worked on and watched.
#[pyclass(frozen, module = "flowcrm._native")]
pub(crate) struct ImportRun(Owned<Arc<Mutex<imports::ImportRun>>>);

impl ImportRun {
    fn new(run: imports::ImportRun, home: Home) -> Self {
        Self(Owned::new(Arc::new(Mutex::new(run)), home))
    }
}

#[pymethods]
impl ImportRun {
    /// The import, as soon as something about it has changed; nothing after it has come to its end.
    fn next(&self) -> Job {
        let run = Arc::clone(&self.0);
        let work = async move { run.lock().await.next().await };
        Job::new(self.0.home(), work, |py, watched| match watched {
            Some(watched) => import(py, watched),
            None => Ok(py.None()),
        })
    }
}

/// A CSV file that is being written.
#[pyclass(frozen, module = "flowcrm._native")]
pub(crate) struct Chunks(Owned<Arc<Mutex<Source>>>);

/// What it is written from.
pub(crate) enum Source {
    Export(Box<Export>),
    Rejected(Box<RejectedFile>),
}

impl Chunks {
    pub(crate) fn new(source: Source, home: Home) -> Self {
        Self(Owned::new(Arc::new(Mutex::new(source)), home))
    }
}

#[pymethods]
impl Chunks {
    /// The next piece; nothing after the last.
    fn next(&self) -> Job {
        let source = Arc::clone(&self.0);
        let work = async move {
            match &mut *source.lock().await {
                Source::Export(export) => export.next_chunk().await,
                Source::Rejected(file) => file.next_chunk().await,
            }
        };
        Job::new(self.0.home(), work, |py, chunk| match chunk {
            Some(chunk) => Ok(PyBytes::new(py, &chunk).into_any().unbind()),
            None => Ok(py.None()),
        })
    }
}

fn import(py: Python<'_>, import: Import) -> PyResult<Py<PyAny>> {
    let record = Datum::of(&import).map_err(|error| crate::error::exception(py, &Error::internal(error)))?;
    output::datum(py, record)
}

fn ended() -> Error {
    Error::new(ErrorCode::Conflict, "The file has ended.")
}
