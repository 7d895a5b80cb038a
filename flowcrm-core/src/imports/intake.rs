//! A file, from its bytes to the mapped cells of its rows: all of an import that needs no database.

use super::csv::{CsvParser, Record};
use super::dialect::{Dialect, refuse_reports, refuse_titles};
use super::encoding::Transcoder;
use super::evidence::Evidence;
use super::mapping::{Mapped, Mapper};
use super::trailer::{MAY_BE_SUM, Trailer, Turn};
use super::{ImportKind, ImportOptions, Plan};
use crate::error::{Error, Result};
use crate::money::Currency;

/// So much text shows how a file is laid out.
const HEAD: usize = 64 * 1024;

/// Takes in a file that is pushed piece by piece, and holds no more of it than its beginning and its last rows.
pub(super) struct Intake {
    kind: ImportKind,
    options: ImportOptions,
    transcoder: Transcoder,
    text: String,
    /// Made when enough of the file is there.
    parser: Option<CsvParser>,
    delimiter: u8,
    /// The first line names the delimiter and is no row.
    is_announced: bool,
    mapper: Option<Mapper>,
    evidence: Evidence,
    trailer: Trailer,
}

impl Intake {
    pub(super) fn new(kind: ImportKind, options: ImportOptions, currency: Currency) -> Self {
        Self {
            kind,
            transcoder: Transcoder::new(options.encoding.map(|encoding| encoding.0)),
            options,
            text: String::new(),
            parser: None,
            delimiter: b',',
            is_announced: false,
            mapper: None,
            evidence: Evidence::new(currency),
            trailer: Trailer::default(),
        }
    }

    /// Takes a piece, and adds what its rows are to the import.
    ///
    /// # Errors
    ///
    /// A field error for `file` when it is no list, and for options that do not fit it.
    pub(super) fn push(&mut self, piece: &[u8], rows: &mut Vec<Mapped>) -> Result<()> {
        self.transcoder.push(piece, &mut self.text).map_err(unfit)?;
        self.parse(false, rows)
    }

    /// Ends the file: adds its last rows, and completes the plan with what all rows together tell.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push); and a field error for the option that decides what the file leaves open.
    pub(super) fn finish(&mut self, rows: &mut Vec<Mapped>) -> Result<Plan> {
        let transcoder = std::mem::replace(&mut self.transcoder, Transcoder::new(None));
        transcoder.finish(&mut self.text).map_err(unfit)?;
        self.parse(true, rows)?;
        let Some(mapper) = &self.mapper else {
            return Err(Error::field("file", "is empty: it must begin with a header"));
        };
        let mut plan = mapper.plan.clone();
        self.evidence.decide(&mut plan, &self.options)?;
        Ok(plan)
    }

    /// The plan as far as the header tells it.
    pub(super) fn plan(&self) -> Option<&Plan> {
        self.mapper.as_ref().map(|mapper| &mapper.plan)
    }

    fn parse(&mut self, is_last: bool, rows: &mut Vec<Mapped>) -> Result<()> {
        if self.parser.is_none() {
            if self.text.len() < HEAD && !is_last {
                return Ok(());
            }
            let dialect =
                Dialect::of(&self.text, is_last, self.options.delimiter.map(|delimiter| delimiter.0));
            let dialect = dialect.map_err(unfit)?;
            (self.is_announced, self.delimiter) = (dialect.is_announced, dialect.delimiter);
            self.parser = Some(CsvParser::new(dialect.delimiter));
        }
        let mut records = Vec::new();
        if let Some(parser) = &mut self.parser {
            parser.push(self.text.as_bytes(), &mut records).map_err(unfit)?;
        }
        self.text.clear();
        if let Some(parser) = self.parser.take_if(|_| is_last) {
            parser.finish(&mut records).map_err(unfit)?;
        }
        self.map(records, is_last, rows)
    }

    fn map(&mut self, mut records: Vec<Record>, is_last: bool, rows: &mut Vec<Mapped>) -> Result<()> {
        if self.is_announced && !records.is_empty() {
            records.remove(0);
            self.is_announced = false;
        }
        let begins = self.mapper.is_none() && !records.is_empty();
        if begins {
            refuse_reports(&records).map_err(unfit)?;
            if self.options.header {
                refuse_titles(&records).map_err(unfit)?;
            }
            let mut mapper = Mapper::new(&records, &self.options, self.kind)?;
            mapper.plan.delimiter = self.delimiter;
            self.mapper = Some(mapper);
        }
        let header = usize::from(begins && self.options.header);
        let width = self.mapper.as_ref().map_or(0, |mapper| mapper.width);
        let mut turns = Vec::new();
        for record in records.into_iter().skip(header) {
            self.trailer.push(record, width, &mut turns);
        }
        if is_last {
            self.trailer.finish(&mut turns);
        }
        for turn in turns {
            self.take(turn, rows);
        }
        Ok(())
    }

    fn take(&mut self, turn: Turn, rows: &mut Vec<Mapped>) {
        let Some(mapper) = &self.mapper else { return };
        let row = match turn {
            Turn::Row(record) => mapper.take(&record),
            Turn::MaybeSum(record) => mapper.take(&record).rejected(MAY_BE_SUM),
        };
        if let Mapped::Row(row) = &row {
            self.evidence.observe(&mapper.plan, row);
        }
        if row != Mapped::Blank {
            rows.push(row);
        }
    }
}

fn unfit(message: String) -> Error {
    Error::field("file", message)
}
