//! Errors of the core as exceptions, by the class that the core's table names.

use std::error::Error as _;

use flowcrm_core::{Error, ErrorCode};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::log;
use crate::names::snake_case;

/// The exception for an error. Its cause, which nobody is shown, goes to the logger `flowcrm`.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    made(py, error).map_or_else(|failure| failure, PyErr::from_value)
}

fn made<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let code = error.code();
    if let Some(cause) = error.source() {
        log::say(py, "error", &format!("{}: {cause}", code.slug()));
    }
    let errors = PyList::empty(py);
    let mut sentences = Vec::new();
    for bad in error.fields() {
        let (field, of_field) = (field_name(&bad.field), PyDict::new(py));
        of_field.set_item("field", &field)?;
        of_field.set_item("message", &bad.message)?;
        errors.append(of_field)?;
        sentences.push(format!("{field} {}", bad.message));
    }
    let message = if sentences.is_empty() { error.detail().to_owned() } else { sentences.join("; ") };
    let class = py.import("flowcrm.errors")?.getattr(code.python_class())?;
    class.call1((message, code.slug(), code.status(), errors))
}

/// A field's name, which may have parts: `options.mapping.assignedTo`.
fn field_name(name: &str) -> String {
    name.split('.').map(snake_case).collect::<Vec<_>>().join(".")
}

/// All codes of errors: slug, status and class.
#[pyfunction]
pub(crate) fn codes() -> Vec<(&'static str, u16, &'static str)> {
    ErrorCode::ALL.iter().map(|code| (code.slug(), code.status(), code.python_class())).collect()
}
