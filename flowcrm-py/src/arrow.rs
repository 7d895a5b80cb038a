//! Lists as tables of Arrow: fetched page by page while a library reads them.

use std::error::Error as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Decimal128Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{ArrayRef, RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};
use flowcrm_core::input::Body;
use flowcrm_core::operations::{Arguments, Datum, Operation};
use flowcrm_core::time::Timestamp;
use flowcrm_core::worker::panic_message;
use flowcrm_core::{Caller, Error, Result};
use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use tokio::runtime::Runtime;

use crate::error::exception;
use crate::names::snake_case;
use crate::runtime::{Owned, runtime};

/// Digits of money in a table, and those of them behind the point: more than any currency has.
const DIGITS: u8 = 18;
const DECIMALS: i8 = 4;

/// Records fetched at once, when the query does not say.
const AT_ONCE: i64 = 200;

/// A list that can be read as a table, once, by the `PyCapsule` interface of Arrow.
#[pyclass(frozen, module = "flowcrm._native")]
pub(crate) struct ArrowStream(Mutex<Option<Table>>);

impl ArrowStream {
    pub(crate) fn new(table: Table) -> Self {
        Self(Mutex::new(Some(table)))
    }
}

#[pymethods]
impl ArrowStream {
    /// The stream, as a capsule that the reading library takes over. Another schema than its own is not offered.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema);
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let table = table.ok_or_else(|| PyValueError::new_err("a table of Arrow is read once"))?;
        table.caller.home().check().map_err(|error| exception(py, &error))?;
        PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(table)), c"arrow_array_stream")
    }
}

/// A list, from where its next page begins.
pub(crate) struct Table {
    caller: Owned<Arc<Caller>>,
    runtime: &'static Runtime,
    list: &'static Operation,
    /// None after the last page.
    query: Option<Body>,
    schema: SchemaRef,
    /// The columns by their names in the core.
    names: Vec<String>,
}

impl Table {
    pub(crate) fn new(
        caller: Owned<Arc<Caller>>,
        list: &'static Operation,
        query: Body,
        columns: &[(String, String)],
    ) -> Result<Self> {
        let query = if query.has("limit") { query } else { query.with("limit", AT_ONCE) };
        let fields: Vec<Field> = columns
            .iter()
            .map(|(name, kind)| Field::new(snake_case(name), column_type(kind), true))
            .collect();
        let names = columns.iter().map(|(name, _)| name.clone()).collect();
        let schema = Arc::new(Schema::new(fields));
        Ok(Self { caller, runtime: runtime()?, list, query: Some(query), schema, names })
    }

    fn page(&mut self, query: Body) -> Result<RecordBatch, ArrowError> {
        let arguments = Arguments { fields: query.clone(), ..Arguments::default() };
        self.caller.home().check().map_err(refused)?;
        let answer = self.runtime.block_on(self.list.call(&self.caller, arguments)).map_err(refused)?;
        // What is counted at all is counted once.
        self.query = answer.next.map(|next| query.with("cursor", next).with("count", false));
        let records = match answer.value {
            Datum::List(records) => records,
            other => vec![other],
        };
        let column = |(name, field): (&String, &Arc<Field>)| {
            column(records.iter().map(|record| record.get(name).unwrap_or(&Datum::Null)), field.data_type())
        };
        let columns = self.names.iter().zip(self.schema.fields()).map(column).collect::<Result<_, _>>()?;
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
    }
}

impl Iterator for Table {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let query = self.query.take()?;
        // A panic must not reach the library in C that reads.
        let page = catch_unwind(AssertUnwindSafe(|| without_gil(|| self.page(query))));
        Some(page.unwrap_or_else(|panic| Err(ArrowError::ComputeError(panic_message(&*panic)))))
    }
}

impl RecordBatchReader for Table {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

/// What the library that reads is told. It knows no cause, so that goes to the log.
fn refused(error: Error) -> ArrowError {
    if let Some(cause) = error.source() {
        tracing::error!(target: "flowcrm", %cause, "a table could not be read on: {error}");
    }
    ArrowError::InvalidArgumentError(error.to_string())
}

/// Works without the GIL, also when the library that reads has it.
fn without_gil<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    // SAFETY: it is asked of the thread itself, which any thread may do at any time.
    #[allow(unsafe_code, reason = "pyo3 does not tell whether a thread is known to Python")]
    let is_known = !unsafe { ffi::PyGILState_GetThisThreadState() }.is_null();
    // A thread that Python does not know has no GIL, and must not wait for one that whoever waits for it may have.
    if is_known { Python::attach(|py| py.detach(work)) } else { work() }
}

/// What a field of this kind is in a table; the kinds are those of the generated columns.
fn column_type(kind: &str) -> DataType {
    match kind {
        "money" => DataType::Decimal128(DIGITS, DECIMALS),
        "moment" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        "integer" => DataType::Int64,
        "boolean" => DataType::Boolean,
        _ => DataType::Utf8,
    }
}

fn column<'a>(values: impl Iterator<Item = &'a Datum>, kind: &DataType) -> Result<ArrayRef, ArrowError> {
    let mut built: Box<dyn ArrayBuilder> = match kind {
        DataType::Decimal128(..) => {
            let mut column = Decimal128Builder::new().with_precision_and_scale(DIGITS, DECIMALS)?;
            for value in values {
                column.append_option(scaled(value)?);
            }
            Box::new(column)
        }
        DataType::Timestamp(..) => {
            let mut column = TimestampMicrosecondBuilder::new().with_timezone("UTC");
            for value in values {
                let moment = value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
                column.append_option(moment.map(|moment| moment.to_utc().timestamp_micros()));
            }
            Box::new(column)
        }
        DataType::Int64 => {
            let mut column = Int64Builder::new();
            for value in values {
                column.append_option(if let Datum::Integer(number) = value { Some(*number) } else { None });
            }
            Box::new(column)
        }
        DataType::Boolean => {
            let mut column = BooleanBuilder::new();
            for value in values {
                column.append_option(if let Datum::Bool(truth) = value { Some(*truth) } else { None });
            }
            Box::new(column)
        }
        _ => {
            let mut column = StringBuilder::new();
            for value in values {
                column.append_option(value.as_str());
            }
            Box::new(column)
        }
    };
    Ok(built.finish())
}

/// Money as a whole number of its smallest decimals in a table.
fn scaled(value: &Datum) -> Result<Option<i128>, ArrowError> {
    let Datum::Money(spelled) = value else { return Ok(None) };
    let (whole, fraction) = spelled.split_once('.').unwrap_or((spelled, ""));
    let digits = format!("{whole}{fraction:0<width$}", width = usize::from(DECIMALS.unsigned_abs()));
    let scaled = digits.parse().map_err(|error| ArrowError::ExternalError(Box::new(Error::internal(error))));
    scaled.map(Some)
}
