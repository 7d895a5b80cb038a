//! Which columns of a file fill which fields.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::csv::Record;
use super::field::{ALTERNATIVES, fold};
use super::{Column, ImportField, ImportKind, ImportOptions, Rejection, Source, StagedRow};
use crate::error::{Error, FieldError, Result};

/// The longest cell that any field could take, in bytes.
const LONGEST_CELL: usize = 64 * 1024;

/// How staged rows become records: kept with the import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The names of the mapped columns; a staged row holds their cells in this order.
    columns: Vec<String>,
    fields: BTreeMap<ImportField, Reading>,
    /// For each field, folded words of the file and what they mean here.
    values: BTreeMap<ImportField, BTreeMap<String, String>>,
}

/// How a field is read from the cells of a staged row, named by their places in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Reading {
    FirstOf(Vec<usize>),
    Join(Vec<usize>),
}

/// What a row says of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    /// The column, as the file names it.
    pub(super) column: String,
    /// What the file says.
    pub(super) written: String,
    /// What that means here.
    pub(super) text: String,
}

impl Plan {
    /// The fields that the file fills.
    pub(super) fn fields(&self) -> impl Iterator<Item = ImportField> {
        self.fields.keys().copied()
    }

    /// Whether the file fills a field.
    pub(super) fn has(&self, field: ImportField) -> bool {
        self.fields.contains_key(&field)
    }

    /// What a staged row says of a field; nothing when that is blank, or the file does not fill the field.
    pub(super) fn cell(&self, field: ImportField, row: &StagedRow) -> Option<Cell> {
        let filled = |place: &usize| {
            let text = row.cells.get(*place)?.trim();
            (!text.is_empty()).then_some((*place, text))
        };
        let (column, written) = match self.fields.get(&field)? {
            Reading::FirstOf(places) => {
                let (place, text) = places.iter().find_map(filled)?;
                (self.columns[place].clone(), text.to_owned())
            }
            Reading::Join(places) => {
                let texts: Vec<&str> = places.iter().filter_map(filled).map(|(_, text)| text).collect();
                (self.column(field)?, texts.join(" "))
            }
        };
        let meaning = self.values.get(&field).and_then(|meanings| meanings.get(&written.to_lowercase()));
        let text = meaning.unwrap_or(&written).clone();
        (!written.is_empty()).then_some(Cell { column, written, text })
    }

    /// The column or columns of a field, as the file names them.
    pub(super) fn column(&self, field: ImportField) -> Option<String> {
        let name = |place: &usize| self.columns[*place].as_str();
        match self.fields.get(&field)? {
            Reading::FirstOf(places) => places.first().map(name).map(str::to_owned),
            Reading::Join(places) => Some(places.iter().map(name).collect::<Vec<_>>().join(" + ")),
        }
    }
}

/// Takes the mapped cells out of a file's rows.
pub(super) struct Mapper {
    pub(super) plan: Plan,
    /// Where the mapped columns stand in the file.
    positions: Vec<usize>,
    /// How many columns the file has.
    width: usize,
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

impl Mapper {
    /// Finds the columns that the options name, or guesses them.
    ///
    /// # Errors
    ///
    /// A field error for each option that does not fit the header.
    pub(super) fn new(header: &[String], options: &ImportOptions, kind: ImportKind) -> Result<Self> {
        let header: Vec<&str> = header.iter().map(|name| name.trim()).collect();
        if let [only] = header.as_slice()
            && only.contains([';', '\t'])
        {
            return Err(Error::field("file", "must have its columns separated by commas"));
        }
        if header.iter().any(|name| name.contains('\0')) {
            return Err(Error::field("file", "is not UTF-8 text: save it as \"CSV UTF-8\""));
        }
        let mut mapper = Self {
            plan: Plan { columns: Vec::new(), fields: BTreeMap::new(), values: folded(options) },
            positions: Vec::new(),
            width: header.len(),
        };
        let mut errors = Vec::new();
        match &options.mapping {
            None => mapper.guess(&header, kind),
            Some(mapping) => {
                for (field, source) in mapping {
                    if let Err(message) = mapper.map(*field, source, &header) {
                        errors.push(FieldError::new(format!("options.mapping.{field}"), message));
                    }
                }
            }
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
        let reject = |column: Option<&String>, value: Option<&str>, reason: String| {
            Mapped::Rejected(Rejection {
                line: record.line,
                column: column.cloned(),
                value: value.map(cut),
                reason,
            })
        };
        if cells.iter().skip(self.width).any(|cell| !cell.trim().is_empty()) {
            let (count, width) = (cells.len(), self.width);
            return reject(None, None, format!("the row has {count} cells, but the header has {width}"));
        }
        let taken = self.positions.iter().map(|position| cells.get(*position).cloned().unwrap_or_default());
        let taken: Vec<String> = taken.collect();
        for (column, cell) in self.plan.columns.iter().zip(&taken) {
            if cell.contains('\0') {
                return reject(
                    Some(column),
                    Some(cell),
                    "the cell must not contain control characters".to_owned(),
                );
            }
            if cell.len() > LONGEST_CELL {
                return reject(Some(column), Some(cell), "the cell is too long for any field".to_owned());
            }
        }
        Mapped::Row(StagedRow { line: record.line, cells: taken })
    }

    fn map(&mut self, field: ImportField, source: &Source, header: &[&str]) -> Result<(), String> {
        let find = |column: &Column| find(column, header);
        let find_all = |columns: &[Column]| columns.iter().map(find).collect::<Result<Vec<usize>, String>>();
        match source {
            Source::Column(column) => self.fill(field, Reading::FirstOf, &[find(column)?], header),
            Source::FirstOf(columns) => self.fill(field, Reading::FirstOf, &find_all(columns)?, header),
            Source::Join { join } => self.fill(field, Reading::Join, &find_all(join)?, header),
        }
        Ok(())
    }

    fn fill(
        &mut self,
        field: ImportField,
        reading: fn(Vec<usize>) -> Reading,
        at: &[usize],
        header: &[&str],
    ) {
        let places = at.iter().map(|position| self.place(*position, header)).collect();
        self.plan.fields.insert(field, reading(places));
    }

    /// The place of a column among the mapped ones; two fields may share a column.
    fn place(&mut self, position: usize, header: &[&str]) -> usize {
        let place = self.positions.iter().position(|mapped| *mapped == position);
        place.unwrap_or_else(|| {
            self.positions.push(position);
            self.plan.columns.push(match header[position] {
                "" => format!("column {position}"),
                name => name.to_owned(),
            });
            self.positions.len() - 1
        })
    }

    fn guess(&mut self, header: &[&str], kind: ImportKind) {
        let folded: Vec<String> = header.iter().map(|name| fold(name)).collect();
        let position = |name: &str| folded.iter().position(|folded| folded == name);
        for field in ImportField::of(kind) {
            let own = fold(field.as_str());
            let found =
                position(&own).or_else(|| field.synonyms(kind).iter().find_map(|name| position(name)));
            if let Some(found) = found {
                self.fill(*field, Reading::FirstOf, &[found], header);
            }
        }
        for (one, other) in ALTERNATIVES {
            if self.plan.has(one) {
                self.plan.fields.remove(&other);
            }
        }
        let parts: Vec<usize> = ["firstname", "lastname"].into_iter().filter_map(position).collect();
        if kind == ImportKind::Leads && !self.plan.has(ImportField::Name) && !parts.is_empty() {
            self.fill(ImportField::Name, Reading::Join, &parts, header);
        }
    }
}

/// The start of a cell, as a rejection shows it.
pub(super) fn cut(cell: &str) -> String {
    cell.chars().filter(|character| *character != '\0').take(200).collect()
}

fn folded(options: &ImportOptions) -> BTreeMap<ImportField, BTreeMap<String, String>> {
    let fold = |(word, meaning): (&String, &String)| (word.trim().to_lowercase(), meaning.trim().to_owned());
    options.values.iter().map(|(field, meanings)| (*field, meanings.iter().map(fold).collect())).collect()
}

fn find(column: &Column, header: &[&str]) -> Result<usize, String> {
    let name = match column {
        Column::Index(index) if *index < header.len() => return Ok(*index),
        Column::Index(index) => {
            return Err(format!("names column {index}, but the file has columns 0 to {}", header.len() - 1));
        }
        Column::Name(name) => name.trim(),
    };
    let positions = |is_it: &dyn Fn(&str) -> bool| -> Vec<usize> {
        header
            .iter()
            .enumerate()
            .filter(|(_, candidate)| is_it(candidate))
            .map(|(position, _)| position)
            .collect()
    };
    let mut found = positions(&|candidate| candidate == name);
    if found.is_empty() {
        found = positions(&|candidate| candidate.to_lowercase() == name.to_lowercase());
    }
    let shown = cut(name);
    match found.as_slice() {
        [position] => Ok(*position),
        [] => Err(format!("names the column \"{shown}\", which the file does not have")),
        [..] => Err(format!(
            "names the column \"{shown}\", which the file has {} times: use its index",
            found.len()
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::input::Body;

    fn mapper(kind: ImportKind, header: &[&str], options: Value) -> Result<Mapper> {
        let options: ImportOptions = Body::try_from(options)?.decode()?;
        let header: Vec<String> = header.iter().map(ToString::to_string).collect();
        Mapper::new(&header, &options, kind)
    }

    fn take(mapper: &Mapper, cells: &[&str]) -> Mapped {
        let cells = cells.iter().map(ToString::to_string).collect();
        mapper.take(&Record { line: 2, cells })
    }

    fn said(mapper: &Mapper, field: ImportField, cells: &[&str]) -> Option<(String, String)> {
        let Mapped::Row(row) = take(mapper, cells) else { return None };
        mapper.plan.cell(field, &row).map(|cell| (cell.column, cell.text))
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
        assert_eq!(fields, ["title", "value", "stage", "closedAt", "externalId"]);
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
        assert_eq!(bad_fields(ImportKind::Leads, &["name;email"], json!({})), ["file"]);
        let values = json!({"values": {"stage": {"Won": "CLOSED_WON"}}});
        assert_eq!(bad_fields(ImportKind::Deals, &["title"], values), ["options.values.stage"]);
    }

    #[test]
    fn rows_of_another_width_are_filled_up_or_rejected() {
        let mapper = mapper(ImportKind::Leads, &["name", "email"], json!({})).unwrap();
        assert_eq!(said(&mapper, ImportField::Name, &["Ada"]), Some(pair("name", "Ada")));
        assert_eq!(said(&mapper, ImportField::Name, &["Ada", "", "", ""]), Some(pair("name", "Ada")));
        assert_eq!(take(&mapper, &["", " "]), Mapped::Blank);
        for row in [["Ada", "", "x"], ["A\0a", "", ""]] {
            assert!(matches!(take(&mapper, &row), Mapped::Rejected(_)), "{row:?}");
        }
    }
}
