//! How long and on how much is measured.

use std::env::{self, VarError};
use std::time::Duration;

const SECONDS: usize = 2;
const LEADS: usize = 1_000_000;
const FEWER_LEADS: usize = 10_000;

/// The fewest leads with which each of 16 organizations has some for every measure.
const FEWEST_LEADS: usize = 1_600;

/// From the environment: `FLOWCRM_BENCH_SECONDS`, how long each operation is measured, 2 by default, and
/// `FLOWCRM_BENCH_LEADS`, how many leads the large databases have, 1,000,000 by default.
pub(crate) struct Settings {
    pub(crate) length: Duration,
    pub(crate) leads: usize,
}

impl Settings {
    pub(crate) fn read() -> Result<Self, String> {
        let seconds = number("FLOWCRM_BENCH_SECONDS", SECONDS, 1)?;
        let leads = number("FLOWCRM_BENCH_LEADS", LEADS, FEWEST_LEADS)?;
        Ok(Self { length: Duration::from_secs(seconds as u64), leads })
    }

    /// How many leads the databases have that are measured.
    pub(crate) fn sizes(&self) -> Vec<usize> {
        let fewer = Some(FEWER_LEADS).filter(|fewer| *fewer < self.leads);
        fewer.into_iter().chain([self.leads]).collect()
    }

    /// What measures the same again.
    pub(crate) fn command(&self) -> String {
        if self.is_full() && self.length.as_secs() == SECONDS as u64 {
            return "make bench".to_owned();
        }
        let (seconds, leads) = (self.length.as_secs(), self.leads);
        format!("FLOWCRM_BENCH_SECONDS={seconds} FLOWCRM_BENCH_LEADS={leads} make bench")
    }

    /// Whether figures are comparable with others: what is measured shortly says less.
    pub(crate) const fn is_full(&self) -> bool {
        self.length.as_secs() >= SECONDS as u64 && self.leads == LEADS
    }
}

fn number(name: &str, usual: usize, least: usize) -> Result<usize, String> {
    match env::var(name) {
        Err(VarError::NotPresent) => Ok(usual),
        Ok(text) => {
            let number = text.parse().ok().filter(|number| *number >= least);
            number.ok_or_else(|| format!("{name} must be a whole number of at least {least}, not {text:?}"))
        }
        Err(error) => Err(format!("{name}: {error}")),
    }
}
