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

/// So many bytes of payloads end a page before its limit.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// So many events are read at once.
const AT_ONCE: usize = 100;

/// Which part of the log is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct EventQuery {
    /// Only events after this position; from the beginning when absent.
    pub after: Option<i64>,
    /// How many at most, 1 to 1,000; 50 when absent. Large events make a page shorter: go on behind its last position
    /// until a page is empty.
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

    /// Lists events that the caller is in the audience of, ascending by position. A page ends early, but never
    /// without an event, when its payloads come to 4 MiB: the log goes on behind the last event's position.
    ///
    /// # Errors
    ///
    /// `validation_failed` for a bad query.
    pub async fn list(&self, query: impl Into<Asked<EventQuery>>) -> Result<Vec<LoggedEvent>> {
        let mut work = self.caller.read().await?;
        let query = query.into().read(work.actor().currency)?;
        let viewer = EventViewer::from(work.actor());
        let limit = query.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(50);
        let (mut page, mut bytes): (Vec<LoggedEvent>, usize) = (Vec::new(), 0);
        while page.len() < limit {
            let position = page.last().map_or(query.after.unwrap_or(0), |event| event.position);
            let wanted = (limit - page.len()).min(AT_ONCE);
            let events = work.log().after(viewer, position, wanted).await?;
            let is_end = events.len() < wanted;
            for event in events {
                bytes += event.payload.to_string().len();
                if bytes > PAGE_BYTES && !page.is_empty() {
                    return Ok(page);
                }
                page.push(event);
            }
            if is_end {
                break;
            }
        }
        Ok(page)
    }
}
