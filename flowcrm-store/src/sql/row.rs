use std::fmt::Display;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use flowcrm_core::money::{Currency, Money};
use flowcrm_core::time::Timestamp;
use flowcrm_core::{Error, Result};
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Postgres, Row as _, Sqlite, Type};
use uuid::Uuid;

use super::{Kind, Value};

/// A row of either engine. What it holds was checked on the way in: anything else is an internal error.
pub(crate) enum Row {
    Postgres(PgRow),
    Sqlite(SqliteRow),
}

impl Row {
    /// A column as one of the types that both drivers decode.
    pub(crate) fn get<T>(&self, column: &str) -> Result<T>
    where
        T: for<'r> Decode<'r, Postgres> + Type<Postgres> + for<'r> Decode<'r, Sqlite> + Type<Sqlite>,
    {
        match self {
            Self::Postgres(row) => row.try_get(column),
            Self::Sqlite(row) => row.try_get(column),
        }
        .map_err(Error::internal)
    }

    pub(crate) fn id<T: From<Uuid>>(&self, column: &str) -> Result<T> {
        self.get::<Uuid>(column).map(T::from)
    }

    pub(crate) fn optional_id<T: From<Uuid>>(&self, column: &str) -> Result<Option<T>> {
        self.get::<Option<Uuid>>(column).map(|id| id.map(T::from))
    }

    pub(crate) fn text(&self, column: &str) -> Result<String> {
        self.get(column)
    }

    pub(crate) fn optional_text(&self, column: &str) -> Result<Option<String>> {
        self.get(column)
    }

    pub(crate) fn int(&self, column: &str) -> Result<i64> {
        self.get(column)
    }

    /// A count, which is never negative.
    pub(crate) fn count(&self, column: &str) -> Result<u64> {
        u64::try_from(self.int(column)?).map_err(Error::internal)
    }

    pub(crate) fn flag(&self, column: &str) -> Result<bool> {
        self.get(column)
    }

    pub(crate) fn bytes(&self, column: &str) -> Result<Vec<u8>> {
        self.get(column)
    }

    pub(crate) fn optional_bytes(&self, column: &str) -> Result<Option<Vec<u8>>> {
        self.get(column)
    }

    pub(crate) fn json(&self, column: &str) -> Result<serde_json::Value> {
        self.get(column)
    }

    pub(crate) fn optional_json(&self, column: &str) -> Result<Option<serde_json::Value>> {
        self.get(column)
    }

    pub(crate) fn time(&self, column: &str) -> Result<Timestamp> {
        self.get::<DateTime<Utc>>(column).map(Timestamp::new)
    }

    pub(crate) fn optional_time(&self, column: &str) -> Result<Option<Timestamp>> {
        self.get::<Option<DateTime<Utc>>>(column).map(|moment| moment.map(Timestamp::new))
    }

    /// Text that spells a value: an enum's word, an email.
    pub(crate) fn spelled<T: FromStr<Err: Display>>(&self, column: &str) -> Result<T> {
        let read = |error: T::Err| Error::internal(format!("{column}: {error}"));
        self.text(column)?.parse().map_err(read)
    }

    pub(crate) fn optional_spelled<T: FromStr<Err: Display>>(&self, column: &str) -> Result<Option<T>> {
        let read = |error: T::Err| Error::internal(format!("{column}: {error}"));
        self.optional_text(column)?.map(|text| text.parse().map_err(read)).transpose()
    }

    /// A column's value as it can be bound again.
    pub(crate) fn value(&self, column: &str, kind: Kind) -> Result<Value> {
        Ok(match kind {
            Kind::Uuid => Value::Uuid(self.get(column)?),
            Kind::Text => Value::Text(self.get(column)?),
            Kind::Int => Value::Int(self.get(column)?),
            Kind::Bool => Value::Bool(self.flag(column)?),
            Kind::Time => Value::Time(self.optional_time(column)?),
            Kind::Json => Value::Json(self.optional_json(column)?),
            Kind::Bytes => Value::Bytes(self.get(column)?),
        })
    }

    /// Minor units in `column`, of the currency in the column `currency`.
    pub(crate) fn money(&self, column: &str) -> Result<Money> {
        let currency: Currency = self.spelled("currency")?;
        Ok(Money::new(self.int(column)?, currency))
    }
}
