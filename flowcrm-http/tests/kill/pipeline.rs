//! A pipeline export of known content, good and bad.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value, json};

/// What the file calls the stages, and what we do.
const STAGES: [(&str, &str); 4] = [
    ("Prospecting", "QUALIFICATION"),
    ("Engaging", "NEGOTIATION"),
    ("Won", "CLOSED_WON"),
    ("Lost", "CLOSED_LOST"),
];

/// A CSV file of deals, and what an import of it must come to.
pub(crate) struct Pipeline {
    /// What the ids of its deals begin with.
    pub(crate) prefix: String,
    pub(crate) csv: Vec<u8>,
    pub(crate) total: usize,
    pub(crate) created: usize,
    /// Rows that say a deal again that an earlier one has said.
    pub(crate) skipped: usize,
    /// The lines of the rows that cannot be read.
    pub(crate) rejected: Vec<i64>,
    /// How many deals each stage has, and what they are worth in cents.
    pub(crate) stages: BTreeMap<&'static str, (i64, i64)>,
}

impl Pipeline {
    /// A file of so many rows; every 97th has no number for a value, every 131st a stage that nobody knows, every 53rd
    /// repeats the id before it.
    pub(crate) fn of(prefix: &str, rows: usize) -> Self {
        let mut pipeline = Self {
            prefix: prefix.to_owned(),
            csv: Vec::new(),
            total: rows,
            created: 0,
            skipped: 0,
            rejected: Vec::new(),
            stages: BTreeMap::new(),
        };
        let mut csv = "opportunity_id,name,deal_stage,close_value,account\n".to_owned();
        let mut ids = BTreeSet::new();
        for row in 1..=rows {
            let id = if row % 53 == 0 { row - 1 } else { row };
            let (word, stage) = STAGES[row % STAGES.len()];
            let cents = row * 37 % 1_000_000;
            let value = match row % 97 {
                0 => "twelve".to_owned(),
                _ => format!("{}.{:02}", cents / 100, cents % 100),
            };
            let word = if row % 131 == 0 { "Someday" } else { word };
            writeln!(csv, "{prefix}{id},Deal {row},{word},{value},Account {}", row % 50)
                .expect("memory is enough");
            if row % 97 == 0 || row % 131 == 0 {
                pipeline.rejected.push(i64::try_from(row + 1).expect("a few"));
            } else if ids.insert(id) {
                pipeline.created += 1;
                let (count, sum) = pipeline.stages.entry(stage).or_default();
                *count += 1;
                *sum += i64::try_from(cents).expect("a small amount");
            } else {
                pipeline.skipped += 1;
            }
        }
        pipeline.csv = csv.into_bytes();
        pipeline
    }

    /// How the file is to be read.
    pub(crate) fn options() -> Value {
        let mapping = json!({
            "externalId": "opportunity_id", "title": "name", "stage": "deal_stage", "value": "close_value",
        });
        json!({"mapping": mapping, "values": {"stage": STAGES.into_iter().collect::<BTreeMap<_, _>>()}})
    }
}

/// An amount as it is answered, in cents.
pub(crate) fn cents(amount: &Value) -> i64 {
    let text = amount.to_string();
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    format!("{whole}{part:0<2}").parse().expect("an amount with at most two decimals")
}
