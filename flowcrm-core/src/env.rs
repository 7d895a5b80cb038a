//! The only place that asks the machine: what time it is, and for randomness.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::Duration;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

use crate::time::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// Gives random bytes.
pub trait Randomness: Send + Sync {
    /// Fills `bytes` with randomness fit for secrets.
    fn fill(&self, bytes: &mut [u8]);
}

/// Time, ids and randomness. Cloning is cheap; clones share their clock and source.
#[derive(Clone)]
pub struct Env {
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
}

impl Env {
    /// The machine's clock and its secure random source.
    pub fn system() -> Self {
        Self::new(SystemClock, SystemRandomness)
    }

    /// A clock and a source of one's own.
    pub fn new(clock: impl Clock + 'static, randomness: impl Randomness + 'static) -> Self {
        Self { clock: Arc::new(clock), randomness: Arc::new(randomness) }
    }

    /// The machine's clock, or one of a test, and the same randomness on every run: for tests and demo data only.
    pub fn seeded(clock: impl Clock + 'static, seed: u64) -> Self {
        Self::new(clock, SeededRandomness(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// The present moment, cut to microseconds.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// `N` random bytes, fit for secrets.
    pub fn random_bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.randomness.fill(&mut bytes);
        bytes
    }

    /// A new id: a UUID of version 7, so ids sort by the millisecond of their making.
    pub fn id<T: From<Uuid>>(&self) -> T {
        let millis = u64::try_from(self.now().to_utc().timestamp_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.random_bytes()).into_uuid().into()
    }

    /// New ids that ascend, for records of one moment that must keep their order.
    pub fn ascending_ids<T: From<Uuid>>(&self) -> impl Iterator<Item = T> + use<T> {
        // Zero the last 16 bits, and count in them: that is more than one command records.
        let first = self.id::<Uuid>().as_u128() & !0xffff;
        (first..).map(|id| Uuid::from_u128(id).into())
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Env({:?})", self.now())
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the machine")]
    fn now(&self) -> Timestamp {
        Timestamp::new(chrono::Utc::now())
    }
}

/// The operating system's secure random source, by way of a per-thread generator.
#[derive(Debug, Clone, Copy)]
struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}

/// The same bytes on every run.
struct SeededRandomness(Mutex<StdRng>);

impl Randomness for SeededRandomness {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}

/// A clock that stands still until it is moved. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct FixedClock(Arc<Mutex<Timestamp>>);

impl FixedClock {
    /// A clock that shows `moment`.
    pub fn at(moment: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(moment)))
    }

    /// Moves the clock.
    pub fn advance(&self, by: Duration) {
        let mut moment = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *moment = moment.plus(by);
    }

    /// Sets the clock.
    pub fn set(&self, to: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
