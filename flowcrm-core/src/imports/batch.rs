//! The next staged rows, read as the commands that they stand for.

use tokio::task::JoinHandle;

use super::members::Members;
use super::row::{Draft, RowReader};
use super::target::Target;
use super::{ImportField, ImportMember, ImportRepository, OnDuplicate, Plan, Rejection, Run, StagedRows};
use crate::access::{Actor, OrgScope};
use crate::crm::Crm;
use crate::error::Result;
use crate::ids::ImportId;

pub(super) type DraftOf<T> = Draft<<T as Target>::New, <T as Target>::Patch>;

/// Who and what decides what rows mean.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Basis {
    pub(super) actor: Actor,
    /// The active members, if the file names any.
    members: Vec<ImportMember>,
}

impl Basis {
    pub(super) async fn of(imports: &mut dyn ImportRepository, run: &Run, actor: Actor) -> Result<Self> {
        let naming =
            [ImportField::Owner, ImportField::OwnerId, ImportField::AssignedTo, ImportField::AssignedToId];
        let names_members = naming.iter().any(|field| run.plan.has(*field));
        let members = if names_members { imports.members().await? } else { Vec::new() };
        Ok(Self { actor, members })
    }

    pub(super) fn members(&self) -> Members {
        Members::new(self.members.clone())
    }
}

/// Some rows, in the order of the file.
pub(super) struct Batch<T: Target> {
    /// The line of the last row before these.
    behind: i64,
    basis: Basis,
    /// What the rows ask for, as far as they can be read.
    pub(super) drafts: Vec<DraftOf<T>>,
    pub(super) rejections: Vec<Rejection>,
    /// The line of the last row.
    pub(super) last_line: i64,
    pub(super) is_last: bool,
}

impl<T: Target> Batch<T> {
    /// Reads the rows behind a line.
    pub(super) async fn read(
        imports: &mut dyn ImportRepository,
        id: ImportId,
        plan: &Plan,
        basis: Basis,
        behind: i64,
    ) -> Result<Self> {
        let StagedRows { rows, is_last } = imports.rows_after(id, behind).await?;
        let last_line = rows.last().map_or(behind, |row| row.line);
        let members = basis.members();
        let reader = RowReader { kind: T::KIND, plan, actor: &basis.actor, members: &members };
        let (mut drafts, mut rejections) = (Vec::with_capacity(rows.len()), Vec::new());
        for row in rows {
            match reader.read(row) {
                Ok(Draft { new: Err(rejection), .. }) if plan.on_duplicate != OnDuplicate::Update => {
                    rejections.push(rejection);
                }
                Ok(draft) => drafts.push(draft),
                Err(rejection) => rejections.push(rejection),
            }
        }
        Ok(Self { behind, basis, drafts, rejections, last_line, is_last })
    }

    /// Whether these are the rows behind the checkpoint, and mean still what they were read as.
    fn is_good(&self, run: &Run, basis: &Basis) -> bool {
        self.behind == run.checkpoint && self.basis == *basis
    }
}

/// Reads the next rows of one import while those before them are written. What it has read is used if it is still
/// good when its turn comes; nothing depends on it otherwise.
pub(super) struct Ahead<T: Target> {
    crm: Crm,
    scope: OrgScope,
    task: Option<JoinHandle<Result<Batch<T>>>>,
}

impl<T: Target> Ahead<T> {
    pub(super) const fn new(crm: Crm, scope: OrgScope) -> Self {
        Self { crm, scope, task: None }
    }

    /// Begins to read the rows behind a line.
    pub(super) fn begin(&mut self, run: &Run, basis: Basis, behind: i64) {
        let (crm, scope, id, plan) = (self.crm.clone(), self.scope, run.import.id, run.plan.clone());
        self.task = Some(tokio::spawn(async move {
            let mut tx = crm.store().read(scope).await?;
            Batch::read(tx.imports(), id, &plan, basis, behind).await
        }));
    }

    /// What has been read, if it could be. To be called while no transaction is open: it may need the only connection.
    pub(super) async fn arrived(&mut self) -> Option<Batch<T>> {
        self.task.take()?.await.ok()?.ok()
    }
}

/// The next rows of an import: what has been read ahead, if that is good, or else read now.
pub(super) async fn next_batch<T: Target>(
    imports: &mut dyn ImportRepository,
    run: &Run,
    basis: &Basis,
    ahead: Option<Batch<T>>,
) -> Result<Batch<T>> {
    match ahead.filter(|batch| batch.is_good(run, basis)) {
        Some(batch) => Ok(batch),
        None => Batch::read(imports, run.import.id, &run.plan, basis.clone(), run.checkpoint).await,
    }
}
