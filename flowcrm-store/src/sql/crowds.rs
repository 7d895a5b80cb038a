//! Which filters have lately been found to have many matches, so that these are not counted again for every page.
//!
//! It decides the way to a page, never what is on it: a crowd that has gone makes pages slower until it is forgotten.

use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use flowcrm_core::ids::OrgId;

/// How long a filter is taken to have many matches.
const BELIEVED: Duration = Duration::from_secs(10);

/// So many are kept in mind.
const KEPT: usize = 10_000;

/// What is known of crowds. Clones know the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Crowds {
    /// Until when each is believed; by a hash, as nothing worse than a slower page comes of a mix-up.
    known: Arc<Mutex<HashMap<u64, Instant>>>,
    hasher: RandomState,
}

impl Crowds {
    /// By what a filter of an organization's table is known.
    pub(super) fn key(&self, org: OrgId, table: &str, filter: impl Debug) -> u64 {
        self.hasher.hash_one((org, table, format!("{filter:?}")))
    }

    /// Whether it has many matches.
    pub(super) fn has(&self, key: u64) -> bool {
        self.known().get(&key).is_some_and(|until| Instant::now() < *until)
    }

    /// Takes note that it has many matches.
    pub(super) fn note(&self, key: u64) {
        let (mut known, now) = (self.known(), Instant::now());
        if known.len() >= KEPT {
            known.retain(|_, until| now < *until);
        }
        if known.len() < KEPT {
            known.insert(key, now + BELIEVED);
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<u64, Instant>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_crowd_is_one_filter_of_one_table_of_one_organization() {
        let (crowds, org) = (Crowds::default(), OrgId::from(Uuid::from_u128(1)));
        let noted = crowds.key(org, "leads", "status = 'NEW'");
        assert!(!crowds.has(noted));
        crowds.clone().note(noted);
        assert!(crowds.has(crowds.key(org, "leads", "status = 'NEW'")));
        assert!(!crowds.has(crowds.key(org, "leads", "status = 'WON'")));
        assert!(!crowds.has(crowds.key(org, "deals", "status = 'NEW'")));
        assert!(!crowds.has(crowds.key(Uuid::from_u128(2).into(), "leads", "status = 'NEW'")));
    }

    #[test]
    fn what_is_kept_in_mind_is_bounded() {
        let crowds = Crowds::default();
        (0..20_000).for_each(|key| crowds.note(key));
        assert_eq!(crowds.known().len(), KEPT);
        assert!(crowds.has(0) && !crowds.has(19_999));
    }
}
