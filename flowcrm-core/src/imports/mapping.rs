//! What the rows of a file are to its import.

use super::csv::Record;
use super::{ImportField, ImportKind, ImportOptions, Plan, Rejection, StagedRow};
use crate::error::{Error, FieldError, Result};
use crate::exports::taken_back;

/// The longest cell that any field could take, in bytes.
const LONGEST_CELL: usize = 64 * 1024;

/// Takes the mapped cells out of a file's rows.
pub(super) struct Mapper {
    pub(super) plan: Plan,
    /// How many columns the file has.
    pub(super) width: usize,
}

/// What a row of the file is to the import.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mapped {
    /// Its mapped cells.
    Row(StagedRow),
    /// It cannot be read.
    Rejected(Rejection),
    /// All its cells are blank: it is no row.
    Blank,
}

impl Mapped {
    /// The same rejected, if it is a row at all.
    pub(super) fn rejected(self, reason: &str) -> Self {
        match self {
            Self::Row(StagedRow { line, cells }) => {
                let reason = reason.to_owned();
                Self::Rejected(Rejection { line, column: None, value: None, reason, cells: Some(cells) })
            }
            other => other,
        }
    }
}

impl Mapper {
    /// Finds the columns that the options name, or guesses them, by the first rows of a file.
    ///
    /// # Errors
    ///
    /// A field error for each option that does not fit the header.
    pub(super) fn new(records: &[Record], options: &ImportOptions, kind: ImportKind) -> Result<Self> {
        let (header, sample) = records.split_first().ok_or_else(|| Error::field("file", "is empty"))?;
        if options.header && header.is_malformed {
            return Err(Error::field("file", format!("has a header that cannot be read: {MALFORMED}")));
        }
        let sample = if options.header { sample } else { records };
        let header: Vec<&str> = header.cells.iter().map(|name| taken_back(name.trim())).collect();
        if header.iter().any(|name| name.contains('\0')) {
            return Err(Error::field(
                "file",
                "is no text, or in an encoding to be named in options.encoding",
            ));
        }
        let width = header.len();
        let header: Vec<&str> = if options.header { header } else { vec![""; width] };
        let mut mapper = Self { plan: Plan::empty(options), width };
        let mut errors = Vec::new();
        match &options.mapping {
            None if !options.header => {
                let message = "is required: without a header no column can be guessed";
                errors.push(FieldError::new("options.mapping", message));
            }
            None => mapper.guess(&header, sample, kind),
            Some(mapping) => {
                for (field, source) in mapping {
                    if let Err(message) = mapper.map(*field, source, &header) {
                        errors.push(FieldError::new(format!("options.mapping.{field}"), message));
                    }
                }
            }
        }
        if options.currency.is_none() {
            mapper.find_currencies(&header);
        }
        let names = ImportField::names_of(kind);
        if errors.is_empty() && !names.iter().any(|field| mapper.plan.has(*field)) {
            let others: Vec<&str> = names[1..].iter().map(|field| field.as_str()).collect();
            let message = format!("is required, or {}: no column is mapped to it", others.join(" or "));
            errors.push(FieldError::new(format!("options.mapping.{}", names[0]), message));
        }
        if errors.is_empty() {
            let unmapped = options.values.keys().filter(|field| !mapper.plan.has(**field));
            let message = "is of a field that no column is mapped to";
            errors.extend(unmapped.map(|field| FieldError::new(format!("options.values.{field}"), message)));
        }
        if errors.is_empty() { Ok(mapper) } else { Err(Error::invalid(errors)) }
    }

    /// Takes the mapped cells out of a row.
    pub(super) fn take(&self, record: &Record) -> Mapped {
        let cells = &record.cells;
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            return Mapped::Blank;
        }
        if record.is_malformed {
            return Mapped::Rejected(unreadable(record, MALFORMED.to_owned()));
        }
        if cells.len() < self.width || cells.iter().skip(self.width).any(|cell| !cell.trim().is_empty()) {
            let (count, width) = (cells.len(), self.width);
            let reason = format!("the row has {count} cells, but the first row has {width}");
            return Mapped::Rejected(unreadable(record, reason));
        }
        let taken = self.plan.positions.iter().map(|at| cells.get(*at).cloned().unwrap_or_default());
        let taken: Vec<String> = taken.collect();
        for (column, cell) in self.plan.columns.iter().zip(&taken) {
            let reason = if cell.contains('\0') {
                "the cell must not contain control characters"
            } else if cell.len() > LONGEST_CELL {
                "the cell is too long for any field"
            } else {
                continue;
            };
            return Mapped::Rejected(Rejection {
                line: record.line,
                column: Some(column.clone()),
                value: Some(cut(cell)),
                reason: reason.to_owned(),
                cells: None,
            });
        }
        Mapped::Row(StagedRow { line: record.line, cells: taken })
    }
}

/// Why a row is no row, or a header no header: what a reader makes of it is not what it was written as.
const MALFORMED: &str =
    "the row has text behind the closing quote of a cell: a quote within a cell is doubled";

/// The rejection of a row whose cells cannot be told: which of them is of a mapped column nobody knows.
fn unreadable(record: &Record, reason: String) -> Rejection {
    Rejection { line: record.line, column: None, value: None, reason, cells: None }
}

/// The start of a cell, as a rejection shows it.
pub(super) fn cut(cell: &str) -> String {
    cell.chars().filter(|character| *character != '\0').take(200).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::input::Body;

    fn mapper(kind: ImportKind, header: &[&str], options: Value) -> Result<Mapper> {
        let options: ImportOptions = Body::try_from(options)?.decode()?;
        Mapper::new(&[record(1, header)], &options, kind)
    }

    fn record(line: i64, cells: &[&str]) -> Record {
        Record {
            line,
            is_after_blank: false,
            is_malformed: false,
            cells: cells.iter().map(ToString::to_string).collect(),
        }
    }

    fn take(mapper: &Mapper, cells: &[&str]) -> Mapped {
        mapper.take(&record(2, cells))
    }

    fn said(mapper: &Mapper, field: ImportField, cells: &[&str]) -> Option<(String, String)> {
        let Mapped::Row(row) = take(mapper, cells) else { return None };
        let cell = mapper.plan.cell(field, &row)?;
        Some((mapper.plan.column_of(field, &cell)?, cell.text.into_owned()))
    }

    fn pair(column: &str, text: &str) -> (String, String) {
        (column.to_owned(), text.to_owned())
    }

    #[test]
    fn columns_are_chosen_joined_shared_and_translated() {
        let options = json!({
            "mapping": {
                "name": {"join": ["First", "Last"]}, "email": ["work", 3], "externalId": "work", "status": "Stage",
            },
            "values": {"status": {" Prospecting": "NEW"}},
        });
        let header = ["First", "Last", "work", "home", "Stage", "secret"];
        let mapper = mapper(ImportKind::Leads, &header, options).unwrap();
        let row = [" Ada ", "Lovelace", "", "ada@home.org", "PROSPECTING", "hidden"];
        assert_eq!(said(&mapper, ImportField::Name, &row), Some(pair("First + Last", "Ada Lovelace")));
        assert_eq!(said(&mapper, ImportField::Email, &row), Some(pair("home", "ada@home.org")));
        assert_eq!(said(&mapper, ImportField::ExternalId, &row), None);
        assert_eq!(said(&mapper, ImportField::Status, &row), Some(pair("Stage", "NEW")));
        let Mapped::Row(staged) = take(&mapper, &row) else { panic!("a row") };
        assert!(!staged.cells.contains(&"hidden".to_owned()));
        assert_eq!(staged.cells.len(), 5);
    }

    #[test]
    fn headers_are_recognized_however_they_are_written() {
        let header = ["First Name", "LAST_NAME", "E-Mail Address", "Lead Source", "Annual budget"];
        let guessed = mapper(ImportKind::Leads, &header, json!({})).unwrap();
        let fields: Vec<&str> = guessed.plan.fields().map(ImportField::as_str).collect();
        assert_eq!(fields, ["name", "email", "source"]);
        let header = ["opportunity_id", "deal_stage", "close_date", "close_value", "Opportunity Name"];
        let guessed = mapper(ImportKind::Deals, &header, json!({})).unwrap();
        let fields: Vec<&str> = guessed.plan.fields().map(ImportField::as_str).collect();
        assert_eq!(fields, ["title", "value", "stage", "expectedClose", "closedAt", "externalId"]);
    }

    #[test]
    fn a_mapping_that_does_not_fit_the_header_is_refused_by_field() {
        let bad_fields = |kind, header: &[&str], options| -> Vec<String> {
            let error = mapper(kind, header, options).err().unwrap();
            error.fields().iter().map(|error| error.field.clone()).collect()
        };
        let mapping = json!({"mapping": {"name": "Nmae", "email": 9, "phone": "twice", "notes": "once"}});
        let expected = ["options.mapping.name", "options.mapping.email", "options.mapping.phone"];
        assert_eq!(bad_fields(ImportKind::Leads, &["Name", "twice", "twice", "Once"], mapping), expected);
        assert_eq!(bad_fields(ImportKind::Deals, &["price"], json!({})), ["options.mapping.title"]);
        assert_eq!(bad_fields(ImportKind::Leads, &["name"], json!({"header": false})), ["options.mapping"]);
        let values = json!({"values": {"stage": {"Won": "CLOSED_WON"}}});
        assert_eq!(bad_fields(ImportKind::Deals, &["title"], values), ["options.values.stage"]);
    }

    #[test]
    fn rows_of_another_width_are_rejected() {
        let mapper = mapper(ImportKind::Leads, &["name", "email"], json!({})).unwrap();
        assert_eq!(said(&mapper, ImportField::Name, &["Ada", "", "", ""]), Some(pair("name", "Ada")));
        assert_eq!(take(&mapper, &["", " "]), Mapped::Blank);
        for row in [&["Ada", "", "x"][..], &["A\0a", "", ""], &["Ada"]] {
            assert!(matches!(take(&mapper, row), Mapped::Rejected(_)), "{row:?}");
        }
    }

    #[test]
    fn rows_with_malformed_quotes_are_rejected_and_such_headers_refused() {
        let mapper = mapper(ImportKind::Leads, &["name", "notes"], json!({})).unwrap();
        let malformed = Record { is_malformed: true, ..record(2, &["Ada", "say \\hi"]) };
        let Mapped::Rejected(rejection) = mapper.take(&malformed) else { panic!("taken") };
        assert_eq!((rejection.line, rejection.column), (2, None));
        assert!(rejection.reason.contains("closing quote"), "{}", rejection.reason);
        let header = Record { is_malformed: true, ..record(1, &["name"]) };
        let refusal = Mapper::new(&[header], &ImportOptions::default(), ImportKind::Leads).err().unwrap();
        assert_eq!(refusal.fields()[0].field, "file");
    }
}
