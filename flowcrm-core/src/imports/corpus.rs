//! One known table, written as five hundred different spreadsheets would write it: each file gives the table back, or is
//! refused as ambiguous, but never means something else. Rows that cannot go in, as their amount is negative or in another
//! currency, are rejected, and no others.

use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveDate, TimeDelta};
use encoding_rs::WINDOWS_1252;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::ImportKind;
use super::trial::Trial;
use crate::error::Result;

const DIALECTS: u64 = 500;

const ROWS: usize = 40;

/// A row as it is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Meant {
    name: String,
    cents: i64,
    day: NaiveDate,
    notes: String,
    /// What the currency column says, where there is one.
    currency: &'static str,
}

/// How a file is written.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is drawn by itself")]
struct Dialect {
    kind: ImportKind,
    has_header: bool,
    encoding: &'static str,
    delimiter: char,
    line_end: &'static str,
    quotes_all: bool,
    date: &'static str,
    /// What groups thousands, and what stands before decimals.
    money: (&'static str, char),
    /// Whether thousands above the first are grouped by twos, as in India.
    is_indian: bool,
    decimals: Decimals,
    /// A letter that multiplies by a power of ten.
    multiplier: (&'static str, u32),
    sign: (&'static str, &'static str),
    /// What stands around a negative amount.
    negative: (&'static str, &'static str),
    has_currency: bool,
    /// How much there is to decide by: small and early numbers only, or all.
    is_scarce: bool,
    has_trailer: bool,
    names_options: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decimals {
    Always,
    WhereNeeded,
    Thousands,
}

fn pick<T: Copy>(random: &mut StdRng, choices: &[T]) -> T {
    choices[random.random_range(0..choices.len())]
}

impl Dialect {
    fn random(random: &mut StdRng) -> Self {
        let money = pick(
            random,
            &[
                ("", '.'),
                (",", '.'),
                (" ", '.'),
                ("'", '.'),
                ("", ','),
                (".", ','),
                ("\u{a0}", ','),
                (" ", ','),
            ],
        );
        let has_header = random.random_bool(0.8);
        Self {
            kind: pick(random, &[ImportKind::Leads, ImportKind::Deals]),
            has_header,
            encoding: pick(
                random,
                &[
                    "utf-8",
                    "utf-8 marked",
                    "utf-16le",
                    "utf-16be",
                    "utf-16le marked",
                    "utf-16be marked",
                    "cp1252",
                ],
            ),
            delimiter: pick(random, &[',', ';', '\t', '|']),
            line_end: pick(random, &["\n", "\r\n", "\r"]),
            quotes_all: random.random_bool(0.3),
            date: pick(
                random,
                &[
                    "%Y-%m-%d",
                    "%d/%m/%Y",
                    "%m/%d/%Y",
                    "%d.%m.%Y",
                    "%-d/%-m/%Y",
                    "%-m/%-d/%y",
                    "%d-%m-%y",
                    "%y-%m-%d",
                    "%d %b %Y",
                    "%B %-d, %Y",
                    "%d-%b-%y",
                    "%Y/%m/%d",
                    "%Y%m%d",
                    "serial",
                    "%d/%m/%Y 00:00",
                    "%m/%d/%Y 12:00 AM",
                    "%a, %d %b %Y 00:00:00 +0000",
                ],
            ),
            money,
            is_indian: money == (",", '.') && random.random_bool(0.5),
            decimals: pick(random, &[Decimals::Always, Decimals::WhereNeeded, Decimals::Thousands]),
            multiplier: if random.random_bool(0.2) {
                pick(random, &[("K", 3), (" k", 3), ("M", 6), (" million", 6)])
            } else {
                ("", 0)
            },
            negative: pick(random, &[("-", ""), ("(", ")"), ("", "-"), ("\u{2013}", "")]),
            // Without a header nothing says which column it is.
            has_currency: has_header && random.random_bool(0.3),
            sign: pick(random, &[("", ""), ("$", ""), ("$ ", ""), ("", " USD"), ("US$", ""), ("USD ", "")]),
            is_scarce: random.random_bool(0.3),
            has_trailer: random.random_bool(0.3),
            names_options: random.random_bool(0.2),
        }
    }

    fn table(&self, random: &mut StdRng) -> Vec<Meant> {
        let words = [
            "Zoë",
            "O'Brien",
            "\"quoted\"",
            "a, b; c",
            "x | y",
            "ÄÖÜ €",
            "two\nlines",
            "tab\there",
            "plain",
            "1,5",
            "ÅÆ",
        ];
        let rows = if self.is_scarce { random.random_range(1..4) } else { ROWS };
        let row = |index: usize| {
            let first = NaiveDate::from_ymd_opt(2001, 1, 1).unwrap();
            let mut day = first + TimeDelta::days(random.random_range(0..10_900));
            if self.is_scarce {
                day = day.with_day(day.day().min(12)).unwrap();
            }
            let cents = match self.decimals {
                Decimals::Thousands => random.random_range(1..900) * 100_000,
                _ if self.is_scarce => random.random_range(1..999) * 100,
                _ => random.random_range(0..1_000_000_000),
            };
            let cents = if random.random_bool(0.05) { -cents } else { cents };
            let currencies: &[&str] = match self.has_currency {
                true if random.random_bool(0.1) => &["EUR", "eur", "Euro"],
                true => &["USD", "usd", "US Dollar", "$", ""],
                false => &[""],
            };
            let currency = pick(random, currencies);
            let (one, other) = (pick(random, &words), pick(random, &words));
            let notes = if random.random_bool(0.2) { String::new() } else { format!("{one} {other}") };
            Meant { name: format!("{other} No {index}"), cents, day, notes, currency }
        };
        (0..rows).map(row).collect()
    }

    fn amount(&self, cents: i64) -> String {
        let (before, after) = self.sign;
        let (minus, closing) = if cents < 0 { self.negative } else { ("", "") };
        let (cents, (multiplier, power)) = (cents.abs(), self.multiplier);
        let number = match power {
            0 => self.grouped(cents),
            _ => {
                Decimal::new(cents, 2 + power).normalize().to_string().replace('.', &self.money.1.to_string())
            }
        };
        format!("{minus}{before}{number}{multiplier}{after}{closing}")
    }

    fn grouped(&self, cents: i64) -> String {
        let (group, mark) = self.money;
        let digits = (cents / 100).to_string();
        let mut whole = String::new();
        for (index, digit) in digits.chars().enumerate() {
            let left = digits.len() - index;
            let begins_group = if self.is_indian && left > 3 {
                (left - 3).is_multiple_of(2)
            } else {
                left.is_multiple_of(3)
            };
            if index > 0 && begins_group {
                whole.push_str(group);
            }
            whole.push(digit);
        }
        let has_decimals = self.decimals == Decimals::Always || cents % 100 != 0;
        let decimals = if has_decimals { format!("{mark}{:02}", cents % 100) } else { String::new() };
        format!("{whole}{decimals}")
    }

    fn day(&self, day: NaiveDate) -> String {
        match self.date {
            "serial" => (day - NaiveDate::from_ymd_opt(1899, 12, 30).unwrap()).num_days().to_string(),
            format => day.format(format).to_string(),
        }
    }

    fn cell(&self, text: &str) -> String {
        let special = [self.delimiter, '"', '\n', '\r'];
        if self.quotes_all || text.contains(special) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text.to_owned()
        }
    }

    fn write(&self, table: &[Meant]) -> Vec<u8> {
        let mut text = String::new();
        let width = if self.has_currency { 6 } else { 5 };
        let mut line = |cells: [&str; 6]| {
            let cells: Vec<String> = cells[..width].iter().map(|cell| self.cell(cell)).collect();
            text.push_str(&cells.join(&self.delimiter.to_string()));
            text.push_str(self.line_end);
        };
        let header = match self.kind {
            ImportKind::Leads => {
                ["Full Name", "Lead Value", "Created Date", "Comments", "Secret", "Currency"]
            }
            ImportKind::Deals => {
                ["Deal Name", "Amount", "Expected Close Date", "Description", "Secret", "Amount Currency"]
            }
        };
        if self.has_header {
            line(header);
        }
        for row in table {
            line([
                &row.name,
                &self.amount(row.cents),
                &self.day(row.day),
                &row.notes,
                "hidden",
                row.currency,
            ]);
        }
        if self.has_trailer {
            text.push_str(self.line_end);
            text.push_str("Report of all deals");
            text.push_str(self.line_end);
            text.push_str("Copyright 2026");
        }
        let utf_16 = |spell: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(spell).collect::<Vec<u8>>();
        match self.encoding {
            "utf-8" => text.into_bytes(),
            "utf-8 marked" => [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            "utf-16le" => utf_16(u16::to_le_bytes),
            "utf-16be" => utf_16(u16::to_be_bytes),
            "utf-16le marked" => [b"\xff\xfe".to_vec(), utf_16(u16::to_le_bytes)].concat(),
            "utf-16be marked" => [b"\xfe\xff".to_vec(), utf_16(u16::to_be_bytes)].concat(),
            _ => WINDOWS_1252.encode(&text).0.into_owned(),
        }
    }

    /// What a person would say of the file who knows how it is written, or no more than has to be said.
    fn options(&self) -> Value {
        let [name, day] = self.fields();
        let mut options = json!({});
        if !self.has_header {
            options = json!({"header": false, "mapping": {name: 0, "value": 1, day: 2, "notes": 3}});
        }
        if !self.names_options {
            return options;
        }
        let order = if self.date.starts_with("%y") {
            "ymd"
        } else if self.date.starts_with("%m") || self.date.starts_with("%-m") {
            "mdy"
        } else {
            "dmy"
        };
        let encoding = self.encoding.split(' ').next().unwrap_or_default();
        let said = json!({
            "encoding": encoding, "delimiter": self.delimiter.to_string(), "dateOrder": order,
            "decimalMark": self.money.1.to_string(), "currency": "USD",
        });
        options.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
        options
    }

    /// What is special about it.
    fn traits(&self) -> impl Iterator<Item = &'static str> {
        let traits = [
            (self.kind == ImportKind::Leads, "leads"),
            (!self.has_header, "no header"),
            (self.is_indian, "Indian groups"),
            (self.multiplier.1 != 0, "a multiplier"),
            (self.negative == ("(", ")"), "parentheses"),
            (self.has_currency, "a currency column"),
        ];
        traits.into_iter().filter(|(is_true, _)| *is_true).map(|(_, name)| name)
    }

    /// The fields of the name and of the day.
    const fn fields(&self) -> [&'static str; 2] {
        match self.kind {
            ImportKind::Leads => ["name", "createdAt"],
            ImportKind::Deals => ["title", "expectedClose"],
        }
    }

    /// Reads a file as an import does: what goes in, and how many rows are rejected.
    fn read(&self, file: &[u8], piece: usize) -> Result<(Vec<Value>, usize)> {
        let trial = Trial::in_pieces(self.kind, &self.options(), file, piece)?;
        assert!(!trial.plan.positions.contains(&4), "a column that is not mapped was kept");
        assert!(
            trial.rejections.iter().all(|rejection| rejection.reason.starts_with("value ")),
            "{:?}",
            trial.rejections
        );
        let fields = [&self.fields()[..], &["value", "notes"]].concat();
        let record =
            |record: &Value| fields.iter().map(|field| (field.to_string(), record[field].clone())).collect();
        Ok((trial.records.iter().map(record).collect(), trial.rejections.len()))
    }

    /// Whether a row is to go in; where the options name the currency, the column that names it is not asked.
    fn takes(&self, row: &Meant) -> bool {
        let is_foreign = !self.names_options && row.currency.to_lowercase().starts_with("eur");
        row.cents >= 0 && (row.cents == 0 || !is_foreign)
    }

    /// What is to go in, and how many rows are not.
    fn expected(&self, table: &[Meant]) -> (Vec<Value>, usize) {
        let [name, day] = self.fields();
        let record = |row: &Meant| {
            let value: Value =
                serde_json::from_str(&Decimal::new(row.cents, 2).normalize().to_string()).unwrap();
            let notes = Some(&row.notes).filter(|notes| !notes.is_empty());
            json!({name: row.name, day: format!("{}T00:00:00.000Z", row.day), "value": value, "notes": notes})
        };
        let going: Vec<Value> = table.iter().filter(|row| self.takes(row)).map(record).collect();
        let rejected = table.len() - going.len();
        (going, rejected)
    }
}

#[test]
fn a_table_in_any_dialect_comes_back_or_is_refused_as_ambiguous() {
    let mut refusals: BTreeMap<String, u64> = BTreeMap::new();
    let mut traits: BTreeMap<&str, u64> = BTreeMap::new();
    let (mut came_back, mut rejected) = (0, 0);
    for seed in 0..DIALECTS {
        let mut random = StdRng::seed_from_u64(seed);
        let dialect = Dialect::random(&mut random);
        let table = dialect.table(&mut random);
        let file = dialect.write(&table);
        let piece = random.random_range(1..4_000);
        match dialect.read(&file, piece) {
            Ok(read) => {
                assert_eq!(read, dialect.expected(&table), "seed {seed}: {dialect:?}");
                came_back += 1;
                dialect.traits().for_each(|name| *traits.entry(name).or_default() += 1);
                rejected += dialect.expected(&table).1;
            }
            Err(refusal) => {
                assert!(!dialect.names_options, "seed {seed}: {refusal:?} {dialect:?}");
                for field in refusal.fields() {
                    let names = ["options.dateOrder", "options.decimalMark", "file"];
                    // A file of few rows without a header may seem to have another delimiter, but not these columns.
                    let misses_columns = !dialect.has_header && field.field.starts_with("options.mapping.");
                    assert!(
                        misses_columns || names.contains(&field.field.as_str()),
                        "seed {seed}: {field:?}"
                    );
                    assert!(
                        field.message.contains("options.") || field.field != "file",
                        "seed {seed}: {field:?}"
                    );
                    *refusals.entry(field.field.clone()).or_default() += 1;
                }
            }
        }
    }
    assert!(traits.len() == 6 && traits.values().all(|count| *count > 10), "{traits:?}");
    assert!(rejected > 500, "{rejected} rows were rejected");
    // Most files decide everything by themselves.
    assert!(came_back > DIALECTS * 7 / 10, "{came_back} came back, refused {refusals:?}");
    assert!(refusals.contains_key("options.dateOrder") && refusals.contains_key("options.decimalMark"));
}
