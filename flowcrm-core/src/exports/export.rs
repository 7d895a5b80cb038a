use super::people::People;
use super::sheet::Sheet;
use super::{deals, leads, tasks};
use crate::access::Action;
use crate::caller::Caller;
use crate::deals::{DealQuery, DealSort};
use crate::error::Result;
use crate::input::words;
use crate::leads::{LeadQuery, LeadSort};
use crate::page::{Listing, Sort};
use crate::tasks::{TaskQuery, TaskSort};
use crate::time::Timestamp;
use crate::work::Work;

/// How many records are read in one transaction.
const AT_ONCE: usize = 500;

words! {
    /// What can be exported.
    ExportKind {
        /// Leads.
        Leads = "leads",
        /// Deals.
        Deals = "deals",
        /// Tasks.
        Tasks = "tasks",
    }
}

/// A CSV file on its way out, chunk by chunk.
///
/// Records come in the order of their creation. Whatever is written meanwhile, none comes twice, and none is missing
/// that was there throughout.
#[derive(Debug)]
pub struct Export {
    caller: Caller,
    walk: Walk,
    /// As of when tasks are overdue.
    began_at: Timestamp,
    stage: Stage,
    people: People,
    written: u64,
}

/// The records that are wanted, from where the next chunk begins.
#[derive(Debug)]
pub(super) enum Walk {
    Leads(LeadQuery),
    Deals(DealQuery),
    Tasks(TaskQuery),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Header,
    Rows,
    Ended,
}

impl Export {
    pub(super) fn new(caller: Caller, walk: Walk) -> Self {
        let began_at = caller.crm().env().now();
        Self { caller, walk, began_at, stage: Stage::Header, people: People::default(), written: 0 }
    }

    /// Counts the records that the file would have if nothing changed until its end.
    ///
    /// # Errors
    ///
    /// `unauthenticated`, `forbidden`, `unavailable`.
    pub async fn count(&self) -> Result<u64> {
        let mut work = self.begin().await?;
        match &self.walk {
            Walk::Leads(query) => {
                let visibility = work.actor().visibility(Action::ReadLead);
                work.leads().count(visibility, query).await
            }
            Walk::Deals(query) => work.deals().count(query).await,
            Walk::Tasks(query) => {
                let visibility = work.actor().visibility(Action::ReadTask);
                work.tasks().count(visibility, query, self.began_at).await
            }
        }
    }

    /// How many records have been written so far.
    pub const fn written(&self) -> u64 {
        self.written
    }

    /// The next piece of the file, which ends with a whole row; none after the last. A failed call may be repeated.
    ///
    /// # Errors
    ///
    /// `unauthenticated` or `forbidden` when the caller has lost the right meanwhile; `unavailable`.
    pub async fn next_chunk(&mut self) -> Result<Option<Vec<u8>>> {
        if self.stage == Stage::Ended {
            return Ok(None);
        }
        let mut work = self.begin().await?;
        let mut sheet = Sheet::new();
        if self.stage == Stage::Header {
            sheet.header(self.walk.columns());
        }
        let people = &mut self.people;
        let next = match &self.walk {
            Walk::Leads(query) => leads::write(&mut work, query, people, &mut sheet).await,
            Walk::Deals(query) => deals::write(&mut work, query, people, &mut sheet).await,
            Walk::Tasks(query) => tasks::write(&mut work, query, self.began_at, people, &mut sheet).await,
        }?;
        self.stage = if next.is_some() { Stage::Rows } else { Stage::Ended };
        match &mut self.walk {
            Walk::Leads(query) => query.list.cursor = next,
            Walk::Deals(query) => query.list.cursor = next,
            Walk::Tasks(query) => query.list.cursor = next,
        }
        let (bytes, rows) = sheet.into_parts();
        self.written += rows;
        Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }

    async fn begin(&self) -> Result<Work> {
        let work = self.caller.read().await?;
        let read = match &self.walk {
            Walk::Leads(_) => Action::ReadLead,
            Walk::Deals(_) => Action::ReadDeal,
            Walk::Tasks(_) => Action::ReadTask,
        };
        work.actor().require(read)?;
        work.actor().require(Action::Export)?;
        Ok(work)
    }
}

impl Walk {
    /// All leads that a query selects, whatever page it asks for.
    pub(super) fn of_leads(query: LeadQuery) -> Self {
        Self::Leads(LeadQuery { list: from_the_start(LeadSort::CreatedAt), ..query })
    }

    /// All deals that a query selects, whatever page it asks for.
    pub(super) fn of_deals(query: DealQuery) -> Self {
        Self::Deals(DealQuery { list: from_the_start(DealSort::CreatedAt), ..query })
    }

    /// All tasks that a query selects, whatever page it asks for.
    pub(super) fn of_tasks(query: TaskQuery) -> Self {
        Self::Tasks(TaskQuery { list: from_the_start(TaskSort::CreatedAt), ..query })
    }

    const fn columns(&self) -> &'static [&'static str] {
        match self {
            Self::Leads(_) => leads::COLUMNS,
            Self::Deals(_) => deals::COLUMNS,
            Self::Tasks(_) => tasks::COLUMNS,
        }
    }
}

/// By creation, which never changes: no record can overtake the walk or fall behind it.
const fn from_the_start<K>(created_at: K) -> Listing<K> {
    Listing { limit: AT_ONCE, sort: Sort { key: created_at, descending: false }, cursor: None, count: false }
}
