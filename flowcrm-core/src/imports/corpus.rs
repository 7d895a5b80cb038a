//! One known table, written as five hundred different spreadsheets would write it: each file gives the table back, or is
//! refused as ambiguous, but never means something else.

use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveDate, TimeDelta};
use encoding_rs::WINDOWS_1252;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

use super::intake::Intake;
use super::mapping::Mapped;
use super::members::Members;
use super::row::RowReader;
use super::{ImportKind, ImportOptions};
use crate::access::{Actor, Role};
use crate::deals::{DealPatch, NewDeal};
use crate::error::Result;
use crate::input::Body;
use crate::money::Currency;

const DIALECTS: u64 = 500;

const ROWS: usize = 40;

/// A row as it is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Meant {
    title: String,
    cents: i64,
    expected_close: NaiveDate,
    notes: String,
}

/// How a file is written.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is drawn by itself")]
struct Dialect {
    encoding: &'static str,
    delimiter: char,
    line_end: &'static str,
    quotes_all: bool,
    date: &'static str,
    /// What groups thousands, and what stands before decimals.
    money: (&'static str, char),
    decimals: Decimals,
    sign: (&'static str, &'static str),
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
        Self {
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
            money: pick(
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
            ),
            decimals: pick(random, &[Decimals::Always, Decimals::WhereNeeded, Decimals::Thousands]),
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
            let (one, other) = (pick(random, &words), pick(random, &words));
            let notes = if random.random_bool(0.2) { String::new() } else { format!("{one} {other}") };
            Meant { title: format!("{other} No {index}"), cents, expected_close: day, notes }
        };
        (0..rows).map(row).collect()
    }

    fn amount(&self, cents: i64) -> String {
        let (group, mark) = self.money;
        let digits = (cents / 100).to_string();
        let mut whole = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                whole.push_str(group);
            }
            whole.push(digit);
        }
        let has_decimals = self.decimals == Decimals::Always || cents % 100 != 0;
        let decimals = if has_decimals { format!("{mark}{:02}", cents % 100) } else { String::new() };
        let (before, after) = self.sign;
        format!("{before}{whole}{decimals}{after}")
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
        let mut line = |cells: [&str; 5]| {
            let cells: Vec<String> = cells.iter().map(|cell| self.cell(cell)).collect();
            text.push_str(&cells.join(&self.delimiter.to_string()));
            text.push_str(self.line_end);
        };
        line(["Deal Name", "Amount", "Expected Close Date", "Description", "Secret"]);
        for row in table {
            line([&row.title, &self.amount(row.cents), &self.day(row.expected_close), &row.notes, "hidden"]);
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

    /// What a person would say of the file who knows how it is written.
    fn options(&self) -> Value {
        if !self.names_options {
            return json!({});
        }
        let order = if self.date.starts_with("%y") {
            "ymd"
        } else if self.date.starts_with("%m") || self.date.starts_with("%-m") {
            "mdy"
        } else {
            "dmy"
        };
        let encoding = self.encoding.split(' ').next().unwrap_or_default();
        json!({
            "encoding": encoding, "delimiter": self.delimiter.to_string(), "dateOrder": order,
            "decimalMark": self.money.1.to_string(), "currency": "USD",
        })
    }
}

/// Reads a file as an import does.
fn read(file: &[u8], options: Value, piece: usize) -> Result<Vec<Meant>> {
    let options: ImportOptions = Body::try_from(options)?.decode()?;
    let mut intake = Intake::new(ImportKind::Deals, options, Currency::USD);
    let mut mapped = Vec::new();
    for bytes in file.chunks(piece) {
        intake.push(bytes, &mut mapped)?;
    }
    let plan = intake.finish(&mut mapped)?;
    let (actor, members) = (Actor::sample(Role::Admin), Members::default());
    let reader = RowReader { kind: ImportKind::Deals, plan: &plan, actor: &actor, members: &members };
    let rows = mapped.into_iter().map(|mapped| {
        let Mapped::Row(row) = mapped else { panic!("rejected: {mapped:?}") };
        assert!(!row.cells.contains(&"hidden".to_owned()), "a cell that is not mapped was kept");
        let draft =
            reader.read::<NewDeal, DealPatch>(row).unwrap_or_else(|rejection| panic!("{rejection:?}"));
        let new = draft.new.unwrap_or_else(|rejection| panic!("{rejection:?}"));
        Meant {
            title: new.title,
            cents: new.value.map_or(0, |value| value.in_currency(Currency::USD).unwrap().minor()),
            expected_close: new.expected_close.unwrap().to_utc().date_naive(),
            notes: new.notes.unwrap_or_default(),
        }
    });
    Ok(rows.collect())
}

#[test]
fn a_table_in_any_dialect_comes_back_or_is_refused_as_ambiguous() {
    let mut refusals: BTreeMap<String, u64> = BTreeMap::new();
    let mut came_back = 0;
    for seed in 0..DIALECTS {
        let mut random = StdRng::seed_from_u64(seed);
        let dialect = Dialect::random(&mut random);
        let table = dialect.table(&mut random);
        let file = dialect.write(&table);
        let piece = random.random_range(1..4_000);
        match read(&file, dialect.options(), piece) {
            Ok(read) => {
                assert_eq!(read, table, "seed {seed}: {dialect:?}");
                came_back += 1;
            }
            Err(refusal) => {
                assert!(!dialect.names_options, "seed {seed}: {refusal:?} {dialect:?}");
                for field in refusal.fields() {
                    let names = ["options.dateOrder", "options.decimalMark", "file"];
                    assert!(names.contains(&field.field.as_str()), "seed {seed}: {field:?}");
                    assert!(
                        field.message.contains("options.") || field.field != "file",
                        "seed {seed}: {field:?}"
                    );
                    *refusals.entry(field.field.clone()).or_default() += 1;
                }
            }
        }
    }
    // Most files decide everything by themselves.
    assert!(came_back > DIALECTS * 7 / 10, "{came_back} came back, refused {refusals:?}");
    assert!(refusals.contains_key("options.dateOrder") && refusals.contains_key("options.decimalMark"));
}
