//! How a file of rows is laid out: what separates its columns, and whether it is a list at all.

use super::csv::{CsvParser, Record};
use super::field::fold;

/// What may separate columns.
const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];

/// How a file is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    /// What separates columns.
    pub(super) delimiter: u8,
    /// Whether the first line names the delimiter, as in `sep=;`, and is no row.
    pub(super) is_announced: bool,
}

impl Dialect {
    /// Sees how a file is laid out by its beginning, unless its delimiter is named. Errors are sentences without their
    /// subject, which is the file.
    pub(super) fn of(head: &str, is_whole: bool, named: Option<u8>) -> Result<Self, String> {
        let announced = announced(head);
        if let Some(delimiter) = named.or(announced) {
            return Ok(Self { delimiter, is_announced: announced.is_some() });
        }
        let mut fits: Vec<(usize, u8)> = Vec::new();
        for delimiter in DELIMITERS {
            let delimiter = u8::try_from(delimiter).map_err(|_| "has a delimiter that is not ASCII")?;
            if let Some(evenness) = evenness(head, is_whole, delimiter) {
                fits.push((evenness, delimiter));
            }
        }
        fits.sort_by_key(|(evenness, _)| std::cmp::Reverse(*evenness));
        let delimiter = match fits.as_slice() {
            [] => b',',
            [(_, only)] => *only,
            [(best, first), (next, second), ..] if *next + 10 > *best => {
                let [first, second] = [*first, *second].map(shown);
                return Err(format!(
                    "has columns separated by {first} or by {second}: name which in options.delimiter"
                ));
            }
            [(_, best), ..] => *best,
        };
        Ok(Self { delimiter, is_announced: false })
    }
}

/// A delimiter as messages name it.
fn shown(delimiter: u8) -> &'static str {
    match delimiter {
        b',' => "commas",
        b';' => "semicolons",
        b'\t' => "tabs",
        _ => "bars",
    }
}

/// The delimiter that the first line names: `sep=;`, as some spreadsheets write and read.
fn announced(head: &str) -> Option<u8> {
    let first = head.split(['\r', '\n']).next()?;
    let name = first.get(..4).filter(|start| start.eq_ignore_ascii_case("sep=")).and(first.get(4..))?;
    DELIMITERS.iter().find(|known| name.chars().eq([**known])).and_then(|known| u8::try_from(*known).ok())
}

/// How many of a hundred rows have as many columns as the first, when that has several.
fn evenness(head: &str, is_whole: bool, delimiter: u8) -> Option<usize> {
    let (mut parser, mut records) = (CsvParser::trying(delimiter), Vec::new());
    parser.push(head.as_bytes(), &mut records).ok()?;
    if is_whole {
        parser.finish(&mut records).ok()?;
    }
    let (first, rows) = records.split_first()?;
    let width = first.cells.len();
    let even = rows.iter().filter(|row| row.cells.len() == width).count();
    (width > 1).then(|| if rows.is_empty() { 100 } else { even * 100 / rows.len() })
}

/// Refuses a report that sums records up rather than lists them, by its first rows.
pub(super) fn refuse_reports(records: &[Record]) -> Result<(), String> {
    let mut words = records.iter().take(6).flat_map(|record| &record.cells).map(|cell| fold(cell));
    let is_pivot = words.any(|word| matches!(word.as_str(), "rowlabels" | "columnlabels"));
    let is_summed = records.first().is_some_and(|header| {
        let cells = || header.cells.iter().map(|cell| fold(cell));
        cells().any(|word| word == "grandtotal")
            || cells().any(|word| ["sumof", "countof", "averageof"].iter().any(|sum| word.starts_with(sum)))
    });
    if is_pivot || is_summed {
        return Err(
            "is a pivot report, which sums records up: export the list of the records behind it".to_owned()
        );
    }
    Ok(())
}

/// Refuses a list that lines of a title stand above, by its first rows.
pub(super) fn refuse_titles(records: &[Record]) -> Result<(), String> {
    let filled = |record: &Record| record.cells.iter().filter(|cell| !cell.trim().is_empty()).count();
    let [first, second, third, ..] = records else { return Ok(()) };
    let is_title = filled(first) <= 1 && filled(second) >= 3.max(filled(third)) && filled(third) >= 2;
    let after_gap = filled(first) <= 1 && filled(second) <= 1 && filled(third) >= 3;
    if is_title || (after_gap && first.cells.len() < third.cells.len()) {
        let line = if is_title { second.line } else { third.line };
        return Err(format!(
            "begins with a title: its header must be the first row. Delete the lines above line {line}"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delimiter(head: &str) -> Result<char, String> {
        Dialect::of(head, true, None).map(|dialect| char::from(dialect.delimiter))
    }

    #[test]
    fn delimiters_are_told_by_even_columns() {
        let cases = [
            ("a,b\n1,2\n", ','),
            ("a;b\n1,5;2,5\n3;4\n", ';'),
            ("a\tb, c\n1\t2, 3\n4\t5\n", '\t'),
            ("a|b|c\n1|2|3\n", '|'),
            ("name\nByron, Ada\n", ','),
            ("name,tags\nAda,\"x;y\"\nBob,z;z;z\n", ','),
            ("sep=;\na;b\n", ';'),
            ("sep=;\r\na,b;c\r\n", ';'),
            ("sep=;\ra,b;c\r1,2;3\r", ';'),
            ("", ','),
        ];
        for (head, expected) in cases {
            assert_eq!(delimiter(head), Ok(expected), "{head:?}");
        }
        for open in ["a,b;c\n1,5;2\n3,4;5\n", "Byron, Ada;5\nDeals of May\n"] {
            let refusal = delimiter(open).unwrap_err();
            let is_named =
                refusal.contains("commas or by semicolons") && refusal.contains("options.delimiter");
            assert!(is_named, "{refusal}");
        }
    }

    fn records(file: &str) -> Vec<Record> {
        let (mut parser, mut records) = (CsvParser::new(b','), Vec::new());
        parser.push(file.as_bytes(), &mut records).unwrap();
        parser.finish(&mut records).unwrap();
        records
    }

    #[test]
    fn reports_are_no_lists() {
        let pivot = "Sum of Amount,Column Labels,,\nRow Labels,Won,Lost,Grand Total\nEast,1,2,3\n";
        assert!(refuse_reports(&records(pivot)).unwrap_err().contains("pivot"));
        assert!(refuse_reports(&records("Owner,Count of Leads\nAda,3\n")).is_err());
        assert!(refuse_reports(&records("Name,Amount\nGrand Total Ltd,3\n")).is_ok());
        let titled = "Leads of May,,\nName,Email,Phone\nAda,a@b.org,1\n";
        assert!(refuse_titles(&records(titled)).unwrap_err().contains("line 2"));
        assert!(refuse_titles(&records("Name\nAda\nBob\n")).is_ok());
        assert!(refuse_titles(&records("Name,,\nAda,,\nBob,,\n")).is_ok());
    }
}
