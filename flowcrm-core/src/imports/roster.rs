//! The records that some rows of a file mean, while the rows change them one after the other.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use super::target::{Keys, Target};
use super::{Change, Foreseen, Run, own_id};
use crate::error::{Error, Result};
use crate::time::Timestamp;
use crate::work::Work;

/// Records by what rows find them by: those in the store, and those that earlier rows have made or changed. As a dry
/// run leaves nothing in the store, what it would have written there is looked up among what it has foreseen.
pub(super) struct Roster<T> {
    entries: HashMap<Uuid, Entry<T>>,
    /// In the order in which they came to be.
    order: Vec<Uuid>,
    by_external_id: HashMap<String, Uuid>,
    by_email: HashMap<String, Vec<Uuid>>,
}

struct Entry<T> {
    /// The record before these rows; none when one of them creates it.
    before: Option<T>,
    now: T,
    /// The line of the first row that creates or changes it.
    line: Option<i64>,
}

/// Which record a row means.
pub(super) enum Found {
    None,
    One(Uuid),
    Several,
}

impl<T: Target> Roster<T> {
    pub(super) async fn look_up(work: &mut Work, run: &Run, keys: &[Keys]) -> Result<Self> {
        let external_ids: Vec<String> = keys.iter().filter_map(|keys| keys.external_id.clone()).collect();
        let without_id = keys.iter().filter(|keys| keys.external_id.is_none());
        let emails: Vec<String> = without_id.filter_map(|keys| keys.email.clone()).collect();
        let mut records = T::found(work, &external_ids, &emails).await?;
        if run.import.dry_run {
            let spelled = external_ids.iter().map(|id| external_id_key(id));
            let spelled: Vec<String> = spelled.chain(emails.iter().map(|email| email_key(email))).collect();
            let mut ids: Vec<Uuid> = records.iter().map(T::id).collect();
            ids.extend(work.imports().foreseen(run.import.id, &spelled).await?.into_iter().map(|(_, id)| id));
            for bytes in work.imports().foreseen_records(run.import.id, &ids).await? {
                let record: T = ciborium::from_reader(bytes.as_slice()).map_err(Error::internal)?;
                records.retain(|other| other.id() != record.id());
                records.push(record);
            }
        }
        let mut roster = Self {
            entries: HashMap::new(),
            order: Vec::new(),
            by_external_id: HashMap::new(),
            by_email: HashMap::new(),
        };
        for record in records {
            roster.put(Entry { before: Some(record.clone()), now: record, line: None });
        }
        Ok(roster)
    }

    /// The record that a row means.
    pub(super) fn find(&self, keys: &Keys) -> Found {
        let of_email =
            || match keys.email.as_ref().and_then(|email| self.by_email.get(email)).map(Vec::as_slice) {
                None | Some([]) => Found::None,
                Some([one]) => Found::One(*one),
                Some(_) => Found::Several,
            };
        match &keys.external_id {
            Some(id) => self.with_id(id).map_or(Found::None, Found::One),
            None => of_email(),
        }
    }

    /// The record with an external id, or else the one of which it is the own id.
    fn with_id(&self, id: &str) -> Option<Uuid> {
        let own = || own_id(id).filter(|own| self.entries.contains_key(own));
        self.by_external_id.get(id).copied().or_else(own)
    }

    /// A record as earlier rows have left it.
    pub(super) fn get(&self, id: Uuid) -> Option<&T> {
        self.entries.get(&id).map(|entry| &entry.now)
    }

    /// Adds a record that a row creates.
    pub(super) fn create(&mut self, record: T, line: i64) {
        self.put(Entry { before: None, now: record, line: Some(line) });
    }

    /// Puts a record, changed by a row, in the place of what it was.
    pub(super) fn change(&mut self, record: T, line: i64, now: Timestamp) {
        let id = record.id();
        let Some(entry) = self.entries.get_mut(&id) else { return };
        // All rows together are one change.
        let version = entry.before.as_ref().map_or(1, |before| before.version() + 1);
        let former = std::mem::replace(&mut entry.now, record.with_version(version, now));
        entry.line.get_or_insert(line);
        let keys = entry.now.keys();
        if let Some(ids) = former.keys().email.and_then(|email| self.by_email.get_mut(&email)) {
            ids.retain(|other| *other != id);
        }
        self.find_by(keys, id);
    }

    fn put(&mut self, entry: Entry<T>) {
        let id = entry.now.id();
        self.find_by(entry.now.keys(), id);
        self.order.push(id);
        self.entries.insert(id, entry);
    }

    /// Lets rows find a record by its keys.
    fn find_by(&mut self, keys: Keys, id: Uuid) {
        if let Some(external_id) = keys.external_id {
            self.by_external_id.insert(external_id, id);
        }
        if let Some(email) = keys.email {
            self.by_email.entry(email).or_default().push(id);
        }
    }

    /// Writes what the rows have created and changed; a dry run notes it instead.
    pub(super) async fn write(self, work: &mut Work, run: &Run) -> Result<()> {
        let changed: Vec<(i64, &Entry<T>)> = self
            .order
            .iter()
            .filter_map(|id| self.entries.get(id))
            .filter_map(|entry| entry.line.map(|line| (line, entry)))
            .collect();
        if run.import.dry_run {
            let (mut keys, mut records) = (Vec::new(), Vec::new());
            for (_, entry) in changed {
                keys.extend(spelled(&entry.now.keys()).map(|key| (key, entry.now.id())));
                records.push(Foreseen { record_id: entry.now.id(), record: cbor(&entry.now)? });
            }
            work.imports().foresee(run.import.id, &keys).await?;
            return work.imports().foresee_records(run.import.id, &records).await;
        }
        let created: Arc<[T]> = changed
            .iter()
            .filter(|(_, entry)| entry.before.is_none())
            .map(|(_, entry)| entry.now.clone())
            .collect();
        T::insert(work, created).await?;
        let mut notes = Vec::with_capacity(changed.len());
        for (line, entry) in changed {
            let previous = entry.before.as_ref().map(cbor).transpose()?;
            if previous.is_some() {
                T::update(work, &entry.now).await?;
            }
            notes.push(Change { record_id: entry.now.id(), line, version: entry.now.version(), previous });
        }
        work.imports().note_changes(run.import.id, &notes).await
    }
}

fn cbor<T: Target>(record: &T) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    ciborium::into_writer(record, &mut bytes).map_err(Error::internal)?;
    Ok(bytes)
}

/// A record's keys, as a dry run remembers them.
pub(super) fn spelled(keys: &Keys) -> impl Iterator<Item = String> {
    let external_id = keys.external_id.as_deref().map(external_id_key);
    external_id.into_iter().chain(keys.email.as_deref().map(email_key))
}

pub(super) fn external_id_key(external_id: &str) -> String {
    format!("externalId {external_id}")
}

pub(super) fn email_key(email: &str) -> String {
    format!("email {email}")
}
