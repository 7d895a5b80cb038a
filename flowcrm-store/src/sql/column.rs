//! One column of many rows, as Postgres takes it: an array.

use chrono::{DateTime, Utc};
use flowcrm_core::time::Timestamp;
use flowcrm_core::{Error, Result};
use sqlx::Arguments as _;
use sqlx::postgres::PgArguments;
use uuid::Uuid;

use super::{Kind, Value};

/// The values of a column, all of one kind.
pub(super) enum Column {
    Uuid(Vec<Option<Uuid>>),
    Text(Vec<Option<String>>),
    Int(Vec<Option<i64>>),
    Bool(Vec<bool>),
    Time(Vec<Option<DateTime<Utc>>>),
    Json(Vec<Option<serde_json::Value>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

impl Column {
    /// An empty column of a kind, with room for so many values.
    pub(super) fn of(kind: Kind, room: usize) -> Self {
        match kind {
            Kind::Uuid => Self::Uuid(Vec::with_capacity(room)),
            Kind::Text => Self::Text(Vec::with_capacity(room)),
            Kind::Int => Self::Int(Vec::with_capacity(room)),
            Kind::Bool => Self::Bool(Vec::with_capacity(room)),
            Kind::Time => Self::Time(Vec::with_capacity(room)),
            Kind::Json => Self::Json(Vec::with_capacity(room)),
            Kind::Bytes => Self::Bytes(Vec::with_capacity(room)),
        }
    }

    /// What Postgres calls the array.
    pub(super) const fn array_type(&self) -> &'static str {
        match self {
            Self::Uuid(_) => "uuid[]",
            Self::Text(_) => "text[]",
            Self::Int(_) => "bigint[]",
            Self::Bool(_) => "boolean[]",
            Self::Time(_) => "timestamptz[]",
            Self::Json(_) => "jsonb[]",
            Self::Bytes(_) => "bytea[]",
        }
    }

    pub(super) fn push(&mut self, value: Value) -> Result<()> {
        match (self, value) {
            (Self::Uuid(values), Value::Uuid(value)) => values.push(value),
            (Self::Text(values), Value::Text(value)) => values.push(value),
            (Self::Int(values), Value::Int(value)) => values.push(value),
            (Self::Bool(values), Value::Bool(value)) => values.push(value),
            (Self::Time(values), Value::Time(value)) => values.push(value.map(Timestamp::to_utc)),
            (Self::Json(values), Value::Json(value)) => values.push(value),
            (Self::Bytes(values), Value::Bytes(value)) => values.push(value),
            _ => return Err(Error::internal("rows whose values are not of the same kinds")),
        }
        Ok(())
    }

    pub(super) fn bind(self, arguments: &mut PgArguments) -> Result<()> {
        match self {
            Self::Uuid(values) => arguments.add(values),
            Self::Text(values) => arguments.add(values),
            Self::Int(values) => arguments.add(values),
            Self::Bool(values) => arguments.add(values),
            Self::Time(values) => arguments.add(values),
            Self::Json(values) => arguments.add(values),
            Self::Bytes(values) => arguments.add(values),
        }
        .map_err(Error::internal)
    }
}
