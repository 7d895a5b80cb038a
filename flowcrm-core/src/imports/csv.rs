//! CSV (RFC 4180), read as it arrives.

use csv_core::ReadRecordResult;

use super::lines::Lines;
use super::quotes::{Marks, Quoting};

/// The longest row, as it stands in the file; a longer one has a quote that is never closed.
const LONGEST_ROW: usize = 1024 * 1024;

/// A row of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// The line that the row begins on; the file begins on line 1.
    pub(super) line: i64,
    /// Whether blank lines stand above it.
    pub(super) is_after_blank: bool,
    /// Whether text stands behind the quote that closes a cell: what the cell was to say is not known.
    pub(super) is_malformed: bool,
    /// The cells.
    pub(super) cells: Vec<String>,
}

/// Reads the rows of a file's text that is pushed piece by piece; pieces may end anywhere.
///
/// Blank lines are no rows. A row of more than 1 MiB is refused, and so is a file with text behind the closing quote of a
/// cell where it is not certain that the row ends with its line: what follows might belong to it. Errors are sentences
/// without their subject, which is the file.
pub(super) struct CsvParser {
    reader: csv_core::Reader,
    delimiter: u8,
    line: Lines,
    /// The line behind the last row.
    next_line: i64,
    /// What has ended lines since the last row, its first four bytes: `\r\r\n` is one end, of files that were
    /// written twice as text, and no blank line.
    line_ends: Vec<u8>,
    /// Whether rows that end nobody knows where are read all the same.
    is_trial: bool,
    /// The line of a row that may go on where no quote opens a cell, but one closes it.
    unfinished: Option<i64>,
    row: Row,
}

/// The row that is being read.
struct Row {
    is_begun: bool,
    line: i64,
    is_after_blank: bool,
    size: usize,
    quoting: Quoting,
    is_malformed: bool,
    marks: Marks,
    output: Vec<u8>,
    written: usize,
    ends: Vec<usize>,
    ended: usize,
}

impl CsvParser {
    pub(super) fn new(delimiter: u8) -> Self {
        let row = Row {
            is_begun: false,
            line: 1,
            is_after_blank: false,
            size: 0,
            quoting: Quoting::Before,
            is_malformed: false,
            marks: Marks::default(),
            output: vec![0; 4096],
            written: 0,
            ends: vec![0; 64],
            ended: 0,
        };
        Self {
            reader: csv_core::ReaderBuilder::new().delimiter(delimiter).build(),
            delimiter,
            line: Lines::default(),
            next_line: 1,
            line_ends: Vec::new(),
            is_trial: false,
            unfinished: None,
            row,
        }
    }

    /// A parser that only tries whether a delimiter fits.
    pub(super) fn trying(delimiter: u8) -> Self {
        Self { is_trial: true, ..Self::new(delimiter) }
    }

    /// Ends the file, and adds its last row if no line end followed it.
    pub(super) fn finish(mut self, records: &mut Vec<Record>) -> Result<(), String> {
        if !self.row.is_begun {
            return Ok(());
        }
        if self.row.quoting == Quoting::Within {
            return Err(format!(
                "has a quote that is never closed in the row that begins on line {}",
                self.row.line
            ));
        }
        loop {
            match self.step(&[]).0 {
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => self.row.grow(),
                ReadRecordResult::Record => {
                    self.row.marks.end_cell(self.row.quoting);
                    records.push(self.take()?);
                    return Ok(());
                }
                ReadRecordResult::InputEmpty | ReadRecordResult::End => return Ok(()),
            }
        }
    }

    /// Reads a piece of the file, and adds the rows that end in it.
    pub(super) fn push(&mut self, mut bytes: &[u8], records: &mut Vec<Record>) -> Result<(), String> {
        loop {
            if !self.row.is_begun {
                let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
                self.count(&bytes[..blank]);
                self.line_ends.extend(bytes[..blank].iter().take(4 - self.line_ends.len().min(4)));
                bytes = &bytes[blank..];
            }
            // To the reader, nothing is the end of the file.
            if bytes.is_empty() {
                return Ok(());
            }
            if !self.row.is_begun {
                let is_after_blank = self.line.reached() > self.next_line && self.line_ends != b"\r\r\n";
                self.row.begin(self.line.reached(), is_after_blank);
            }
            let (result, taken) = self.step(bytes);
            self.count(&bytes[..taken]);
            self.row.size += taken;
            let last = bytes[..taken].last().copied();
            bytes = &bytes[taken..];
            if self.row.size > LONGEST_ROW {
                let line = self.row.line;
                return Err(format!(
                    "has a row of more than 1 MiB that begins on line {line}: is a quote never closed?"
                ));
            }
            match result {
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => self.row.grow(),
                ReadRecordResult::Record => {
                    self.next_line = self.line.reached();
                    self.line_ends = last.into_iter().collect();
                    records.push(self.take()?);
                }
                ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
            }
        }
    }

    /// The row that has ended.
    fn take(&mut self) -> Result<Record, String> {
        let marks = self.row.marks;
        let unfinished = match self.row.is_malformed {
            true if marks.are_uncertain() => Some(self.row.line),
            true => None,
            false => self.unfinished.filter(|_| marks.have_tail()),
        };
        if let Some(line) = unfinished.filter(|_| !self.is_trial) {
            return Err(format!(
                "has text behind the closing quote of a cell in the row on line {line}, and where that row ends is not \
                 certain: a quote within a cell must be doubled"
            ));
        }
        if self.row.is_malformed && marks.are_open_ended() {
            self.unfinished.get_or_insert(self.row.line);
        }
        self.row.take()
    }

    /// One step of the reader: what came of it, and how many bytes it took.
    fn step(&mut self, bytes: &[u8]) -> (ReadRecordResult, usize) {
        let row = &mut self.row;
        let (output, ends) = (&mut row.output[row.written..], &mut row.ends[row.ended..]);
        let (result, taken, written, ended) = self.reader.read_record(bytes, output, ends);
        row.written += written;
        row.ended += ended;
        (result, taken)
    }

    /// Counts lines, and follows the quotes.
    fn count(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.line.pass(*byte);
            self.row.follow(*byte, self.delimiter);
        }
    }
}

impl Row {
    fn begin(&mut self, line: i64, is_after_blank: bool) {
        (self.is_begun, self.line, self.is_after_blank) = (true, line, is_after_blank);
        (self.size, self.quoting, self.is_malformed) = (0, Quoting::Before, false);
        self.marks = Marks::default();
        (self.written, self.ended) = (0, 0);
    }

    fn follow(&mut self, byte: u8, delimiter: u8) {
        self.marks.follow(byte, self.quoting, delimiter);
        let next = self.quoting.then(byte, delimiter);
        self.is_malformed |=
            next == Quoting::Without && matches!(self.quoting, Quoting::AtQuote | Quoting::Behind);
        self.quoting = next;
    }

    fn grow(&mut self) {
        self.output.resize((self.written * 2).max(self.output.len()), 0);
        self.ends.resize((self.ended * 2).max(self.ends.len()), 0);
    }

    fn take(&mut self) -> Result<Record, String> {
        self.is_begun = false;
        let mut start = 0;
        let mut cells = Vec::with_capacity(self.ended);
        for end in &self.ends[..self.ended] {
            let cell = std::str::from_utf8(&self.output[start..*end])
                .map_err(|_| format!("cannot be read on line {}", self.line))?;
            cells.push(cell.to_owned());
            start = *end;
        }
        let (line, is_after_blank, is_malformed) = (self.line, self.is_after_blank, self.is_malformed);
        Ok(Record { line, is_after_blank, is_malformed, cells })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parses a file in pieces of so many bytes.
    fn parse(file: &[u8], piece: usize) -> Result<Vec<(i64, Vec<String>)>, String> {
        let (mut parser, mut records) = (CsvParser::new(b','), Vec::new());
        for bytes in file.chunks(piece) {
            parser.push(bytes, &mut records)?;
        }
        parser.finish(&mut records)?;
        Ok(records.into_iter().map(|record| (record.line, record.cells)).collect())
    }

    fn row(line: i64, cells: &[&str]) -> (i64, Vec<String>) {
        (line, cells.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn rows_know_the_line_they_begin_on_wherever_pieces_end() {
        let file = "a,b\r\n\"x \"\"y\"\", z\",\"1\r\n2\n3\"\r\n\r\n\n,é\rlast,\"\"";
        let expected = vec![
            row(1, &["a", "b"]),
            row(2, &["x \"y\", z", "1\r\n2\n3"]),
            row(7, &["", "é"]),
            row(8, &["last", ""]),
        ];
        for piece in 1..=file.len() {
            assert_eq!(parse(file.as_bytes(), piece), Ok(expected.clone()), "pieces of {piece}");
        }
    }

    #[test]
    fn long_and_wide_rows_are_read_whole() {
        let (long, wide) = ("é".repeat(30_000), vec!["1"; 500].join(","));
        let records = parse(format!("{long},b\n{wide}\n").as_bytes(), 1_000).unwrap();
        assert_eq!((records[0].1[0].len(), records[1].1.len()), (60_000, 500));
    }

    #[test]
    fn a_file_without_rows_has_none() {
        for file in ["", "\n", "\r\n\r\n"] {
            assert_eq!(parse(file.as_bytes(), 1), Ok(Vec::new()), "{file:?}");
        }
    }

    #[test]
    fn rows_know_whether_blank_lines_stand_above_them() {
        let (mut parser, mut records) = (CsvParser::new(b';'), Vec::new());
        parser.push(b"a;b\r\n1;2\r\n\r\n3;4\r\n5;6", &mut records).unwrap();
        parser.finish(&mut records).unwrap();
        let after_blank: Vec<bool> = records.iter().map(|record| record.is_after_blank).collect();
        assert_eq!(after_blank, [false, false, true, false]);
        for (file, expected) in [
            ("a\r\r\n1\r\r\n2\r\r\n", [false, false, false]),
            ("a\r\r\n1\r\r\n\r\r\n2\r\r\n", [false, false, true]),
            ("a\n1\n\r\n2", [false, false, true]),
            ("a\r1\r\r2", [false, false, true]),
            ("a\r\n1\r\n\r\n2", [false, false, true]),
        ] {
            for piece in [1, 2, 100] {
                let (mut parser, mut records) = (CsvParser::new(b','), Vec::new());
                for bytes in file.as_bytes().chunks(piece) {
                    parser.push(bytes, &mut records).unwrap();
                }
                parser.finish(&mut records).unwrap();
                let after_blank: Vec<bool> = records.iter().map(|record| record.is_after_blank).collect();
                assert_eq!(after_blank, expected, "{file:?}");
            }
        }
    }

    #[test]
    fn a_quote_that_is_never_closed_is_refused() {
        let endless = format!("a\n\"{}", "x\n".repeat(LONGEST_ROW));
        let files: [(&[u8], &str); 3] = [
            (b"a,b\n1,2\n3,\"open\n4,5\n", "begins on line 3"),
            (b"a,b\n1,\"open", "begins on line 2"),
            (endless.as_bytes(), "begins on line 2"),
        ];
        for (file, advice) in files {
            let refusal = parse(file, 64 * 1024).unwrap_err();
            assert!(refusal.contains(advice), "{refusal}");
        }
    }

    #[test]
    fn text_behind_a_closing_quote_is_seen_and_no_other_row_is_lost() {
        let file = "a,b\nAda,\"say \\\"hi\\\"\"\nBob,\"x\" y\n\"E \"\"ve\"\"\" ,5\" pipe\nFay, \"z\"\nGus,\"\"\"\"\n";
        for piece in 1..=file.len() {
            let (mut parser, mut records) = (CsvParser::new(b','), Vec::new());
            for bytes in file.as_bytes().chunks(piece) {
                parser.push(bytes, &mut records).unwrap();
            }
            parser.finish(&mut records).unwrap();
            let malformed: Vec<bool> = records.iter().map(|record| record.is_malformed).collect();
            assert_eq!(malformed, [false, true, true, false, false, false], "pieces of {piece}");
            assert_eq!(records[3].cells, ["E \"ve\" ", "5\" pipe"]);
            assert_eq!(records[5].cells, ["Gus", "\""]);
        }
    }

    #[test]
    fn a_row_that_may_go_on_behind_its_line_is_refused() {
        for (file, line) in [
            ("name,notes\nAda,\"said \\\"hi\\\"\nBob, again\"\n", 2),
            ("name,notes\nAda,\"6\\\"\"\nBob,\nEve,\"x\"\n", 2),
            ("name,notes\nAda,\"said \"hi\"\nBob, again\"\n", 2),
            ("name,notes\nAda,\"a 5\\\" pipe\nBob, again\"\n", 2),
            ("name,notes\nAda,\"a 5\" pipe\nBob, again\"\n", 2),
            ("name,notes\nAda,\"a 5\" pipe\nBob\nEve, again\"", 2),
            ("name,notes\nAda,x\nBob,\"two\nlines\" y\n", 3),
        ] {
            for piece in [1, 7, 1_000] {
                let refusal = parse(file.as_bytes(), piece).unwrap_err();
                let is_clear = refusal.contains(&format!("line {line}")) && refusal.contains("doubled");
                assert!(is_clear, "{file:?} {refusal}");
            }
        }
        for file in [
            "name,notes\nAda,\"x\" y\nBob,5\" pipe\n",
            "name,notes\nAda,5\"\nBob,\"C:\\\"\n",
            "name,notes\nAda,\"two\nlines\"\nBob,\"say \"\"hi\"\"\"\n",
            "name,notes\nAda,\"say \\\"hi\\\" now\"\nBob,5\"\n",
        ] {
            assert_eq!(parse(file.as_bytes(), 5).map(|rows| rows.len()), Ok(3), "{file:?}");
        }
        let (mut parser, mut records) = (CsvParser::trying(b','), Vec::new());
        parser.push(b"name,notes\nAda,\"said \"hi\"\nBob, again\"\n", &mut records).unwrap();
        assert_eq!(records.len(), 3, "what only tries goes on");
    }

    #[test]
    fn the_csv_spectrum_is_read_as_its_authors_mean_it() {
        let Ok(folder) = std::env::var("FLOWCRM_REAL_DATA") else {
            eprintln!("SKIPPED: FLOWCRM_REAL_DATA is not set, so csv-spectrum is not read");
            return;
        };
        let mut files = 0;
        for entry in std::fs::read_dir(format!("{folder}/csv-spectrum")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "csv") {
                continue;
            }
            files += 1;
            let meant = std::fs::read_to_string(path.with_extension("json")).unwrap();
            // As our texts are kept; one of the files has lost the `\r` that its JSON has.
            let meant: serde_json::Value = serde_json::from_str(&meant.replace("\\r\\n", "\\n")).unwrap();
            let meant = meant.as_array().cloned().unwrap_or_else(|| vec![meant]);
            let rows = parse(&std::fs::read(&path).unwrap(), 3).unwrap();
            // Its authors have changed this one number in the JSON alone.
            let is_changed = |name: &str| name == "Contact Phone Number";
            let object = |(_, cells): &(i64, Vec<String>)| {
                let cells = cells.iter().map(|cell| cell.as_str().into());
                serde_json::Value::Object(rows[0].1.iter().cloned().zip(cells).collect())
            };
            let without_changed = |mut row: serde_json::Value| {
                row.as_object_mut().unwrap().retain(|name, _| !is_changed(name));
                row
            };
            let read: Vec<_> = rows[1..].iter().map(object).map(without_changed).collect();
            let meant: Vec<_> = meant.into_iter().map(without_changed).collect();
            assert_eq!(read, meant, "{}", path.display());
        }
        assert_eq!(files, 12);
    }
}
