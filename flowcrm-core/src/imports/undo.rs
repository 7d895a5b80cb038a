//! Undoing an import, some records at a time.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::target::Target;
use super::{Change, Outcome, Run};
use crate::error::{Error, Result};
use crate::ids::{LeadId, UserId};
use crate::money::Currency;
use crate::work::Work;

/// What came of undoing some changes.
#[derive(Debug, Default)]
pub(super) struct Undone {
    /// How many records were deleted.
    pub(super) removed: usize,
    /// How many records are again what they were.
    pub(super) restored: usize,
    /// How many records were left as they are.
    pub(super) kept: usize,
}

/// Takes back what an import did to some records: what it created goes, what it updated goes back, and what somebody
/// has changed or used since is kept.
pub(super) async fn take_back<T: Target>(work: &mut Work, run: &Run, changes: &[Change]) -> Result<Undone> {
    let present = Present::<T>::look_up(work, changes).await?;
    let (mut removed, mut gone, mut restored, mut outcomes) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for change in changes {
        match present.fate(change)? {
            Fate::Goes(record) => {
                gone.push(change.record_id);
                removed.extend(record.cloned());
            }
            Fate::GoesBack(record) => {
                let version = record.version();
                outcomes.push(Outcome { version, is_restored: true, ..Outcome::of(change) });
                restored.push(record);
            }
            Fate::Stays(reason) => {
                outcomes.push(Outcome { kept_because: Some(reason.to_owned()), ..Outcome::of(change) });
            }
        }
    }
    T::remove(work, &removed).await?;
    for record in &restored {
        T::update(work, record).await?;
    }
    work.imports().forget_changes(run.import.id, &gone).await?;
    work.imports().note_outcomes(run.import.id, &outcomes).await?;
    let kept = outcomes.len() - restored.len();
    Ok(Undone { removed: removed.len(), restored: restored.len(), kept })
}

/// What becomes of a record that the import created or updated.
enum Fate<'a, T> {
    /// It is deleted, if somebody has not done so already.
    Goes(Option<&'a T>),
    GoesBack(T),
    Stays(&'static str),
}

/// The records as they are now, locked, and what decides what becomes of them.
struct Present<T> {
    records: HashMap<Uuid, T>,
    /// Those that activities, deals or tasks refer to.
    used: HashSet<Uuid>,
    /// Where other imports, since undone, have put the records back to: by version, the version that it stands for.
    put_back: HashMap<(Uuid, i64), i64>,
    active: HashSet<UserId>,
    /// Those of the leads that deals belonged to which are there.
    leads: HashSet<LeadId>,
    currency: Currency,
}

impl<T: Target> Present<T> {
    async fn look_up(work: &mut Work, changes: &[Change]) -> Result<Self> {
        let mut ids: Vec<Uuid> = changes.iter().map(|change| change.record_id).collect();
        // Everybody locks records in the order of their ids.
        ids.sort_unstable();
        let locked = T::lock(work, &ids).await?;
        let records: HashMap<Uuid, T> = locked.into_iter().map(|record| (record.id(), record)).collect();
        let created = changes.iter().filter(|change| change.previous.is_none());
        let created: Vec<Uuid> = created.map(|change| change.record_id).collect();
        let used = work.imports().used(T::KIND, &created).await?.into_iter().collect();
        let is_other = |change: &&Change| {
            records.get(&change.record_id).is_some_and(|record| record.version() != change.version)
        };
        let others: Vec<Uuid> = changes.iter().filter(is_other).map(|change| change.record_id).collect();
        let mut put_back = HashMap::new();
        for change in work.imports().restorations(&others).await? {
            if let Some(previous) = former::<T>(&change)? {
                put_back.insert((change.record_id, change.version), previous.version());
            }
        }
        let formers = changes.iter().map(former::<T>).collect::<Result<Vec<_>>>()?;
        let leads: Vec<_> = formers.iter().flatten().filter_map(T::lead).collect();
        Ok(Self {
            records,
            used,
            put_back,
            active: work.users().active_ids().await?.into_iter().collect(),
            leads: work.imports().present_leads(&leads).await?.into_iter().collect(),
            currency: work.actor().currency,
        })
    }

    fn fate(&self, change: &Change) -> Result<Fate<'_, T>> {
        let present = self.records.get(&change.record_id);
        let former = former::<T>(change)?;
        Ok(match (former, present) {
            (None, None) => Fate::Goes(None),
            (Some(_), None) => Fate::Stays("was deleted since"),
            (_, Some(present)) if !self.is_as_imported(present, change.version) => {
                Fate::Stays("was changed since")
            }
            (None, Some(_)) if self.used.contains(&change.record_id) => Fate::Stays(T::IN_USE),
            (None, present) => Fate::Goes(present),
            (Some(former), Some(present)) => self.way_back(former, present),
        })
    }

    /// Whether a record is still what the import has made of it: nobody has changed it since, but for imports that
    /// have been undone.
    fn is_as_imported(&self, present: &T, imported: i64) -> bool {
        let mut version = present.version();
        while version != imported {
            match self.put_back.get(&(present.id(), version)) {
                // Always an earlier one.
                Some(previous) => version = *previous,
                None => return false,
            }
        }
        true
    }

    fn way_back(&self, former: T, present: &T) -> Fate<'_, T> {
        let is_new = |user: &UserId| !present.people().contains(&Some(*user));
        if former.people().into_iter().flatten().filter(is_new).any(|user| !self.active.contains(&user)) {
            return Fate::Stays("belonged to a user who is no longer active");
        }
        if former.value().minor() != 0 && former.value().currency() != self.currency {
            return Fate::Stays("had a value in another currency");
        }
        let is_there = former.lead().is_some_and(|lead| self.leads.contains(&lead));
        Fate::GoesBack(present.put_back(former, is_there, self.currency))
    }
}

/// The record before the import.
fn former<T: Target>(change: &Change) -> Result<Option<T>> {
    let read = |bytes: &Vec<u8>| ciborium::from_reader(bytes.as_slice()).map_err(Error::internal);
    change.previous.as_ref().map(read).transpose()
}
