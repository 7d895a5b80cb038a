//! Which columns a mapping names, or a header without one suggests.

use uuid::Uuid;

use super::csv::Record;
use super::field::fold;
use super::headers::{NAME_PARTS, currencies_of};
use super::mapping::{Mapper, cut};
use super::plan::Reading;
use super::rejected_file::is_of_rejected_rows;
use super::{Column, ImportField, ImportKind, Source};

impl Mapper {
    pub(super) fn map(&mut self, field: ImportField, source: &Source, header: &[&str]) -> Result<(), String> {
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
    pub(super) fn find_currencies(&mut self, header: &[&str]) {
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

    pub(super) fn guess(&mut self, header: &[&str], sample: &[Record], kind: ImportKind) {
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
}
