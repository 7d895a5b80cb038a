//! Copies of organizations from one database into another, whatever the engines.

mod tables;

use flowcrm_core::ids::OrgId;
use flowcrm_core::{Error, Result};

use self::tables::{LOGS, TABLES, Table};
use crate::sql::{OrgConnection, RunAs, Sql, Transaction, Value, args};
use crate::store::SqlStore;

/// How much of a database is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All organizations, and the logs that belong to none.
    Everything,
    /// One organization.
    Organization(OrgId),
}

/// What was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// How many organizations.
    pub organizations: usize,
    /// How many rows of all tables.
    pub rows: u64,
}

/// In the order of their making.
const ORGANIZATIONS: Sql = Sql::both("SELECT id FROM organizations ORDER BY created_at, id");

/// Who looks after all organizations of one database has no say in another.
const RESIGN: Sql = Sql::both("UPDATE users SET is_operator = $2 WHERE org_id = $1 AND is_operator");

const IS_THERE: Sql = Sql::both("SELECT id FROM organizations WHERE id = $1");

impl SqlStore {
    /// Copies organizations as they are at one moment, whatever is written meanwhile, into another database: all of
    /// it in one transaction, so that everything arrives or nothing. Sessions stay behind: everybody signs in again. So do
    /// the rights of platform operators where one organization is copied.
    /// `progress` is told how many rows of how many are done.
    ///
    /// # Errors
    ///
    /// `not_found` when there is no such organization; `conflict` when the other database holds the organization
    /// already (to copy everything: any organization), or somebody with the same email; `unavailable`.
    pub async fn copy_to(
        &self,
        target: &Self,
        extent: Extent,
        mut progress: impl FnMut(u64, u64) + Send,
    ) -> Result<Copied> {
        let mut source = self.database.begin_snapshot(self.run_as(RunAs::System)).await?;
        let mut sink = target.database.begin(target.run_as(RunAs::System), true).await?;
        source.take_time().await?;
        sink.take_time().await?;
        let organizations = organizations(&mut source, extent).await?;
        refuse_present(&mut sink, extent).await?;

        let logs = if extent == Extent::Everything { LOGS } else { &[] };
        let mut total = 0;
        for log in logs {
            total += log.count_log(&mut source).await?;
        }
        // The logs first, while both sides still act for no organization.
        let mut copying = Copying { source, sink, total, done: 0, progress: &mut progress };
        for log in logs {
            copying.log(log).await?;
        }
        for org in &organizations {
            copying = copying.counted(self, *org).await?;
        }
        for org in &organizations {
            copying = copying.organization(self, target, *org, extent).await?;
        }
        let rows = copying.done;
        copying.sink.commit().await?;
        target.analyze().await?;
        Ok(Copied { organizations: organizations.len(), rows })
    }

    fn run_as(&self, who: RunAs) -> Option<RunAs> {
        self.has_row_security.then_some(who)
    }
}

async fn organizations(source: &mut Transaction, extent: Extent) -> Result<Vec<OrgId>> {
    let rows = match extent {
        Extent::Everything => source.all(ORGANIZATIONS, args![]).await?,
        Extent::Organization(org) => source.all(IS_THERE, args![org]).await?,
    };
    if rows.is_empty() && extent != Extent::Everything {
        return Err(Error::not_found("organization"));
    }
    rows.iter().map(|row| row.id("id")).collect()
}

async fn refuse_present(sink: &mut Transaction, extent: Extent) -> Result<()> {
    let (rows, detail) = match extent {
        Extent::Everything => {
            (sink.all(ORGANIZATIONS, args![]).await?, "The target holds organizations already.")
        }
        Extent::Organization(org) => {
            (sink.all(IS_THERE, args![org]).await?, "The target holds this organization already.")
        }
    };
    if rows.is_empty() { Ok(()) } else { Err(Error::conflict(detail)) }
}

/// A copy under way.
struct Copying<'a> {
    source: Transaction,
    sink: Transaction,
    total: u64,
    done: u64,
    progress: &'a mut (dyn FnMut(u64, u64) + Send),
}

impl Copying<'_> {
    async fn log(&mut self, log: &Table) -> Result<()> {
        let mut behind = None;
        loop {
            let batch = log.read_log(&mut self.source, behind).await?;
            self.done += self.sink.insert_many(log.insert, "", None, batch.rows).await?;
            behind = batch.last;
            if behind.is_none() {
                return Ok(());
            }
        }
    }

    /// Adds an organization's rows to those to copy.
    async fn counted(mut self, from: &SqlStore, org: OrgId) -> Result<Self> {
        let mut source = entered(self.source, from, org).await?;
        for table in TABLES {
            self.total += table.count(&mut source).await?;
        }
        Ok(Self { source: source.tx, ..self })
    }

    async fn organization(
        mut self,
        from: &SqlStore,
        to: &SqlStore,
        org: OrgId,
        extent: Extent,
    ) -> Result<Self> {
        let mut source = entered(self.source, from, org).await?;
        let mut sink = entered(self.sink, to, org).await?;
        for table in TABLES {
            let mut behind: Option<Vec<Value>> = None;
            loop {
                let batch = table.read(&mut source, behind).await?;
                let count = batch.rows.len();
                let inserted = sink.insert_many(table.insert, "ON CONFLICT DO NOTHING", batch.rows).await?;
                if usize::try_from(inserted).ok() != Some(count) {
                    return Err(taken(table));
                }
                self.done += inserted;
                (self.progress)(self.done, self.total);
                behind = batch.last;
                if behind.is_none() {
                    break;
                }
            }
        }
        if extent != Extent::Everything {
            sink.execute(RESIGN, args![false]).await?;
        }
        Ok(Self { source: source.tx, sink: sink.tx, ..self })
    }
}

async fn entered(mut tx: Transaction, store: &SqlStore, org: OrgId) -> Result<OrgConnection> {
    if store.has_row_security {
        tx.run_as(RunAs::Organization(org)).await?;
    }
    Ok(OrgConnection::new(tx, org))
}

fn taken(table: &Table) -> Error {
    if table.name == "accounts" {
        return Error::conflict(
            "An email of this organization's users signs in to another organization of the target.",
        );
    }
    Error::conflict(format!("The target has rows of this organization in {} already.", table.name))
}
