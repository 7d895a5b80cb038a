//! One staged row, read as a record to create.

use serde_json::{Map, Value};

use super::field::ALTERNATIVES;
use super::mapping::{Cell, cut};
use super::members::{Members, may_name};
use super::options::own_word;
use super::{ImportField, ImportKind, Plan, Rejection, StagedRow};
use crate::access::{Action, Actor};
use crate::input::{Body, Command, Fields};
use crate::time::Timestamp;

/// A record that a row asks for: `new` is the command that a client would have sent.
pub(super) struct Draft<N> {
    pub(super) row: StagedRow,
    pub(super) new: N,
    pub(super) created_at: Option<Timestamp>,
    pub(super) closed_at: Option<Timestamp>,
    /// The lead that a deal names by its id in another system.
    pub(super) lead: Option<Cell>,
}

/// Reads staged rows of one import.
pub(super) struct RowReader<'a> {
    pub(super) kind: ImportKind,
    pub(super) plan: &'a Plan,
    pub(super) actor: &'a Actor,
    pub(super) members: &'a Members,
}

impl RowReader<'_> {
    /// Reads a row by the rules of the command `N`.
    pub(super) fn read<N: Command>(&self, row: StagedRow) -> Result<Draft<N>, Rejection> {
        let mut body = Map::new();
        let (mut created_at, mut closed_at, mut lead) = (None, None, None);
        for field in self.plan.fields() {
            let Some(cell) = self.plan.cell(field, &row) else { continue };
            let refused = |message: String| self.reject(&row, field, &message);
            match field {
                ImportField::CreatedAt => created_at = Some(moment(&cell.text).map_err(refused)?),
                ImportField::ClosedAt => closed_at = Some(moment(&cell.text).map_err(refused)?),
                ImportField::LeadExternalId => lead = Some(cell),
                _ => {
                    let (name, value) = self.field(field, &cell.text).map_err(refused)?;
                    body.insert(name.to_string(), value);
                }
            }
        }
        self.name_by_key(&mut body);
        let new = self.decode(body, &row)?;
        Ok(Draft { row, new, created_at, closed_at, lead })
    }

    /// That a row is not imported, because of what it says of a field.
    pub(super) fn reject(&self, row: &StagedRow, field: ImportField, message: &str) -> Rejection {
        let cell = self.plan.cell(field, row);
        let (column, value) = match cell {
            Some(cell) => (Some(cell.column), Some(cut(&cell.written))),
            None => (self.plan.column(field), None),
        };
        let reason = format!("{field} {message}");
        Rejection { line: row.line, column, value, reason }
    }

    /// A field as a client would have sent it.
    fn field(&self, field: ImportField, text: &str) -> Result<(ImportField, Value), String> {
        let member = match field {
            ImportField::Owner | ImportField::AssignedTo => self.members.called(text)?,
            ImportField::OwnerId | ImportField::AssignedToId => self.members.with_id(text)?,
            ImportField::Status | ImportField::Stage => return Ok((field, own_word(text).into())),
            ImportField::ExpectedClose => return Ok((field, with_zone(text).into())),
            ImportField::Probability => {
                return Ok((field, text.parse::<i64>().map_or_else(|_| text.into(), Value::from)));
            }
            _ => return Ok((field, text.into())),
        };
        let create = match self.kind {
            ImportKind::Leads => Action::CreateLead,
            ImportKind::Deals => Action::CreateDeal,
        };
        may_name(self.actor, create, member)?;
        let by_id =
            ALTERNATIVES.iter().find(|(_, by_word)| *by_word == field).map_or(field, |(by_id, _)| *by_id);
        Ok((by_id, member.id.to_string().into()))
    }

    /// Where the file has no column for the name, something else that is there names the record.
    fn name_by_key(&self, body: &mut Map<String, Value>) {
        let [name, others @ ..] = ImportField::names_of(self.kind) else { return };
        if self.plan.has(*name) {
            return;
        }
        if let Some(text) = others.iter().find_map(|other| body.get(other.as_str())).cloned() {
            body.insert(name.to_string(), text);
        }
    }

    fn decode<N: Command>(&self, body: Map<String, Value>, row: &StagedRow) -> Result<N, Rejection> {
        let body = Body::try_from(Value::Object(body)).unwrap_or_default();
        let mut fields = Fields::new(body, self.actor.currency);
        let new = N::decode(&mut fields);
        let (_, errors) = fields.into_findings();
        match errors.first() {
            None => Ok(new),
            Some(error) => {
                let field = error.field.parse().unwrap_or(ImportField::names_of(self.kind)[0]);
                Err(self.reject(row, field, &error.message))
            }
        }
    }
}

/// A moment as files write it: a client's spelling, or a date and time without a zone, which is UTC.
fn moment(text: &str) -> Result<Timestamp, String> {
    with_zone(text).parse().map_err(|error: crate::time::NotATimestamp| error.to_string())
}

fn with_zone(text: &str) -> String {
    let is_local = text.get(10..11).is_some_and(|separator| matches!(separator, " " | "T"))
        && text.bytes().skip(11).all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'));
    if is_local { format!("{}T{}Z", &text[..10], &text[11..]) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::super::csv::Record;
    use super::super::mapping::{Mapped, Mapper};
    use super::super::{ImportMember, ImportOptions};
    use super::*;
    use crate::access::Role;
    use crate::deals::{DealStage, NewDeal};
    use crate::ids::UserId;
    use crate::leads::NewLead;
    use crate::money::{Currency, Money};

    fn user(id: u128) -> UserId {
        Uuid::from_u128(id).into()
    }

    fn actor() -> Actor {
        Actor {
            org_id: Uuid::from_u128(1).into(),
            user_id: user(2),
            session_id: None,
            name: "Max".to_owned(),
            role: Role::Manager,
            is_operator: false,
            org_name: "Demo".to_owned(),
            currency: Currency::USD,
            time_zone: chrono_tz::UTC,
        }
    }

    /// Reads one row of a file.
    fn read<N: Command>(
        kind: ImportKind,
        options: Value,
        header: &[&str],
        cells: &[&str],
    ) -> Result<Draft<N>, (Option<String>, Option<String>, String)> {
        let options: ImportOptions = Body::try_from(options).unwrap().decode().unwrap();
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        let mapper = Mapper::new(&texts(header), &options, kind).unwrap();
        let Mapped::Row(row) = mapper.take(&Record { line: 7, cells: texts(cells) }) else {
            panic!("no row");
        };
        let member = |id, name: &str, role| ImportMember {
            id: user(id),
            name: name.to_owned(),
            email_key: format!("{}@x.org", name.to_lowercase()),
            role,
        };
        let members = Members::new(vec![member(3, "Sally", Role::Sales), member(4, "Ann", Role::Admin)]);
        let reader = RowReader { kind, plan: &mapper.plan, actor: &actor(), members: &members };
        reader.read(row).map_err(|rejection| {
            assert_eq!(rejection.line, 7);
            (rejection.column, rejection.value, rejection.reason)
        })
    }

    #[test]
    fn a_deal_is_read_by_the_rules_of_its_command() {
        let options = json!({
            "mapping": {
                "title": "id", "externalId": "id", "stage": "deal stage", "value": "worth", "closedAt": "closed",
                "assignedTo": "agent", "probability": "odds", "leadExternalId": "customer",
            },
            "values": {"stage": {"engaging": "DISCOVERY"}},
        });
        let header = ["id", "deal stage", "worth", "closed", "agent", "odds", "customer"];
        let deal = |cells: &[&str]| read::<NewDeal>(ImportKind::Deals, options.clone(), &header, cells);
        let read = deal(&["A1", "Closed won", "1054", "2017-03-01", "SALLY", "90", "C9"]).ok().unwrap();
        assert_eq!((read.new.title.as_str(), read.new.external_id.as_deref()), ("A1", Some("A1")));
        assert_eq!((read.new.stage, read.new.probability), (Some(DealStage::ClosedWon), Some(90)));
        let value = read.new.value.map(|amount| amount.in_currency(Currency::USD).unwrap());
        assert_eq!(value, Some(Money::new(105_400, Currency::USD)));
        assert_eq!(read.new.assigned_to_id, Some(user(3)));
        assert_eq!(read.closed_at, "2017-03-01".parse().ok());
        assert_eq!(read.lead.map(|cell| cell.text).as_deref(), Some("C9"));

        let read = deal(&["A2", "ENGAGING", "", "", "", "", ""]).ok().unwrap();
        assert_eq!((read.new.stage, read.new.value), (Some(DealStage::Discovery), None));

        let cases = [
            (["", "", "1", "", "", "", ""], "id", None, "title is required"),
            (["A", "Won?", "", "", "", "", ""], "deal stage", Some("Won?"), "stage must be one of"),
            (["A", "", "12,5", "", "", "", ""], "worth", Some("12,5"), "value must be a number"),
            (
                ["A", "", "", "31.12.2020", "", "", ""],
                "closed",
                Some("31.12.2020"),
                "closedAt must be a date",
            ),
            (["A", "", "", "", "Bob", "", ""], "agent", Some("Bob"), "assignedTo is not"),
            (["A", "", "", "", "ann@x.org", "", ""], "agent", Some("ann@x.org"), "assignedTo is somebody"),
            (["A", "", "", "", "", "101", ""], "odds", Some("101"), "probability must be a whole number"),
        ];
        for (cells, column, value, reason) in cases {
            let (at, cell, said) = deal(&cells).err().unwrap();
            assert_eq!((at.as_deref(), cell.as_deref()), (Some(column), value), "{said}");
            assert!(said.starts_with(reason), "{said}");
        }
    }

    #[test]
    fn a_lead_of_a_file_without_names_is_called_by_its_email_or_external_id() {
        let lead = |header: &[&str], cells: &[&str]| {
            let draft = read::<NewLead>(ImportKind::Leads, json!({}), header, cells);
            draft.map(|draft| draft.new.name)
        };
        assert_eq!(lead(&["email", "external id"], &["ada@x.org", "7"]).unwrap(), "ada@x.org");
        assert_eq!(lead(&["email", "external id"], &["", "7"]).unwrap(), "7");
        assert!(lead(&["name", "email"], &["", "ada@x.org"]).is_err());
        let (column, value, _) = lead(&["name", "email"], &["Ada", "ada @x.org"]).unwrap_err();
        assert_eq!((column.as_deref(), value.as_deref()), (Some("email"), Some("ada @x.org")));
    }

    #[test]
    fn moments_without_a_zone_are_utc() {
        let noon: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
        for text in ["2026-01-31 12:00:00", "2026-01-31T12:00:00", "2026-01-31T14:00:00+02:00"] {
            assert_eq!(moment(text), Ok(noon), "{text}");
        }
        for bad in ["31-01-2026", "2026-01-31 noon", "2026-13-01", "é26-01-31ü12:00:00", "1/2/2026"] {
            assert!(moment(bad).is_err(), "{bad}");
        }
    }
}
