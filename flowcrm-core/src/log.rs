//! The event log, read: what happened, in order, to those who were there to see it.

use async_trait::async_trait;

use crate::caller::Caller;
use crate::error::Result;
use crate::events::{EventViewer, LoggedEvent};
use crate::input::{Asked, Command, Fields, in_query, integer};
use crate::page::page_limit;

/// Where the log is kept; it is written when a transaction commits.
#[async_trait]
pub trait LogRepository: Send {
    /// Up to `limit` events after a position that the viewer is in the audience of, ascending.
    async fn after(&mut self, viewer: EventViewer, position: i64, limit: usize) -> Result<Vec<LoggedEvent>>;

    /// The newest events that the viewer is in the audience of, newest first.
    async fn newest(&mut self, viewer: EventViewer, limit: usize) -> Result<Vec<LoggedEvent>>;
}

/// Which part of the log is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct EventQuery {
    /// Only events after this position; from the beginning when absent.
    pub after: Option<i64>,
    /// How many at most, 1 to 1,000; 50 when absent.
    pub limit: Option<i64>,
}

impl Command for EventQuery {
    fn decode(fields: &mut Fields) -> Self {
        Self {
            after: fields.optional("after", in_query(integer(0..=i64::MAX))),
            limit: i64::try_from(page_limit(fields, 1_000)).ok(),
        }
    }
}

/// What a caller may read of the log.
#[derive(Debug)]
pub struct Events<'a> {
    caller: &'a Caller,
}

impl<'a> Events<'a> {
    pub(crate) const fn new(caller: &'a Caller) -> Self {
        Self { caller }
    }

    /// Lists events that the caller is in the audience of, ascending by position.
    ///
    /// # Errors
    ///
    /// `validation_failed` for a bad query.
    pub async fn list(&self, query: impl Into<Asked<EventQuery>>) -> Result<Vec<LoggedEvent>> {
        let mut work = self.caller.read().await?;
        let query = query.into().read(work.actor().currency)?;
        let viewer = EventViewer::from(work.actor());
        let limit = query.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(50);
        work.log().after(viewer, query.after.unwrap_or(0), limit).await
    }
}
