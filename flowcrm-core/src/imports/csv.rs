//! CSV (RFC 4180), read as it arrives.

use csv_core::ReadRecordResult;

/// The longest row, as it stands in the file; a longer one has a quote that is never closed.
const LONGEST_ROW: usize = 1024 * 1024;

/// How many bytes tell what a file is.
const SIGNATURE: usize = 4;

/// A row of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// The line that the row begins on; the file begins on line 1.
    pub(super) line: i64,
    /// The cells.
    pub(super) cells: Vec<String>,
}

/// Reads the rows of a file that is pushed piece by piece; pieces may end anywhere.
///
/// Blank lines are no rows. What is not UTF-8 is refused, and so is a row of more than 1 MiB. Errors are sentences
/// without their subject, which is the file.
pub(super) struct CsvParser {
    reader: csv_core::Reader,
    /// The first bytes, until there are enough to see what the file is.
    signature: Option<Vec<u8>>,
    line: i64,
    after_carriage_return: bool,
    row: Row,
}

/// The row that is being read.
struct Row {
    is_begun: bool,
    line: i64,
    size: usize,
    /// Whether an odd number of quotes has been read: each that opens is closed, and a quote within is doubled.
    is_quote_open: bool,
    output: Vec<u8>,
    written: usize,
    ends: Vec<usize>,
    ended: usize,
}

impl CsvParser {
    pub(super) fn new() -> Self {
        let row = Row {
            is_begun: false,
            line: 1,
            size: 0,
            is_quote_open: false,
            output: vec![0; 4096],
            written: 0,
            ends: vec![0; 64],
            ended: 0,
        };
        Self {
            reader: csv_core::Reader::new(),
            signature: Some(Vec::new()),
            line: 1,
            after_carriage_return: false,
            row,
        }
    }

    /// Reads a piece of the file, and adds the rows that end in it.
    pub(super) fn push(&mut self, piece: &[u8], records: &mut Vec<Record>) -> Result<(), String> {
        let Some(mut start) = self.signature.take() else {
            return self.read(piece, records);
        };
        start.extend_from_slice(piece);
        if start.len() < SIGNATURE {
            self.signature = Some(start);
            return Ok(());
        }
        self.read(without_byte_order_mark(&start)?, records)
    }

    /// Ends the file, and adds its last row if no line end followed it.
    pub(super) fn finish(mut self, records: &mut Vec<Record>) -> Result<(), String> {
        if let Some(start) = self.signature.take() {
            self.read(without_byte_order_mark(&start)?, records)?;
        }
        if !self.row.is_begun {
            return Ok(());
        }
        if self.row.is_quote_open && self.line > self.row.line {
            return Err(format!(
                "has a quote that is never closed in the row that begins on line {}",
                self.row.line
            ));
        }
        loop {
            match self.step(&[]).0 {
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => self.row.grow(),
                ReadRecordResult::Record => {
                    records.push(self.row.take()?);
                    return Ok(());
                }
                ReadRecordResult::InputEmpty | ReadRecordResult::End => return Ok(()),
            }
        }
    }

    fn read(&mut self, mut bytes: &[u8], records: &mut Vec<Record>) -> Result<(), String> {
        loop {
            if !self.row.is_begun {
                let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
                self.count(&bytes[..blank]);
                bytes = &bytes[blank..];
            }
            // To the reader, nothing is the end of the file.
            if bytes.is_empty() {
                return Ok(());
            }
            if !self.row.is_begun {
                self.row.begin(self.line);
            }
            let (result, taken) = self.step(bytes);
            self.count(&bytes[..taken]);
            self.row.size += taken;
            bytes = &bytes[taken..];
            if self.row.size > LONGEST_ROW {
                let line = self.row.line;
                return Err(format!(
                    "has a row of more than 1 MiB that begins on line {line}: is a quote never closed?"
                ));
            }
            match result {
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => self.row.grow(),
                ReadRecordResult::Record => records.push(self.row.take()?),
                ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
            }
        }
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

    /// Counts lines, which end with `\n`, `\r\n` or `\r`, and quotes.
    fn count(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\r' || (*byte == b'\n' && !self.after_carriage_return) {
                self.line += 1;
            }
            self.after_carriage_return = *byte == b'\r';
            self.row.is_quote_open ^= *byte == b'"';
        }
    }
}

impl Row {
    fn begin(&mut self, line: i64) {
        (self.is_begun, self.line, self.size, self.is_quote_open) = (true, line, 0, false);
        (self.written, self.ended) = (0, 0);
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
                .map_err(|_| format!("is not UTF-8 on line {}: save it as \"CSV UTF-8\"", self.line))?;
            cells.push(cell.to_owned());
            start = *end;
        }
        Ok(Record { line: self.line, cells })
    }
}

fn without_byte_order_mark(start: &[u8]) -> Result<&[u8], String> {
    let refusal = match start {
        [0xef, 0xbb, 0xbf, rest @ ..] => return Ok(rest),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "is UTF-16: save it as \"CSV UTF-8\"",
        [b'P', b'K', 3, 4, ..] | [0xd0, 0xcf, 0x11, 0xe0, ..] => {
            "is a workbook, not CSV: save it as \"CSV UTF-8\""
        }
        _ => return Ok(start),
    };
    Err(refusal.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parses a file in pieces of so many bytes.
    fn parse(file: &[u8], piece: usize) -> Result<Vec<(i64, Vec<String>)>, String> {
        let (mut parser, mut records) = (CsvParser::new(), Vec::new());
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
        let file = "\u{feff}a,b\r\n\"x \"\"y\"\", z\",\"1\r\n2\n3\"\r\n\r\n\n,é\rlast,\"\"";
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
        for file in ["", "\n", "\r\n\r\n", "\u{feff}"] {
            assert_eq!(parse(file.as_bytes(), 1), Ok(Vec::new()), "{file:?}");
        }
    }

    #[test]
    fn what_is_no_csv_in_utf_8_is_refused_with_advice() {
        let endless = format!("a\n\"{}", "x\n".repeat(LONGEST_ROW));
        let files: [(&[u8], &str); 6] = [
            (b"name\ncaf\xe9\n", "UTF-8 on line 2"),
            (b"a,b\n\xc3,\xa9\n", "UTF-8 on line 2"),
            (b"\xff\xfen\0a\0", "UTF-16"),
            (b"PK\x03\x04zip", "workbook"),
            (b"a,b\n1,2\n3,\"open\n4,5\n", "begins on line 3"),
            (endless.as_bytes(), "begins on line 2"),
        ];
        for (file, advice) in files {
            let refusal = parse(file, 64 * 1024).unwrap_err();
            assert!(refusal.contains(advice), "{refusal}");
        }
    }
}
