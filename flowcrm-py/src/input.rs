//! Values on their way in: what Python gives, as JSON for the core to check.

use flowcrm_core::error::FieldError;
use flowcrm_core::input::{Body, recognizable};
use flowcrm_core::{Error, Result};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use serde_json::{Map, Number, Value};

use crate::names::{camel_case, snake_case};

/// So many levels of lists and dictionaries a value may have.
const DEEPEST: usize = 32;

/// The most digits of a whole number; the core's bounds are far below.
const MOST_DIGITS: usize = 40;

/// The fields of a command or query. Their names, and those in a dictionary right inside, are Python's; deeper ones
/// are data.
///
/// # Errors
///
/// `validation_failed` for all values that cannot be said in JSON.
pub(crate) fn body(fields: Option<&Bound<'_, PyDict>>) -> Result<Body> {
    let (mut object, mut bad) = (Map::new(), Vec::new());
    // Other threads may change the dictionary meanwhile.
    let fields = fields.map(PyDictMethods::copy).transpose().map_err(Error::internal)?;
    for (name, value) in fields.iter().flatten() {
        let Some(name) = text(&name) else {
            bad.push(FieldError::new("?", "is no name"));
            continue;
        };
        match (camel_case(&name), json(&value, 1)) {
            (None, _) => bad.push(FieldError::new(recognizable(&name), "is not a field here")),
            (Some(name), Ok(value)) => {
                object.insert(name, value);
            }
            (Some(name), Err(message)) => bad.push(FieldError::new(snake_case(&name), message)),
        }
    }
    if bad.is_empty() { Body::try_from(Value::Object(object)) } else { Err(Error::invalid(bad)) }
}

/// An id, by any object that prints as one.
pub(crate) fn id(value: &Bound<'_, PyAny>) -> Result<String> {
    let printed = value.str().ok().and_then(|printed| text(printed.as_any()));
    printed.ok_or_else(|| Error::field("id", "must be an id"))
}

/// The version of a record.
pub(crate) fn version(value: &Bound<'_, PyAny>) -> Result<i64> {
    let number = if value.is_instance_of::<PyBool>() { None } else { value.extract().ok() };
    number.ok_or_else(|| Error::field("version", "must be a whole number"))
}

/// An idempotency key.
pub(crate) fn key(value: &Bound<'_, PyAny>) -> Result<String> {
    text(value).ok_or_else(|| Error::field("Idempotency-Key", "must be text"))
}

/// Text without lone surrogates.
pub(crate) fn text(value: &Bound<'_, PyAny>) -> Option<String> {
    value.cast::<PyString>().ok()?.to_str().ok().map(str::to_owned)
}

/// A value as JSON, or what is wrong with it.
fn json(value: &Bound<'_, PyAny>, depth: usize) -> Result<Value, String> {
    if depth > DEEPEST {
        return Err(format!("must have at most {DEEPEST} levels"));
    }
    if value.is_none() {
        return Ok(Value::Null);
    }
    if let Ok(text) = value.cast::<PyString>() {
        let text = text.to_str().map_err(|_| "must be text without lone surrogates")?;
        return Ok(Value::String(text.to_owned()));
    }
    if let Ok(truth) = value.cast::<PyBool>() {
        return Ok(Value::Bool(truth.is_true()));
    }
    if value.is_instance_of::<PyInt>() {
        // To print a number of thousands of digits is refused, or takes long.
        let bits: usize =
            value.call_method0("bit_length").and_then(|bits| bits.extract()).unwrap_or(usize::MAX);
        return if bits > MOST_DIGITS * 3 { Err("is too large a number".to_owned()) } else { number(value) };
    }
    if value.is_instance_of::<PyFloat>() {
        let is_finite = value.extract::<f64>().is_ok_and(f64::is_finite);
        return if is_finite { number(value) } else { Err("must be a finite number".to_owned()) };
    }
    if let Ok(items) = value.cast::<PyList>() {
        return items.iter().map(|item| json(&item, depth + 1)).collect();
    }
    if let Ok(items) = value.cast::<PyTuple>() {
        return items.iter().map(|item| json(&item, depth + 1)).collect();
    }
    if let Ok(entries) = value.cast::<PyDict>() {
        return object(entries, depth);
    }
    let known = Known::get(value.py()).map_err(|error| error.to_string())?;
    if is_a(value, &known.decimal) {
        let is_finite = value.call_method0("is_finite").and_then(|it| it.extract::<bool>());
        return if is_finite.unwrap_or(false) {
            number(value)
        } else {
            Err("must be a finite number".to_owned())
        };
    }
    if is_a(value, &known.datetime) {
        let has_zone = value.call_method0("utcoffset").is_ok_and(|offset| !offset.is_none());
        return if has_zone { printed(value, "isoformat") } else { Err("must have a time zone".to_owned()) };
    }
    if is_a(value, &known.date) {
        return printed(value, "isoformat");
    }
    if is_a(value, &known.uuid) {
        return printed(value, "__str__");
    }
    Err("must be text, a number, a date, true or false, a list, a dictionary or None".to_owned())
}

fn object(entries: &Bound<'_, PyDict>, depth: usize) -> Result<Value, String> {
    let mut object = Map::new();
    for (name, value) in entries.copy().map_err(|error| error.to_string())? {
        let name = text(&name).ok_or("must have texts as its keys")?;
        let name = if depth == 1 { camel_case(&name).unwrap_or(name) } else { name };
        object.insert(name, json(&value, depth + 1)?);
    }
    Ok(Value::Object(object))
}

/// A number by how it prints, digit by digit.
fn number(value: &Bound<'_, PyAny>) -> Result<Value, String> {
    let spelled = value.str().ok().and_then(|printed| text(printed.as_any()));
    let number = spelled.and_then(|spelled| spelled.parse::<Number>().ok());
    number.map(Value::Number).ok_or_else(|| "must be a number".to_owned())
}

fn printed(value: &Bound<'_, PyAny>, method: &str) -> Result<Value, String> {
    let printed = value.call_method0(method).ok().and_then(|printed| text(&printed));
    printed.map(Value::String).ok_or_else(|| "cannot be written as text".to_owned())
}

fn is_a(value: &Bound<'_, PyAny>, class: &Py<PyAny>) -> bool {
    value.is_instance(class.bind(value.py())).unwrap_or(false)
}

/// Classes of the standard library.
struct Known {
    decimal: Py<PyAny>,
    datetime: Py<PyAny>,
    date: Py<PyAny>,
    uuid: Py<PyAny>,
}

impl Known {
    fn get(py: Python<'_>) -> PyResult<&Self> {
        static KNOWN: PyOnceLock<Known> = PyOnceLock::new();
        KNOWN.get_or_try_init(py, || {
            let class = |module: &str, name: &str| Ok::<_, PyErr>(py.import(module)?.getattr(name)?.unbind());
            Ok(Self {
                decimal: class("decimal", "Decimal")?,
                datetime: class("datetime", "datetime")?,
                date: class("datetime", "date")?,
                uuid: class("uuid", "UUID")?,
            })
        })
    }
}
