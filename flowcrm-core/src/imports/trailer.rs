//! What stands below the last record of a file: a sum, a signature, or what may be either.

use super::amounts::is_number;
use super::csv::Record;
use super::field::fold;

/// So many rows may be a trailer: more are rows of the file, whatever they say.
const LONGEST: usize = 20;

/// So many bytes are held back at most, those of the cells themselves among them.
const MOST_HELD: usize = 1024 * 1024;

/// What sums are called, folded.
const SUMS: [&str; 41] = [
    "total",
    "totals",
    "sum",
    "subtotal",
    "subtotals",
    "totalsum",
    "totalamount",
    "totalamounts",
    "totalvalue",
    "totalrevenue",
    "totalprice",
    "totalcount",
    "totaldeals",
    "totalleads",
    "totalrecords",
    "totalopportunities",
    "totalcontacts",
    "overalltotal",
    "overall",
    "gesamt",
    "gesamtsumme",
    "gesamtbetrag",
    "gesamtwert",
    "summe",
    "endsumme",
    "zwischensumme",
    "totale",
    "totaal",
    "totalt",
    "totalgeneral",
    "totalgénéral",
    "sommetotale",
    "somme",
    "suma",
    "somma",
    "soma",
    "yhteensä",
    "razem",
    "celkem",
    "итого",
    "toplam",
];

/// Why a row is rejected that sums the others up, or else is a record of that name.
pub(super) const MAY_BE_SUM: &str = "the row may sum the others up, as it is the last one and says nothing but numbers; if it is a record, send it again \
     in the file of rejected rows";

/// What a row is if no record follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    /// A record, whatever follows.
    Record,
    /// Nothing.
    Blank,
    /// What reports write below their records, by its words.
    Signature,
    /// A line of text: part of a signature, if there is one.
    Text,
    /// A sum, or a record that is called so.
    MaybeSum,
}

/// A row that has come to its turn.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is a row of the file.
    Row(Record),
    /// It may be the sum of the others, and is not to be taken for a record.
    MaybeSum(Record),
}

/// The last rows so far, held back until it is known whether a record follows.
#[derive(Debug, Default)]
pub(super) struct Trailer {
    held: Vec<(Record, Last)>,
    size: usize,
}

impl Trailer {
    /// Takes the next row of a file of so many columns, and adds those whose turn has come.
    pub(super) fn push(&mut self, record: Record, width: usize, turns: &mut Vec<Turn>) {
        let above = self.held.last().map(|(_, last)| *last);
        let is_below_gap = record.is_after_blank || above == Some(Last::Blank);
        let is_below_text = matches!(above, Some(Last::Signature | Last::Text));
        let last = last(&record, width, is_below_gap, is_below_text);
        let size = record.cells.iter().map(|cell| size_of::<String>() + cell.len()).sum::<usize>();
        if last != Last::Record && self.held.len() < LONGEST && self.size + size <= MOST_HELD {
            self.size += size;
            self.held.push((record, last));
        } else {
            self.size = 0;
            turns.extend(self.held.drain(..).map(|(held, _)| Turn::Row(held)));
            turns.push(Turn::Row(record));
        }
    }

    /// Ends the file, and adds its last rows: what is certain to be no record is passed over, and nothing else.
    pub(super) fn finish(&mut self, turns: &mut Vec<Turn>) {
        let is_signed = self.held.iter().any(|(_, last)| *last == Last::Signature);
        turns.extend(self.held.drain(..).filter_map(|(record, last)| match last {
            Last::Blank | Last::Signature => None,
            Last::Text if is_signed => None,
            Last::MaybeSum => Some(Turn::MaybeSum(record)),
            // Of another width than a record has, a text is rejected.
            Last::Text | Last::Record => Some(Turn::Row(record)),
        }));
    }
}

fn last(record: &Record, width: usize, is_below_gap: bool, is_below_text: bool) -> Last {
    let cells = record.cells.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty());
    let cells: Vec<&str> = cells.collect();
    let is_line = width > 1 && record.cells.len() == 1;
    let is_apart = is_below_gap || is_line && is_below_text;
    match cells.as_slice() {
        _ if record.is_malformed => Last::Record,
        [] => Last::Blank,
        [text] if is_signature(text, is_apart) => Last::Signature,
        [name, figures @ ..] if !figures.is_empty() => sum(name, figures, is_below_gap),
        [_] if is_line && is_apart => Last::Text,
        _ => Last::Record,
    }
}

/// What a row is that begins with this name, and has these other cells.
fn sum(name: &str, figures: &[&str], is_below_gap: bool) -> Last {
    let word = fold(name);
    let is_grand = matches!(word.as_str(), "grandtotal" | "grandtotals");
    let is_plain = matches!(word.as_str(), "total" | "totals" | "sum");
    let is_percent = |cell: &str| cell.strip_suffix('%').is_some_and(|number| is_number(number.trim_end()));
    let is_none = |cell: &str| matches!(cell, "-" | "\u{2013}" | "\u{2014}");
    let has_numbers = figures.iter().any(|cell| is_number(cell));
    let has_words = !figures.iter().all(|cell| is_number(cell) || is_percent(cell) || is_none(cell));
    if !has_numbers || has_words || !is_grand && !SUMS.contains(&word.as_str()) {
        return Last::Record;
    }
    let is_marked = is_grand || is_plain && (is_below_gap || name.ends_with(':'));
    let is_certain = is_marked && figures.iter().all(|cell| is_number(cell) && !may_be_phone(cell));
    if is_certain { Last::Signature } else { Last::MaybeSum }
}

/// Whether a number may be one of a telephone: `0147444546`.
fn may_be_phone(number: &str) -> bool {
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let has_mark = number.contains(|letter: char| !letter.is_ascii_digit() && letter != ' ');
    !has_mark && (digits >= 7 || digits > 1 && number.starts_with('0'))
}

/// Whether a text that stands alone in its row is what reports write below their records. Where it stands below a gap, or
/// below other such lines, less tells.
fn is_signature(text: &str, is_apart: bool) -> bool {
    let (word, lower) = (fold(text), text.to_lowercase());
    let is_year =
        |rest: &str| rest.get(..4).is_some_and(|year| year.bytes().all(|digit| digit.is_ascii_digit()));
    let is_dated =
        word.strip_prefix("copyright").is_some_and(|rest| is_year(rest.strip_prefix('c').unwrap_or(rest)));
    let is_count = word
        .strip_prefix("recordcount")
        .is_some_and(|count| !count.is_empty() && count.bytes().all(|digit| digit.is_ascii_digit()));
    is_dated && (is_apart || lower.contains("(c)") || lower.contains('©'))
        || word.starts_with("confidentialinformationdonotdistribute")
        || lower.starts_with("generated by:")
        || is_count
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::ImportKind;
    use super::super::csv::CsvParser;
    use super::super::trial::Trial;
    use super::*;

    /// The lines of a file's rows, and of those that may be sums.
    fn turns(file: &str) -> (Vec<i64>, Vec<i64>) {
        let (mut parser, mut records) = (CsvParser::new(b','), Vec::new());
        parser.push(file.as_bytes(), &mut records).unwrap();
        parser.finish(&mut records).unwrap();
        let (width, mut trailer) = (records[0].cells.len(), Trailer::default());
        let mut turns = Vec::new();
        for record in records {
            trailer.push(record, width, &mut turns);
        }
        trailer.finish(&mut turns);
        let (mut rows, mut sums) = (Vec::new(), Vec::new());
        for turn in turns {
            match turn {
                Turn::Row(record) => rows.push(record.line),
                Turn::MaybeSum(record) => sums.push(record.line),
            }
        }
        (rows, sums)
    }

    #[test]
    fn what_is_certain_to_be_no_record_is_passed_over() {
        for trailer in [
            "\"Copyright (c) 2000-2026 salesforce.com, inc. All rights reserved.\",,\n",
            "Confidential Information - Do Not Distribute,,\nGenerated By: Max 1/2/2026,,\n",
            "\n\nLeads of May\nCopyright 2026\nEngines Inc.\n",
            ",,\nCopyright 2026 Engines,,\n",
            "Grand Total,,5\n",
            "Grand Totals,2,\"$1,234.50\"\n",
            "\nTotal,,5\n",
            "Total:,,\"1.234,5\"\n",
            "Record count: 12,,\n",
            ",,\n",
        ] {
            assert_eq!(turns(&format!("a,b,c\nAda,1,2\n{trailer}")), (vec![1, 2], vec![]), "{trailer:?}");
        }
    }

    #[test]
    fn what_may_be_a_record_is_never_passed_over() {
        for record in [
            "Copyright registration,500,\n",
            "Copyright Clearance Center,+1 978 750 8400,\n",
            "Copyright Clearance Center,,\n",
            "Copyright 2026 renewals,,\n",
            "Copyright 2026,500,\n",
            "Confidential Information Memorandum,500,\n",
            "Generated by AI,,\n",
            "Grand Total Wine,5,\n",
            "Grand Total,,\n",
            "Total,,\n",
            "Total,+33 1 47 44,\n",
            "Total,x@total.com,5\n",
            "Record count,5,\n",
            "Ada\n",
            "\nAda\n",
            "\nAda,,\n",
        ] {
            let line = if record.starts_with('\n') { 4 } else { 3 };
            assert_eq!(turns(&format!("a,b,c\nAda,1,2\n{record}")), (vec![1, 2, line], vec![]), "{record:?}");
        }
        for sum in [
            "Gesamt,,5\n",
            "Total amount,,5\n",
            "Total,5,50%\n",
            "Total,-,5\n",
            "Sub-Total,,5\n",
            "Grand Total,0147444546,\n",
            "Total:,0147444546,\n",
        ] {
            assert_eq!(turns(&format!("a,b,c\nAda,1,2\n{sum}")), (vec![1, 2], vec![3]), "{sum:?}");
        }
        for below_gap in
            ["\nTotal,0147444546,\n", ",,\nTotal,147 444 546,\n", "\nTotal,5,50%\n", "\nGesamt,,5\n"]
        {
            let expected = (vec![1, 2], vec![4]);
            assert_eq!(turns(&format!("a,b,c\nAda,1,2\n{below_gap}")), expected, "{below_gap:?}");
        }
        for record in
            ["Gesamt,x@gesamt.de,5\n", "Total,-,-\n", "Total Wine,,5\n", "Gesamt,,\n", "Total,50%,\n"]
        {
            assert_eq!(turns(&format!("a,b,c\nAda,1,2\n{record}")), (vec![1, 2, 3], vec![]), "{record:?}");
        }
        let doubled = "a,b,c\r\r\nAda,1,2\r\r\nTotal,,5\r\r\n";
        assert_eq!(turns(doubled), (vec![1, 3], vec![5]), "no gap, so it is not certain");
        for sum in ["Total,,5\n", "Totals,2,5\n\n,,\n", "sum,5,\n\nCopyright 2026\n"] {
            assert_eq!(turns(&format!("a,b,c\nAda,1,2\n{sum}")), (vec![1, 2], vec![3]), "{sum:?}");
        }
        assert_eq!(turns("a,b\nTotal,5\nAda,1\n"), (vec![1, 2, 3], vec![]), "a record follows");
        assert_eq!(turns("name\nAda\n\nBob\n"), (vec![1, 2, 4], vec![]), "a file of one column");
    }

    #[test]
    fn no_record_is_lost_at_the_end_of_a_file() {
        let names = |kind: ImportKind, name: &str, file: &str| {
            let trial = Trial::of(kind, &json!({}), file.as_bytes()).unwrap();
            let names = trial.records.iter().map(|record| record[name].as_str().unwrap().to_owned());
            (names.collect::<Vec<_>>(), trial.rejections.len())
        };
        for (kind, name, file, records, rejected) in [
            (ImportKind::Deals, "title", "Deal Name,Amount\nLoom,5\nCopyright registration,500", 2, 0),
            (
                ImportKind::Leads,
                "name",
                "name,phone\nAda,1\nCopyright Clearance Center,+1 978 750 8400",
                2,
                0,
            ),
            (ImportKind::Deals, "title", "title,value\nLoom,5\nTotal,5\n", 1, 1),
            (
                ImportKind::Deals,
                "title",
                "title,value,line,reason\nTotal,5,3,the row may sum the others up\n",
                1,
                0,
            ),
            (ImportKind::Leads, "name", "name,phone\nAda,1\n\nExported on 2026-01-31\n", 1, 1),
            (
                ImportKind::Leads,
                "name",
                "name,phone\nAda,1\n\nLeads of May\nCopyright (c) 2026 Engines\n",
                1,
                0,
            ),
        ] {
            let (names, count) = names(kind, name, file);
            assert_eq!((names.len(), count), (records, rejected), "{file} {names:?}");
        }
    }

    #[test]
    fn a_trailer_is_not_wide() {
        let (mut trailer, mut turns) = (Trailer::default(), Vec::new());
        for line in 1..=10 {
            let cells = vec![String::new(); 10_000];
            let record = Record { line, is_after_blank: false, is_malformed: false, cells };
            trailer.push(record, 3, &mut turns);
            assert!(trailer.held.iter().map(|(record, _)| record.cells.len()).sum::<usize>() < 50_000);
        }
        assert!(!turns.is_empty());
    }

    #[test]
    fn a_trailer_is_not_long() {
        let lines = format!("a,b\n\nCopyright 2026\n{}", "more\n".repeat(LONGEST + 3));
        let (rows, _) = turns(&lines);
        assert!(rows.len() > LONGEST, "{rows:?}");
    }
}
