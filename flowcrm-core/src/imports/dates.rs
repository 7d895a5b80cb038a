//! Dates as files write them.

use std::borrow::Cow;

use chrono::{FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::input::words;
use crate::time::Timestamp;

words! {
    /// In which order a date gives its numbers.
    DateOrder {
        /// Day, month, year: 31/12/2026.
        Dmy = "dmy",
        /// Month, day, year: 12/31/2026.
        Mdy = "mdy",
        /// Year, month, day: 26-12-31. A year of four digits in front needs no order.
        Ymd = "ymd",
    }
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The days that spreadsheets count from, so that 1 March 1900 is day 61.
const EPOCH: NaiveDate = NaiveDate::from_ymd_opt(1899, 12, 30).expect("a day of the calendar");

/// The numbers that are read as a spreadsheet's count of days: 3 October 1954 to 10 January 2119.
const SERIALS: std::ops::RangeInclusive<u32> = 20_000..=80_000;

/// What a text says, before its order is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    /// A moment, in whichever order.
    Moment(Timestamp),
    /// Three numbers with the time of the day.
    Numbers { parts: [Part; 3], time: NaiveTime, zone: FixedOffset },
}

/// A number with as many digits as it was written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    number: u32,
    digits: usize,
}

/// A moment as files write it; without a zone it is UTC.
pub(super) fn moment(text: &str, order: Option<DateOrder>) -> Result<Timestamp, String> {
    let written = read(text);
    match (written, order) {
        (Some(Written::Moment(moment)), _) => Some(moment),
        (Some(written), Some(order)) => written.in_order(order),
        (Some(written), None) => sole(DateOrder::ALL.iter().filter_map(|order| written.in_order(*order))),
        (None, _) => None,
    }
    .ok_or_else(|| match order {
        Some(order) if written.is_some() => format!("must be a date in the order {order}"),
        _ => "must be a date, like 2026-01-31 or 31 Jan 2026".to_owned(),
    })
}

/// The cell, written so that it tells by itself what only its column has told: `01/02/2026` as `2026-02-01`.
pub(super) fn told(text: &str, order: DateOrder) -> Cow<'_, str> {
    match (moment(text, None), moment(text, Some(order))) {
        (Err(_), Ok(moment)) => {
            let text = moment.to_string();
            text.strip_suffix("T00:00:00.000Z").map(str::to_owned).unwrap_or(text).into()
        }
        _ => text.into(),
    }
}

/// The value that all agree on.
fn sole(mut moments: impl Iterator<Item = Timestamp>) -> Option<Timestamp> {
    let first = moments.next()?;
    moments.all(|moment| moment == first).then_some(first)
}

/// What the cells of a column say of its order.
#[derive(Debug, Clone)]
pub(super) struct DateEvidence {
    /// The orders in which every date so far is one, as in [`DateOrder::ALL`].
    possible: [bool; 3],
    /// Whether two of the orders give different moments: the first and second, the first and third, the others.
    differ: [bool; 3],
    is_needed: bool,
    example: String,
}

impl Default for DateEvidence {
    fn default() -> Self {
        Self { possible: [true; 3], differ: [false; 3], is_needed: false, example: String::new() }
    }
}

/// The places of the pairs of [`DateEvidence::differ`].
const PAIRS: [(usize, usize); 3] = [(0, 1), (0, 2), (1, 2)];

impl DateEvidence {
    /// Takes a cell into account; one that is no date in any order says nothing.
    pub(super) fn observe(&mut self, text: &str) {
        let Some(written @ Written::Numbers { .. }) = read(text) else { return };
        let [dmy, mdy, ymd] =
            [DateOrder::Dmy, DateOrder::Mdy, DateOrder::Ymd].map(|order| written.in_order(order));
        let moments = [dmy, mdy, ymd];
        if moments.iter().all(Option::is_none) {
            return;
        }
        self.is_needed = true;
        for (possible, moment) in self.possible.iter_mut().zip(&moments) {
            *possible &= moment.is_some();
        }
        for (differ, (one, other)) in self.differ.iter_mut().zip(PAIRS) {
            let is_different =
                matches!((moments[one], moments[other]), (Some(one), Some(other)) if one != other);
            if is_different && self.example.is_empty() {
                text.clone_into(&mut self.example);
            }
            *differ |= is_different;
        }
    }

    /// The order of the column, if its dates need one.
    pub(super) fn decide(&self) -> Result<Option<DateOrder>, String> {
        if !self.is_needed {
            return Ok(None);
        }
        let order = DateOrder::ALL.iter().zip(self.possible).find(|(_, possible)| *possible);
        let Some((order, _)) = order else {
            return Err("has dates in different orders, so one of dmy, mdy, ymd must be named".to_owned());
        };
        let is_open = PAIRS
            .iter()
            .zip(self.differ)
            .any(|((one, other), differ)| differ && self.possible[*one] && self.possible[*other]);
        if is_open {
            let example = &self.example;
            return Err(format!("has dates that mean several days, like {example}: name dmy, mdy or ymd"));
        }
        Ok(Some(*order))
    }
}

impl Written {
    fn in_order(self, order: DateOrder) -> Option<Timestamp> {
        let (parts, time, zone) = match self {
            Self::Moment(moment) => return Some(moment),
            Self::Numbers { parts, time, zone } => (parts, time, zone),
        };
        let [first, second, third] = parts;
        let (year, month, day) = match order {
            DateOrder::Dmy => (third, second, first),
            DateOrder::Mdy => (third, first, second),
            DateOrder::Ymd => (first, second, third),
        };
        let date =
            NaiveDate::from_ymd_opt(year.as_year()?, month.below_a_hundred()?, day.below_a_hundred()?)?;
        at(date.and_time(time), zone)
    }
}

impl Part {
    fn as_year(self) -> Option<i32> {
        let number = i32::try_from(self.number).ok()?;
        match self.digits {
            4 => Some(number),
            // As POSIX reads them.
            2 if number < 69 => Some(2000 + number),
            2 => Some(1900 + number),
            _ => None,
        }
    }

    fn below_a_hundred(self) -> Option<u32> {
        (self.digits <= 2).then_some(self.number)
    }
}

fn at(moment: NaiveDateTime, zone: FixedOffset) -> Option<Timestamp> {
    let moment = zone.from_local_datetime(&moment).single()?.to_utc();
    // Its range is that of every other door.
    let moment = Timestamp::new(moment);
    moment.to_sortable_text().parse().ok()
}

fn utc() -> Option<FixedOffset> {
    FixedOffset::east_opt(0)
}

fn read(text: &str) -> Option<Written> {
    let text = text.trim();
    if text.len() > 60 {
        return None;
    }
    if let Ok(moment) = text.parse() {
        return Some(Written::Moment(moment));
    }
    let text: String = text.chars().map(|letter| if letter.is_whitespace() { ' ' } else { letter }).collect();
    if let Some(moment) = serial(&text) {
        return Some(Written::Moment(moment));
    }
    let (date, time, zone) = match text.find(':') {
        Some(colon) => {
            let hour = text[..colon].bytes().rev().take_while(u8::is_ascii_digit).count();
            let (date, time) = text.split_at(colon - hour);
            let (time, zone) = time_of_day(time.trim())?;
            let date = date.trim_end();
            let before_t = date
                .strip_suffix(['T', 't'])
                .filter(|date| date.ends_with(|last: char| last.is_ascii_digit()));
            let date = before_t.or_else(|| date.strip_suffix(" at")).unwrap_or(date);
            (date.trim_end_matches([' ', ',']).to_owned(), time, zone)
        }
        None => (text, NaiveTime::MIN, utc()?),
    };
    day(&date, time, zone)
}

/// A spreadsheet's count of days, with the time as their fraction.
fn serial(text: &str) -> Option<Timestamp> {
    let number: Decimal = Decimal::from_str_exact(&text.replacen(',', ".", 1)).ok()?;
    let is_plain = text.bytes().next().is_some_and(|first| first.is_ascii_digit());
    let days = number.trunc().to_u32().filter(|days| is_plain && SERIALS.contains(days))?;
    let millis = (number.fract() * Decimal::from(86_400_000)).round().to_i64()?;
    let moment =
        EPOCH.and_time(NaiveTime::MIN) + TimeDelta::days(i64::from(days)) + TimeDelta::milliseconds(millis);
    at(moment, utc()?)
}

/// `14:30`, `2:30:15 PM`, `14:30:15.123+02:00`.
fn time_of_day(text: &str) -> Option<(NaiveTime, FixedOffset)> {
    let upper = text.to_uppercase();
    let end = upper.find(|letter: char| !letter.is_ascii_digit() && !matches!(letter, ':' | '.' | ','));
    let (clock, rest) = upper.split_at(end.unwrap_or(upper.len()));
    let (half, rest) = half_of_day(rest.trim());
    let zone = zone(rest.trim())?;
    let mut numbers = clock.split(':');
    let two = |text: &str| (1..=2).contains(&text.len()).then(|| text.parse::<u32>().ok()).flatten();
    let (hour, minute) =
        (two(numbers.next()?)?, numbers.next().filter(|text| text.len() == 2).and_then(two)?);
    let (seconds, micros) = match numbers.next() {
        None => (0, 0),
        Some(text) => {
            let (seconds, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
            let is_fraction =
                (1..=9).contains(&fraction.len()) && fraction.bytes().all(|byte| byte.is_ascii_digit());
            let micros = format!("{fraction:0<6}")[..6].parse().ok().filter(|_: &u32| is_fraction)?;
            (Some(seconds).filter(|text| text.len() == 2).and_then(two)?, micros)
        }
    };
    let hour = match half {
        None => hour,
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        Some(_) => return None,
    };
    let is_whole = numbers.next().is_none();
    NaiveTime::from_hms_micro_opt(hour, minute, seconds, micros).filter(|_| is_whole).map(|time| (time, zone))
}

/// `AM` or `PM`, as the hours that it adds, and what follows.
fn half_of_day(text: &str) -> (Option<u32>, &str) {
    for (word, hours) in [("AM", 0), ("A.M.", 0), ("PM", 12), ("P.M.", 12)] {
        if let Some(rest) = text.strip_prefix(word) {
            return (Some(hours), rest);
        }
    }
    (None, text)
}

/// Nothing, `Z`, `UTC`, `GMT`, `+02:00`, `+0200` or `+02`.
fn zone(text: &str) -> Option<FixedOffset> {
    let text = text.strip_prefix("UTC").or_else(|| text.strip_prefix("GMT")).unwrap_or(text);
    if matches!(text, "" | "Z") {
        return utc();
    }
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let digits = digits.replacen(':', "", 1);
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let hours: i32 = digits[..2].parse().ok()?;
    let minutes: i32 = digits[2..].parse().unwrap_or(0);
    FixedOffset::east_opt(sign * (hours * 3_600 + minutes * 60)).filter(|_| hours <= 14 && minutes < 60)
}

fn day(text: &str, time: NaiveTime, zone: FixedOffset) -> Option<Written> {
    let is_separator = |letter: char| matches!(letter, '/' | '-' | '.' | ' ' | ',');
    let mut words: Vec<&str> = text.split(is_separator).filter(|word| !word.is_empty()).collect();
    words.retain(|word| !begins_one_of(&WEEKDAYS, word));
    let of = |year: Part, month: u32, day: Part| {
        let date = NaiveDate::from_ymd_opt(year.as_year()?, month, day.below_a_hundred()?)?;
        at(date.and_time(time), zone).map(Written::Moment)
    };
    match words.as_slice() {
        [compact] if compact.len() == 8 && compact.bytes().all(|byte| byte.is_ascii_digit()) => {
            let part = |range: std::ops::Range<usize>| part(&compact[range]);
            let year = part(0..4)?;
            of(year, part(4..6)?.number, part(6..8)?).filter(|_| (1900..=2100).contains(&year.number))
        }
        [first, second, third] => match (part(first), part(second), part(third)) {
            (Some(year), Some(month), Some(day)) if year.digits == 4 => {
                of(year, month.below_a_hundred()?, day)
            }
            (Some(first), Some(second), Some(third)) => {
                Some(Written::Numbers { parts: [first, second, third], time, zone })
            }
            (Some(year), None, Some(day)) if year.digits == 4 => of(year, month(second)?, day),
            (Some(day), None, Some(year)) => of(year, month(second)?, day),
            (None, Some(day), Some(year)) => of(year, month(first)?, day),
            _ => None,
        },
        _ => None,
    }
}

/// A number, perhaps as `1st` or `22nd`.
fn part(word: &str) -> Option<Part> {
    let ordinal = ["st", "nd", "rd", "th"].iter().find_map(|ending| word.strip_suffix(ending));
    let digits = ordinal.unwrap_or(word);
    let is_number = matches!(digits.len(), 1 | 2 | 4) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse().ok().filter(|_| is_number)?;
    Some(Part { number, digits: digits.len() })
}

fn month(word: &str) -> Option<u32> {
    let position = MONTHS.iter().position(|month| begins_one_of(&[month], word))?;
    u32::try_from(position + 1).ok()
}

/// Whether a word is one of some names, or its beginning of at least three letters.
fn begins_one_of(names: &[&str], word: &str) -> bool {
    let word = word.to_lowercase();
    word.len() >= 3
        && names.iter().any(|name| name.starts_with(&word) || (*name == "september" && word == "sept"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_told_by_its_column_tells_the_same_alone() {
        for (text, order, alone) in [
            ("01/02/2026", DateOrder::Dmy, "2026-02-01"),
            ("01/02/2026", DateOrder::Mdy, "2026-01-02"),
            ("01/02/2026 10:30", DateOrder::Dmy, "2026-02-01T10:30:00.000Z"),
            ("03-02-01", DateOrder::Ymd, "2003-02-01"),
            ("31/12/2026", DateOrder::Dmy, "31/12/2026"),
            ("02/02/2026", DateOrder::Dmy, "02/02/2026"),
            ("31/13/2026", DateOrder::Dmy, "31/13/2026"),
            ("31 Jan 2026", DateOrder::Dmy, "31 Jan 2026"),
        ] {
            assert_eq!(told(text, order), alone);
            assert_eq!(moment(alone, None).ok(), moment(text, Some(order)).ok(), "{text}");
        }
    }

    fn said(text: &str, order: Option<DateOrder>) -> Option<String> {
        moment(text, order).ok().map(|moment| moment.to_string())
    }

    #[test]
    fn dates_that_need_no_order() {
        for text in [
            "2026-01-31",
            "2026/1/31",
            "2026.01.31",
            "20260131",
            "31 Jan 2026",
            "31-Jan-26",
            "January 31, 2026",
            "Sat, 31st Jan 2026",
            "2026 Jan 31",
            "46053",
            "31/01/2026",
            "1/31/2026",
        ] {
            assert_eq!(said(text, None).as_deref(), Some("2026-01-31T00:00:00.000Z"), "{text}");
        }
        for text in [
            "2026-01-31 14:30:15",
            "2026-01-31T14:30:15Z",
            "2026-01-31T16:30:15.000+0200",
            "1/31/2026 2:30:15 PM",
            "Jan 31, 2026 at 2:30:15 p.m.",
            "31 January 2026, 14:30:15 UTC",
            "46053.604340278",
            "20260131 14:30:15",
        ] {
            assert_eq!(said(text, None).as_deref(), Some("2026-01-31T14:30:15.000Z"), "{text}");
        }
        for bad in [
            "",
            "x",
            "2026-02-30",
            "31 Foo 2026",
            "2026-01-31 noon",
            "2026-01-31 25:00",
            "1/2/2026",
            "7",
            "1.5",
            "43831abc",
            "2026",
            "é26-01-31ü12:00:00",
            "13:00",
            "12/2026",
            "31/31/2026",
            "2026-01-31 13:00 PM",
        ] {
            assert_eq!(said(bad, None), None, "{bad}");
        }
    }

    #[test]
    fn the_order_reads_what_has_several_meanings() {
        let cases = [
            ("01/02/2026", DateOrder::Dmy, Some("2026-02-01")),
            ("01/02/2026", DateOrder::Mdy, Some("2026-01-02")),
            ("01/02/2026", DateOrder::Ymd, None),
            ("26-01-02", DateOrder::Ymd, Some("2026-01-02")),
            ("2026-01-02", DateOrder::Dmy, Some("2026-01-02")),
            ("31/12/2026", DateOrder::Mdy, None),
        ];
        for (text, order, date) in cases {
            let expected = date.map(|date| format!("{date}T00:00:00.000Z"));
            assert_eq!(said(text, Some(order)), expected, "{text} {order}");
        }
    }

    #[test]
    fn a_column_tells_its_order_or_is_refused() {
        let decide = |cells: &[&str]| {
            let mut evidence = DateEvidence::default();
            for cell in cells {
                evidence.observe(cell);
            }
            evidence.decide()
        };
        assert_eq!(decide(&["2026-01-02", "n/a", "", "5 May 2026"]), Ok(None));
        assert_eq!(decide(&["01/02/2026", "31/02/2026", "13/02/2026"]), Ok(Some(DateOrder::Dmy)));
        assert_eq!(decide(&["01/02/2026", "1/13/2026"]), Ok(Some(DateOrder::Mdy)));
        assert_eq!(decide(&["05/05/2026"]), Ok(Some(DateOrder::Dmy)));
        assert!(decide(&["01/02/2026", "05/05/2026"]).unwrap_err().contains("01/02/2026"));
        assert!(decide(&["13/02/2026", "02/13/2026"]).is_err());
        assert!(decide(&["31-12-20"]).is_err(), "two years or two days");
        assert_eq!(decide(&["31-12-20", "5-12-20"]), Ok(Some(DateOrder::Dmy)));
    }
}
