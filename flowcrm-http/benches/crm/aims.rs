//! What each line aims at.

use crate::operations::Operation;
use crate::report::{Aim, Line, shown};

/// Whether a line meets its aim, if it has one, through the server, which does the most work; `others` may hold the same
/// measured with fewer leads.
pub(crate) fn of(line: &Line, others: &[Line]) -> Option<Aim> {
    let http = line.http?;
    let at_most = |most: f64, text: &str| Some(Aim { text: text.to_owned(), is_met: http.value <= most });
    match line.measure {
        IMPORT => {
            let seconds = if line.engine == "sqlite" { 3.0 } else { 5.0 };
            let taken = 100_000.0 / http.value;
            let text = format!("100,000 in {seconds} s ({} s)", shown(taken));
            Some(Aim { text, is_met: taken <= seconds })
        }
        EXPORT => Some(Aim { text: "50,000 or more".to_owned(), is_met: http.value >= 50_000.0 }),
        IDLE_MEMORY => at_most(40.0, "under 40"),
        MOST_MEMORY => at_most(80.0, "under 80"),
        START_UP => at_most(0.3, "under 0.3"),
        measure if measure == Operation::StatsAfterWrite.name() => {
            Some(Aim { text: "p99 under 20 ms".to_owned(), is_met: http.p99_millis? < 20.0 })
        }
        measure if [Operation::Page.name(), Operation::FilteredPage.name()].contains(&measure) => {
            let is_smaller = |other: &&Line| {
                (other.engine, other.organizations, other.measure)
                    == (line.engine, line.organizations, line.measure)
                    && other.leads < line.leads
            };
            let smaller = others.iter().find(is_smaller)?;
            let growth = http.p99_millis? / smaller.http?.p99_millis?;
            let text = format!("p99 at most 1.5x that of {} leads ({}x)", smaller.leads, shown(growth));
            Some(Aim { text, is_met: growth <= 1.5 })
        }
        measure if measure == Operation::Lead.name() && line.engine == "postgres" => {
            let ratio = line.http_of_raw()?;
            Some(Aim { text: "HTTP/raw 0.25 or more".to_owned(), is_met: ratio >= 0.25 })
        }
        _ => None,
    }
}

pub(crate) const IMPORT: &str = "import leads";
pub(crate) const EXPORT: &str = "export leads";
pub(crate) const IDLE_MEMORY: &str = "memory, idle";
pub(crate) const MOST_MEMORY: &str = "memory, at most";
pub(crate) const START_UP: &str = "start to first answer";
