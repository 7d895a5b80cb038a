//! A caller: one user, by whose rights everything is done.

use std::sync::Arc;

use flowcrm_core::exports::ExportKind;
use flowcrm_core::imports::ImportKind;
use flowcrm_core::operations::{Arguments, Kind, OPERATIONS, Operation};
use flowcrm_core::{Error, Result};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrow::{ArrowStream, Table};
use crate::error::exception;
use crate::files::{Chunks, Source, Upload};
use crate::job::Job;
use crate::runtime::{Home, Owned};
use crate::{input, names, output};

/// One user, and through them everything that they may do.
#[pyclass(frozen, module = "flowcrm._native")]
pub(crate) struct Caller(Owned<Arc<flowcrm_core::Caller>>);

impl Caller {
    pub(crate) fn new(caller: flowcrm_core::Caller, home: Home) -> Self {
        Self(Owned::new(Arc::new(caller), home))
    }
}

#[pymethods]
impl Caller {
    /// The user's id.
    #[getter]
    fn user_id(&self) -> String {
        self.0.user_id().to_string()
    }

    /// Asks for an operation. A list gives a page: its records, where the next one begins, and how many there are.
    #[pyo3(signature = (operation, fields=None, *, id=None, version=None, idempotency_key=None))]
    fn call(
        &self,
        py: Python<'_>,
        operation: &str,
        fields: Option<&Bound<'_, PyDict>>,
        id: Option<&Bound<'_, PyAny>>,
        version: Option<&Bound<'_, PyAny>>,
        idempotency_key: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Job> {
        let asked = || {
            let arguments = Arguments {
                id: id.map(input::id).transpose()?,
                fields: input::body(fields)?,
                version: version.map(input::version).transpose()?,
                idempotency_key: idempotency_key.map(input::key).transpose()?,
            };
            Ok::<_, Error>((names::operation(operation)?, arguments))
        };
        let (operation, arguments) = asked().map_err(|error| exception(py, &error))?;
        let caller = Arc::clone(&self.0);
        let work = async move { operation.call(&caller, arguments).await };
        Ok(Job::new(self.0.home(), work, |py, answer| match operation.kind {
            Kind::Lists => output::page(py, answer),
            _ => output::datum(py, answer.value),
        }))
    }

    /// Begins to take in a file of leads or deals.
    fn begin_import(
        &self,
        py: Python<'_>,
        kind: &str,
        file_name: String,
        options: &Bound<'_, PyDict>,
    ) -> PyResult<Job> {
        let asked =
            || Ok::<_, Error>((kind.parse::<ImportKind>().map_err(unknown)?, input::body(Some(options))?));
        let (kind, options) = asked().map_err(|error| exception(py, &error))?;
        let (caller, home) = (Arc::clone(&self.0), self.0.home());
        let work = async move { caller.imports().begin(kind, options, file_name).await };
        Ok(Job::new(home, work, move |py, staging| {
            Ok(Bound::new(py, Upload::new(staging, home))?.into_any().unbind())
        }))
    }

    /// Begins to write the rejected rows of an import as a CSV file.
    fn rejected_file(&self, py: Python<'_>, id: &Bound<'_, PyAny>) -> PyResult<Job> {
        let id = import_id(py, id)?;
        let caller = Arc::clone(&self.0);
        let work = async move { caller.imports().rejected_file(id).await };
        Ok(self.chunks(async move { Ok(Source::Rejected(Box::new(work.await?))) }))
    }

    /// Begins to write leads, deals or tasks as a CSV file.
    fn export(&self, py: Python<'_>, kind: &str, filters: &Bound<'_, PyDict>) -> PyResult<Job> {
        let asked =
            || Ok::<_, Error>((kind.parse::<ExportKind>().map_err(unknown)?, input::body(Some(filters))?));
        let (kind, filters) = asked().map_err(|error| exception(py, &error))?;
        let caller = Arc::clone(&self.0);
        Ok(self.chunks(
            async move { Ok(Source::Export(Box::new(caller.exports().begin(kind, filters).await?))) },
        ))
    }

    /// All records of a list as a table.
    fn arrow(
        &self,
        py: Python<'_>,
        kind: &str,
        query: &Bound<'_, PyDict>,
        columns: Vec<(String, String)>,
    ) -> PyResult<ArrowStream> {
        let asked = || {
            let lists = |operation: &&Operation| operation.group == kind && operation.name == "list";
            let list = OPERATIONS.iter().find(lists).ok_or_else(|| Error::not_found("list"))?;
            let caller = Owned::new(Arc::clone(&self.0), self.0.home());
            Table::new(caller, list, input::body(Some(query))?, &columns)
        };
        Ok(ArrowStream::new(asked().map_err(|error| exception(py, &error))?))
    }
}

impl Caller {
    fn chunks(&self, work: impl Future<Output = Result<Source>> + Send + 'static) -> Job {
        let home = self.0.home();
        Job::new(home, work, move |py, source| {
            Ok(Bound::new(py, Chunks::new(source, home))?.into_any().unbind())
        })
    }
}

fn import_id(py: Python<'_>, id: &Bound<'_, PyAny>) -> PyResult<flowcrm_core::ids::ImportId> {
    let read = || input::id(id)?.parse().map_err(|_| Error::not_found("import"));
    read().map_err(|error: Error| exception(py, &error))
}

fn unknown(message: String) -> Error {
    Error::field("kind", message)
}
