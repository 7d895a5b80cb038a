use flowcrm_core::ids::{
    ActivityId, AuditEntryId, DealId, ImportId, LeadId, NotificationId, OrgId, SessionId, TaskId, UserId,
};
use flowcrm_core::time::Timestamp;
use sqlx::Arguments as _;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use uuid::Uuid;

/// A value bound to a placeholder. Absent values keep their type, as Postgres wants to know it.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Uuid(Option<Uuid>),
    Text(Option<String>),
    Int(Option<i64>),
    Bool(bool),
    Time(Option<Timestamp>),
    Json(Option<serde_json::Value>),
    Bytes(Option<Vec<u8>>),
}

/// The kinds of values that columns hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Uuid,
    Text,
    Int,
    Bool,
    Time,
    Json,
    Bytes,
}

impl Value {
    /// What kind of value it is, also when it is absent.
    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::Uuid(_) => Kind::Uuid,
            Self::Text(_) => Kind::Text,
            Self::Int(_) => Kind::Int,
            Self::Bool(_) => Kind::Bool,
            Self::Time(_) => Kind::Time,
            Self::Json(_) => Kind::Json,
            Self::Bytes(_) => Kind::Bytes,
        }
    }

    /// A text, or an id as text.
    pub(super) fn to_text(&self) -> Option<String> {
        match self {
            Self::Text(text) => text.clone(),
            Self::Uuid(id) => id.map(|id| id.to_string()),
            _ => None,
        }
    }

    pub(crate) fn bind_postgres(self, arguments: &mut PgArguments) -> Result<(), BoxDynError> {
        match self {
            Self::Uuid(value) => arguments.add(value),
            Self::Text(value) => arguments.add(value),
            Self::Int(value) => arguments.add(value),
            Self::Bool(value) => arguments.add(value),
            Self::Time(value) => arguments.add(value.map(Timestamp::to_utc)),
            Self::Json(value) => arguments.add(value),
            Self::Bytes(value) => arguments.add(value),
        }
    }

    pub(crate) fn bind_sqlite(self, arguments: &mut SqliteArguments) -> Result<(), BoxDynError> {
        match self {
            Self::Uuid(value) => arguments.add(value),
            Self::Text(value) => arguments.add(value),
            Self::Int(value) => arguments.add(value),
            Self::Bool(value) => arguments.add(value),
            // Always the same length and offset, so that the text sorts as time does.
            Self::Time(value) => arguments.add(value.map(Timestamp::to_sortable_text)),
            Self::Json(value) => arguments.add(value.map(|value| value.to_string())),
            Self::Bytes(value) => arguments.add(value),
        }
    }
}

macro_rules! conversions {
    ($($kind:ty => |$value:ident| $converted:expr;)*) => {$(
        impl From<$kind> for Value {
            fn from($value: $kind) -> Self {
                $converted
            }
        }
    )*};
}

conversions! {
    Uuid => |value| Self::Uuid(Some(value));
    Option<Uuid> => |value| Self::Uuid(value);
    String => |value| Self::Text(Some(value));
    &String => |value| Self::Text(Some(value.clone()));
    &str => |value| Self::Text(Some(value.to_owned()));
    Option<String> => |value| Self::Text(value);
    &Option<String> => |value| Self::Text(value.clone());
    Option<&str> => |value| Self::Text(value.map(str::to_owned));
    i64 => |value| Self::Int(Some(value));
    usize => |value| Self::Int(i64::try_from(value).ok());
    Option<i64> => |value| Self::Int(value);
    bool => |value| Self::Bool(value);
    Timestamp => |value| Self::Time(Some(value));
    Option<Timestamp> => |value| Self::Time(value);
    serde_json::Value => |value| Self::Json(Some(value));
    Option<serde_json::Value> => |value| Self::Json(value);
    Vec<u8> => |value| Self::Bytes(Some(value));
    Option<Vec<u8>> => |value| Self::Bytes(value);
    &[u8] => |value| Self::Bytes(Some(value.to_vec()));
}

macro_rules! id_conversions {
    ($($id:ty)*) => {$(
        conversions! {
            $id => |value| Self::Uuid(Some(value.as_uuid()));
            Option<$id> => |value| Self::Uuid(value.map(<$id>::as_uuid));
        }
    )*};
}

id_conversions! { OrgId UserId LeadId DealId TaskId ActivityId NotificationId SessionId AuditEntryId ImportId }

/// The values of a statement's placeholders, in order.
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::sql::Value::from($value)),*] };
}

pub(crate) use args;
