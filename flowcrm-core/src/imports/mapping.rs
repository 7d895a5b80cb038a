//! Which columns of a file fill which fields.

use uuid::Uuid;

use super::csv::Record;
use super::field::fold;
use super::headers::{NAME_PARTS, currencies_of};
use super::plan::Reading;
use super::rejected_file::is_of_rejected_rows;
use super::{Column, ImportField, ImportKind, ImportOptions, Plan, Rejection, Source, StagedRow};
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
        let place = self.plan.positions.iter().position(|mapped| *mapped == position);
        place.unwrap_or_else(|| {
            self.plan.positions.push(position);
            self.plan.columns.push(match header[position] {
                "" => format!("column {position}"),
                name => name.to_owned(),
            });
            self.plan.positions.len() - 1
        })
    }

    /// Finds the columns that say in which currency the value is, unless that is said otherwise: whether the value's own
    /// column was named or guessed, an amount in another currency is another amount.
    fn find_currencies(&mut self, header: &[&str]) {
        let Some(value) = self.plan.fields.get(&ImportField::Value) else { return };
        let folded: Vec<String> = header.iter().map(|name| fold(name)).collect();
        let amounts = value.places().iter().map(|place| self.plan.positions[*place]);
        let names = amounts.flat_map(|at| currencies_of(&folded[at]));
        let found = names.filter_map(|name| folded.iter().position(|folded| *folded == name));
        let found: Vec<usize> = found.collect();
        for position in found {
            let place = self.place(position, header);
            if !self.plan.currencies.contains(&place) {
                self.plan.currencies.push(place);
            }
        }
    }

    fn guess(&mut self, header: &[&str], sample: &[Record], kind: ImportKind) {
        let folded: Vec<String> = header.iter().map(|name| fold(name)).collect();
        // Of the rejected rows of a file, the whole file has told what its columns hold.
        let sample = if is_of_rejected_rows(header) { &[] } else { sample };
        let position = |name: &str| folded.iter().position(|folded| folded == name);
        for field in ImportField::of(kind) {
            let own = fold(field.as_str());
            let synonyms = field.synonyms(kind);
            let own = Some(own.as_str()).filter(|own| !synonyms.contains(own));
            let names = own.into_iter().chain(synonyms.iter().copied());
            let fits = |at: &usize| may_hold(*field, sample, *at);
            let mut found: Vec<usize> = names.filter_map(position).filter(fits).collect();
            found.truncate(if field.falls_back() { 20 } else { 1 });
            if *field == ImportField::Stage {
                let (statuses, stages): (Vec<usize>, Vec<usize>) =
                    found.iter().partition(|at| folded[**at].ends_with("status"));
                if !stages.is_empty() {
                    self.plan.statuses = statuses.iter().map(|at| self.place(*at, header)).collect();
                }
            }
            if !found.is_empty() {
                self.fill(*field, Reading::FirstOf, &found, header);
            }
        }
        let part = |names: &[&str]| names.iter().find_map(|name| position(name));
        let parts: Vec<usize> = NAME_PARTS.into_iter().filter_map(part).collect();
        if kind == ImportKind::Leads && !self.plan.has(ImportField::Name) && !parts.is_empty() {
            self.fill(ImportField::Name, Reading::Join, &parts, header);
        }
    }
}

/// Why a row is no row, or a header no header: what a reader makes of it is not what it was written as.
const MALFORMED: &str =
    "the row has text behind the closing quote of a cell: a quote within a cell is doubled";

/// The rejection of a row whose cells cannot be told: which of them is of a mapped column nobody knows.
pub(super) fn unreadable(record: &Record, reason: String) -> Rejection {
    Rejection { line: record.line, column: None, value: None, reason, cells: None }
}

/// Whether a column may be of a field by its first cells: what other systems call alike is not always like ours. It may
/// where there are none, or one fits: those that do not fit are rejected then, and not passed over.
fn may_hold(field: ImportField, sample: &[Record], position: usize) -> bool {
    let fits: fn(&str) -> bool = match field {
        ImportField::LeadId | ImportField::OwnerId | ImportField::AssignedToId => resembles_id,
        ImportField::Owner => |cell| !cell.bytes().all(|byte| byte.is_ascii_digit()),
        _ => return true,
    };
    let cells = sample.iter().filter_map(|record| record.cells.get(position)).map(|cell| cell.trim());
    let mut cells = cells.filter(|cell| !cell.is_empty()).take(100).peekable();
    cells.peek().is_none() || cells.any(fits)
}

/// Whether a cell is one of our ids, or was meant as one.
fn resembles_id(cell: &str) -> bool {
    Uuid::try_parse(cell).is_ok() || cell.len() > 30 && cell.split('-').count() > 3
}

/// The start of a cell, as a rejection shows it.
pub(super) fn cut(cell: &str) -> String {
    cell.chars().filter(|character| *character != '\0').take(200).collect()
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

    use super::super::trial::Trial;
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

    /// What the only row of a file says of a field, or why it is rejected.
    fn only(kind: ImportKind, options: &Value, file: &str, field: &str) -> Result<Value, String> {
        let trial = Trial::of(kind, options, file.as_bytes()).unwrap();
        match (trial.records.as_slice(), trial.rejections.as_slice()) {
            ([record], []) => Ok(record[field].clone()),
            ([], [rejection]) => Err(rejection.reason.clone()),
            _ => panic!("{file} has another row"),
        }
    }

    #[test]
    fn who_is_not_named_by_id_is_named_otherwise() {
        let owner = |file: &str| only(ImportKind::Leads, &json!({}), file, "ownerId");
        let (max, sally) = (Uuid::from_u128(2).to_string(), Uuid::from_u128(3).to_string());
        assert_eq!(owner("Name,Owner ID,Owner\nAda,,max@x.org\n"), Ok(json!(max)));
        assert_eq!(
            owner("Name,Owner,OwnerId\nAda,Max,005A0000\n"),
            Ok(json!(max)),
            "an id of another system"
        );
        assert_eq!(owner(&format!("Name,Owner,Owner ID\nAda,max@x.org,{sally}\n")), Ok(json!(sally)));
        assert!(
            owner(&format!("Name,Owner,Owner ID\nAda,max@x.org,{sally}0\n")).is_err(),
            "a slip of the pen"
        );
        let assignee = "Name,Assigned To ID,Assigned To\nAda,,Sally\n";
        assert_eq!(only(ImportKind::Leads, &json!({}), assignee, "assignedToId"), Ok(json!(sally)));
        let lead = |file: &str, field| only(ImportKind::Deals, &json!({}), file, field);
        assert_eq!(lead("Title,Lead ID,Lead External ID\nLoom,,L1\n", "leadExternalId"), Ok(json!("L1")));
        let both = format!("Title,Lead External ID,Lead ID\nLoom,L1,{max}\n");
        assert_eq!(lead(&both, "leadExternalId"), Ok(Value::Null));
        assert_eq!(lead(&both, "leadId"), Ok(json!(max)));
    }

    #[test]
    fn a_status_beside_a_stage_says_no_more_than_open_won_or_lost() {
        let stage = |options: Value, row: &str| {
            let file = format!("Deal - Title,Deal - Status,Deal - Stage\nLoom,{row}\n");
            only(ImportKind::Deals, &options, &file, "stage")
        };
        assert_eq!(stage(json!({}), "Won,Demo Scheduled"), Ok(json!("CLOSED_WON")));
        assert_eq!(stage(json!({}), "Open,Demo Scheduled"), Ok(json!("DISCOVERY")));
        assert_eq!(stage(json!({}), ",Demo Scheduled"), Ok(json!("DISCOVERY")));
        for strange in ["Deleted", "New", "Negotiation"] {
            let reason = stage(json!({}), &format!("{strange},Demo Scheduled")).unwrap_err();
            assert!(reason.contains("open, won or lost"), "{reason}");
        }
        let values = json!({"values": {"stage": {"deleted": "CLOSED_LOST", "Active": ""}}});
        assert_eq!(stage(values.clone(), "Deleted,Demo Scheduled"), Ok(json!("CLOSED_LOST")));
        assert_eq!(stage(values, "active,Demo Scheduled"), Ok(json!("DISCOVERY")));
        let alone = "title,status\nLoom,Negotiation\n";
        assert_eq!(only(ImportKind::Deals, &json!({}), alone, "stage"), Ok(json!("NEGOTIATION")));
    }

    #[test]
    fn a_probability_is_read_by_the_scale_of_its_column() {
        let probability = |rows: &str| -> Vec<Value> {
            let file = format!("title,probability\n{rows}");
            let trial = Trial::of(ImportKind::Deals, &json!({}), file.as_bytes()).unwrap();
            trial.records.iter().map(|record| record["probability"].clone()).collect()
        };
        assert_eq!(probability("A,0.1\nB,1.0\nC,1\nD,0.333\n"), [json!(10), json!(100), json!(100)]);
        assert_eq!(probability("A,10\nB,1.0\nC,1\nD,33.27\n"), [json!(10), json!(1), json!(1)]);
        assert_eq!(probability("A,0.0\nB,1.0\nC,1%\n"), [json!(0), json!(1)]);
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
