use csv_core::{Terminator, WriteResult, Writer, WriterBuilder};

use super::formula::neutralised;

/// Some rows of a CSV file (RFC 4180): UTF-8, commas or another delimiter, CRLF, quotes where they are needed, no formulas.
pub(crate) struct Sheet {
    writer: Writer,
    bytes: Vec<u8>,
    rows: u64,
}

impl Sheet {
    pub(super) fn new() -> Self {
        Self::separated_by(b',')
    }

    /// A sheet with another delimiter.
    pub(crate) fn separated_by(delimiter: u8) -> Self {
        let writer = WriterBuilder::new().delimiter(delimiter).terminator(Terminator::CRLF).build();
        Self { writer, bytes: Vec::new(), rows: 0 }
    }

    /// Writes the header, which is no row.
    pub(super) fn header(&mut self, columns: &[&str]) {
        self.line(columns.iter().copied());
    }

    /// Writes a row; what there is none of is an empty cell.
    pub(super) fn row<const WIDTH: usize>(&mut self, cells: [Option<&str>; WIDTH]) {
        self.line(cells.into_iter().map(Option::unwrap_or_default));
        self.rows += 1;
    }

    /// The bytes so far, and how many rows are in them.
    pub(crate) fn into_parts(self) -> (Vec<u8>, u64) {
        (self.bytes, self.rows)
    }

    /// Writes a line that is not counted.
    pub(crate) fn line<'a>(&mut self, cells: impl Iterator<Item = &'a str>) {
        for (index, cell) in cells.enumerate() {
            if index > 0 {
                self.end(Writer::delimiter);
            }
            self.cell(&neutralised(cell));
        }
        self.end(Writer::terminator);
    }

    fn cell(&mut self, text: &str) {
        let mut rest = text.as_bytes();
        let mut buffer = [0; 1024];
        loop {
            let (result, taken, written) = self.writer.field(rest, &mut buffer);
            self.bytes.extend_from_slice(&buffer[..written]);
            rest = &rest[taken..];
            if result == WriteResult::InputEmpty {
                break;
            }
        }
    }

    fn end(&mut self, how: fn(&mut Writer, &mut [u8]) -> (WriteResult, usize)) {
        // A closing quote and two characters at most.
        let mut buffer = [0; 4];
        let (_, written) = how(&mut self.writer, &mut buffer);
        self.bytes.extend_from_slice(&buffer[..written]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        let mut sheet = Sheet::new();
        sheet.header(&["a", "b"]);
        sheet.row([Some("x, y"), None]);
        sheet.row([Some("he said \"no\"\nand left"), Some("=1")]);
        sheet.row([Some(&"long ".repeat(500)), Some("é")]);
        let (bytes, rows) = sheet.into_parts();
        let expected = format!(
            "a,b\r\n\"x, y\",\r\n\"he said \"\"no\"\"\nand left\",'=1\r\n{},é\r\n",
            "long ".repeat(500)
        );
        assert_eq!((String::from_utf8(bytes).unwrap(), rows), (expected, 3));
    }
}
