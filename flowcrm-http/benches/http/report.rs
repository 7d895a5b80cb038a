//! What was measured, as one table and as a file.

use serde_json::{Value, json};

use crate::load::Timing;

/// One line of the table.
pub(crate) struct Line {
    pub(crate) engine: &'static str,
    pub(crate) measure: &'static str,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    pub(crate) p50_millis: Option<f64>,
    pub(crate) p99_millis: Option<f64>,
    pub(crate) cpu_millis_per_thousand: Option<f64>,
    pub(crate) aim: &'static str,
}

impl Line {
    /// A plain number.
    pub(crate) fn of(engine: &'static str, measure: &'static str, value: f64, unit: &'static str) -> Self {
        let (p50_millis, p99_millis, cpu_millis_per_thousand) = (None, None, None);
        Self { engine, measure, value, unit, p50_millis, p99_millis, cpu_millis_per_thousand, aim: "" }
    }

    /// Requests per second.
    pub(crate) fn of_requests(
        engine: &'static str,
        measure: &'static str,
        timing: &Timing,
        cpu: Option<f64>,
    ) -> Self {
        Self {
            p50_millis: Some(timing.percentile(50)),
            p99_millis: Some(timing.percentile(99)),
            cpu_millis_per_thousand: cpu,
            ..Self::of(engine, measure, timing.per_second(), "/s")
        }
    }

    pub(crate) fn aiming_at(self, aim: &'static str) -> Self {
        Self { aim, ..self }
    }

    fn cells(&self) -> [String; 8] {
        let optional = |number: Option<f64>| number.map(shown).unwrap_or_default();
        [
            self.engine.to_owned(),
            self.measure.to_owned(),
            shown(self.value),
            self.unit.to_owned(),
            optional(self.p50_millis),
            optional(self.p99_millis),
            optional(self.cpu_millis_per_thousand),
            self.aim.to_owned(),
        ]
    }

    /// The line of a file.
    pub(crate) fn figures(&self) -> Value {
        json!({
            "operation": self.measure,
            "requestsPerSecond": rounded(self.value),
            "p50Millis": self.p50_millis.map(rounded),
            "p99Millis": self.p99_millis.map(rounded),
            "cpuMillisPerThousand": self.cpu_millis_per_thousand.map(rounded),
        })
    }
}

/// A number with as many decimals as say something.
fn shown(number: f64) -> String {
    match number {
        100.0.. => format!("{number:.0}"),
        10.0.. => format!("{number:.1}"),
        _ => format!("{number:.3}"),
    }
}

/// The same number, to be written into a file.
pub(crate) fn rounded(number: f64) -> Value {
    serde_json::from_str(&shown(number)).expect("a number")
}

/// The table, numbers to the right.
pub(crate) fn table(lines: &[Line]) -> String {
    let heads = ["engine", "measure", "value", "", "p50 ms", "p99 ms", "CPU ms/1,000", "aim"];
    let mut rows = vec![heads.map(str::to_owned)];
    rows.extend(lines.iter().map(Line::cells));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let line = |row: &[String; 8]| {
        let cell = |(column, cell): (usize, &String)| {
            let width = widths[column];
            if matches!(column, 2 | 4..=6) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        };
        let cells: Vec<String> = row.iter().enumerate().map(cell).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}
