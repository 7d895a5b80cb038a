//! Values on their way out: what the core answers, as Python has it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use flowcrm_core::operations::{Answer, Datum};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString};

use crate::names::snake_case;

/// So many names are kept ready; those of the core are some hundred.
const NAMES_KEPT: usize = 2_000;

/// A page: its records, where the next one begins, and how many records there are in all.
pub(crate) fn page(py: Python<'_>, answer: Answer) -> PyResult<Py<PyAny>> {
    let Answer { value, next, total } = answer;
    Ok((datum(py, value)?, next, total).into_pyobject(py)?.into_any().unbind())
}

/// A value: money as `Decimal`, moments as `datetime` with a time zone, records as dictionaries.
pub(crate) fn datum(py: Python<'_>, datum: Datum) -> PyResult<Py<PyAny>> {
    Ok(Writer { py, classes: Classes::get(py)? }.write(datum)?.unbind())
}

struct Writer<'py> {
    py: Python<'py>,
    classes: &'static Classes,
}

impl<'py> Writer<'py> {
    fn write(&self, datum: Datum) -> PyResult<Bound<'py, PyAny>> {
        let py = self.py;
        Ok(match datum {
            Datum::Null => py.None().into_bound(py),
            Datum::Bool(value) => value.into_pyobject(py)?.to_owned().into_any(),
            Datum::Integer(value) => value.into_pyobject(py)?.into_any(),
            Datum::Number(spelled) | Datum::Money(spelled) => {
                self.classes.decimal.bind(py).call1((spelled,))?
            }
            Datum::Moment(text) => self.classes.moment.bind(py).call1((text,))?,
            Datum::Text(text) => PyString::new(py, &text).into_any(),
            Datum::List(items) => {
                let items: Vec<_> =
                    items.into_iter().map(|item| self.write(item)).collect::<PyResult<_>>()?;
                PyList::new(py, items)?.into_any()
            }
            Datum::Record(fields) => {
                let record = PyDict::new(py);
                for (name, value) in fields {
                    record.set_item(self.name(name), self.write(value)?)?;
                }
                record.into_any()
            }
        })
    }

    fn name(&self, name: Cow<'static, str>) -> Bound<'py, PyString> {
        let mut names = self.classes.names.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(written) = names.get(&name) {
            return written.bind(self.py).clone();
        }
        let written = PyString::new(self.py, &snake_case(&name));
        if names.len() < NAMES_KEPT {
            names.insert(name, written.clone().unbind());
        }
        written
    }
}

/// What values are made with.
struct Classes {
    decimal: Py<PyAny>,
    moment: Py<PyAny>,
    names: Mutex<HashMap<Cow<'static, str>, Py<PyString>>>,
}

impl Classes {
    fn get(py: Python<'_>) -> PyResult<&'static Self> {
        static CLASSES: PyOnceLock<Classes> = PyOnceLock::new();
        CLASSES.get_or_try_init(py, || {
            Ok(Self {
                decimal: py.import("decimal")?.getattr("Decimal")?.unbind(),
                moment: py.import("datetime")?.getattr("datetime")?.getattr("fromisoformat")?.unbind(),
                names: Mutex::default(),
            })
        })
    }
}
