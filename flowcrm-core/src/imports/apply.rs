//! Some staged rows, made into records.

use std::collections::HashSet;
use std::sync::Arc;

use uuid::Uuid;

use super::batch::{Basis, Batch, DraftOf};
use super::roster::{Found, Roster, email_key, external_id_key, spelled};
use super::row::RowReader;
use super::target::{Keys, Target, key_field};
use super::{Change, ImportField, OnDuplicate, Rejection, Run, StagedRow};
use crate::error::{Error, Result};
use crate::work::Work;

/// What came of some rows.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// How many records were created, or would have been.
    pub(super) created: usize,
    /// How many rows changed a record that was there, or would have.
    pub(super) updated: usize,
    /// How many rows were left out, because their record was there already, and said nothing new.
    pub(super) skipped: usize,
    /// The rows that cannot be imported.
    pub(super) rejections: Vec<Rejection>,
}

/// Creates the records that some rows ask for, with a few statements for all of them; a dry run does everything but
/// write the records.
pub(super) async fn apply<T: Target>(
    work: &mut Work,
    run: &Run,
    basis: &Basis,
    batch: Batch<T>,
) -> Result<Applied> {
    let members = basis.members();
    let reader = RowReader { kind: T::KIND, plan: &run.plan, actor: &basis.actor, members: &members };
    let mut applied = Applied { rejections: batch.rejections, ..Applied::default() };
    let drafts = T::refer(work, batch.drafts, &reader, &mut applied.rejections).await?;
    if run.plan.on_duplicate == OnDuplicate::Update {
        update::<T>(work, run, &reader, drafts, &mut applied).await?;
    } else {
        create::<T>(work, run, &reader, drafts, &mut applied).await?;
    }
    Ok(applied)
}

/// Creates a record for each row but those whose record is there already.
async fn create<T: Target>(
    work: &mut Work,
    run: &Run,
    reader: &RowReader<'_>,
    drafts: Vec<DraftOf<T>>,
    applied: &mut Applied,
) -> Result<()> {
    let skips = run.plan.on_duplicate == OnDuplicate::Skip;
    let keys: Vec<Keys> =
        drafts.iter().map(|draft| draft.new.as_ref().map(T::keys_of).unwrap_or_default()).collect();
    let mut taken = Taken::look_up(work, run, &keys, skips).await?;
    let now = work.env().now();
    let ids = work.env().ascending_ids::<Uuid>();
    let (mut records, mut lines, mut new_keys) = (Vec::new(), Vec::new(), Vec::new());
    for ((draft, keys), new_id) in drafts.into_iter().zip(keys).zip(ids) {
        match taken.has(&keys) {
            true if skips => {
                applied.skipped += 1;
                continue;
            }
            true if keys.external_id.is_some() => {
                let message = "is that of a record that is there already";
                applied.rejections.push(reader.reject(&draft.row, ImportField::ExternalId, message));
                continue;
            }
            _ => {}
        }
        let (times, row) = (draft.times(), draft.row);
        let new = match draft.new {
            Ok(new) => new,
            Err(rejection) => {
                applied.rejections.push(rejection);
                continue;
            }
        };
        match T::create(new, new_id, times, reader.actor, now) {
            Ok(record) => {
                new_keys.extend(taken.take(&keys).into_iter().map(|key| (key, record.id())));
                records.push(record);
                lines.push(row.line);
            }
            Err(error) => applied.rejections.push(refused(reader, &row, error)?),
        }
    }
    applied.created = records.len();
    if run.import.dry_run {
        return work.imports().foresee(run.import.id, &new_keys).await;
    }
    let records: Arc<[T]> = records.into();
    T::insert(work, Arc::clone(&records)).await?;
    let change = |(record, line): (&T, i64)| Change {
        record_id: record.id(),
        line,
        version: record.version(),
        previous: None,
    };
    let changes: Vec<Change> = records.iter().zip(lines).map(change).collect();
    work.imports().note_changes(run.import.id, &changes).await
}

/// Lets each row change its record, or create it.
async fn update<T: Target>(
    work: &mut Work,
    run: &Run,
    reader: &RowReader<'_>,
    drafts: Vec<DraftOf<T>>,
    applied: &mut Applied,
) -> Result<()> {
    let keys: Vec<Keys> =
        drafts.iter().map(|draft| draft.patch.as_ref().map(T::keys_of_patch).unwrap_or_default()).collect();
    let mut roster: Roster<T> = Roster::look_up(work, run, &keys).await?;
    let now = work.env().now();
    let ids = work.env().ascending_ids::<Uuid>();
    for ((draft, keys), new_id) in drafts.into_iter().zip(keys).zip(ids) {
        let (times, row) = (draft.times(), draft.row);
        let result = match roster.find(&keys) {
            Found::Several => {
                let message = "is that of several records: give their external ids";
                applied.rejections.push(reader.reject(&row, key_field(&keys), message));
                continue;
            }
            Found::One(id) => {
                let (Some(present), Some(patch)) = (roster.get(id), draft.patch) else { continue };
                let changed = present.change(patch, times, reader.actor, now);
                changed.map(|changed| (changed != *present).then_some((changed, false)))
            }
            Found::None => match draft.new {
                Err(rejection) => {
                    applied.rejections.push(rejection);
                    continue;
                }
                Ok(new) => {
                    let created = T::create(new, new_id, times, reader.actor, now);
                    created.map(|created| Some((created, true)))
                }
            },
        };
        match result {
            Ok(None) => applied.skipped += 1,
            Ok(Some((record, true))) => {
                applied.created += 1;
                roster.create(record, row.line);
            }
            Ok(Some((record, false))) => {
                applied.updated += 1;
                roster.change(record, row.line, now);
            }
            Err(error) => applied.rejections.push(refused(reader, &row, error)?),
        }
    }
    roster.write(work, run).await
}

/// The rejection of a row that the rules of its record refuse; any other error is one.
fn refused(reader: &RowReader<'_>, row: &StagedRow, error: Error) -> Result<Rejection> {
    match error.fields() {
        [first, ..] => {
            let field = first.field.parse().unwrap_or(ImportField::names_of(reader.kind)[0]);
            Ok(reader.reject(row, field, &first.message))
        }
        [] => Err(error),
    }
}

/// The keys of records that are there: in the store, earlier among these rows, and, as a dry run leaves nothing in
/// the store, earlier in its file.
struct Taken(HashSet<String>);

impl Taken {
    /// Emails, which several records may share, matter only where `by_email` asks for them.
    async fn look_up(work: &mut Work, run: &Run, keys: &[Keys], by_email: bool) -> Result<Self> {
        let external_ids: Vec<String> = keys.iter().filter_map(|keys| keys.external_id.clone()).collect();
        let without_id = keys.iter().filter(|keys| by_email && keys.external_id.is_none());
        let emails: Vec<String> = without_id.filter_map(|keys| keys.email.clone()).collect();
        let mut all = HashSet::new();
        if run.import.dry_run {
            let foreseeable = external_ids.iter().map(|id| external_id_key(id));
            let foreseeable: Vec<String> =
                foreseeable.chain(emails.iter().map(|email| email_key(email))).collect();
            let foreseen = work.imports().foreseen(run.import.id, &foreseeable).await?;
            all.extend(foreseen.into_iter().map(|(key, _)| key));
        }
        let ids = work.imports().taken_external_ids(run.import.kind, &external_ids).await?;
        all.extend(ids.iter().map(|id| external_id_key(id)));
        let emails = work.imports().taken_emails(&emails).await?;
        all.extend(emails.iter().map(|email| email_key(email)));
        Ok(Self(all))
    }

    /// Whether the key that a record is found by is taken.
    fn has(&self, keys: &Keys) -> bool {
        spelled(keys).next().is_some_and(|key| self.0.contains(&key))
    }

    /// Takes a record's keys, and answers those that were not taken before.
    fn take(&mut self, keys: &Keys) -> Vec<String> {
        spelled(keys).filter(|key| self.0.insert(key.clone())).collect()
    }
}
