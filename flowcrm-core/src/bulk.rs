//! Bulk commands: one change to many records, each by its own right.

use std::str::FromStr;

use serde::Serialize;
use uuid::Uuid;

use crate::error::{Error, ErrorCode, Result};
use crate::input::{Body, Command, Fields, boolean, id, list};

/// The most records of one bulk command.
pub const MAX_BULK: usize = 500;

/// What a bulk command does with each record.
#[derive(Debug, Clone, PartialEq)]
pub enum BulkChange {
    /// Changes it as an update with this body would.
    Set(Body),
    /// Deletes it.
    Delete,
}

/// A bulk command: `{ids, set: {...}}` or `{ids, delete: true}`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bulk<I> {
    pub(crate) ids: Vec<I>,
    pub(crate) change: BulkChange,
}

impl<I: FromStr> Command for Bulk<I> {
    fn decode(fields: &mut Fields) -> Self {
        let ids = fields.required("ids", list(1..=MAX_BULK, id)).unwrap_or_default();
        let set = fields.optional("set", |value| {
            Body::try_from(value.clone()).map_err(|_| "must be an object".to_owned())
        });
        let delete = fields.optional("delete", boolean).unwrap_or_default();
        let change = match (set, delete) {
            (Some(set), false) => BulkChange::Set(set),
            (None, true) => BulkChange::Delete,
            (Some(_), true) => {
                fields.refuse("delete", "cannot go with set");
                BulkChange::Delete
            }
            (None, false) => {
                // One that is no object has been refused already.
                if fields.optional("set", |_| Ok(())).is_none() {
                    fields.refuse("set", "is required, unless delete is true");
                }
                BulkChange::Delete
            }
        };
        Self { ids, change }
    }
}

/// The ids with their places, ascending: bulk commands that share records lock them in the same order, so that one
/// waits for the other instead of both for each other.
pub(crate) fn in_lock_order<I: Ord + Copy>(ids: &[I]) -> Vec<(usize, I)> {
    let mut placed: Vec<(usize, I)> = ids.iter().copied().enumerate().collect();
    placed.sort_by_key(|(_, id)| *id);
    placed
}

const fn ends_the_whole(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::Conflict | ErrorCode::Internal | ErrorCode::Unavailable)
}

/// How a bulk command went for one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct BulkOutcome {
    /// The record's id.
    pub id: Uuid,
    /// Whether it was done.
    pub ok: bool,
    /// Why not: the code of the error.
    pub code: Option<String>,
    /// Why not, in a sentence.
    pub message: Option<String>,
}

impl BulkOutcome {
    /// The outcome for the record `id`. What went wrong with the transaction, rather than with the record, ends the
    /// whole: the database, or somebody who was faster.
    pub(crate) fn of(id: impl Into<Uuid>, done: Result<()>) -> Result<Self> {
        let id = id.into();
        match done {
            Ok(()) => Ok(Self { id, ok: true, code: None, message: None }),
            Err(error) if ends_the_whole(error.code()) => Err(error),
            Err(error) => Ok(Self::refused(id, &error)),
        }
    }

    /// Outcomes in the order that the client asked for, out of the order that the records were locked in.
    pub(crate) fn in_asked_order(mut outcomes: Vec<(usize, Self)>) -> Vec<Self> {
        outcomes.sort_by_key(|(place, _)| *place);
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }

    fn refused(id: Uuid, error: &Error) -> Self {
        Self { id, ok: false, code: Some(error.code().slug().to_owned()), message: Some(error.to_string()) }
    }
}
