//! One staged row, read as a record to create.

use serde_json::{Map, Value};

use super::amounts::plain;
use super::currencies::{foreign, names};
use super::dates::moment;
use super::field::ALTERNATIVES;
use super::mapping::cut;
use super::members::{Members, may_name};
use super::options::own_word;
use super::plan::Cell;
use super::probability::{Scale, percent};
use super::{ImportField, ImportKind, OnDuplicate, Plan, Rejection, StagedRow};
use crate::access::{Action, Actor};
use crate::input::{Body, Command, Fields};
use crate::time::Timestamp;

/// A record that a row asks for: the commands that a client would have sent.
pub(super) struct Draft<N, P> {
    pub(super) row: StagedRow,
    /// To create it.
    pub(super) new: Result<N, Rejection>,
    /// To change it, where the import changes records.
    pub(super) patch: Option<P>,
    pub(super) created_at: Option<Timestamp>,
    pub(super) closed_at: Option<Timestamp>,
    /// The lead that a deal names by its id in another system.
    pub(super) lead: Option<String>,
}

/// Reads staged rows of one import.
pub(super) struct RowReader<'a> {
    pub(super) kind: ImportKind,
    pub(super) plan: &'a Plan,
    pub(super) actor: &'a Actor,
    pub(super) members: &'a Members,
}

impl RowReader<'_> {
    /// Reads a row by the rules of the commands `N` and `P`. A row that says too little for a new record may still say
    /// what to change.
    pub(super) fn read<N: Command, P: Command>(&self, row: StagedRow) -> Result<Draft<N, P>, Rejection> {
        let mut body = Map::new();
        let (mut created_at, mut closed_at, mut lead) = (None, None, None);
        for field in self.plan.fields() {
            let Some(cell) = self.plan.cell(field, &row) else { continue };
            let refused = |message: String| self.reject(&row, field, &message);
            match field {
                ImportField::CreatedAt => created_at = Some(self.moment(&cell).map_err(refused)?),
                ImportField::ClosedAt => closed_at = Some(self.moment(&cell).map_err(refused)?),
                // The row says by id already what another column says by name.
                _ if ALTERNATIVES
                    .iter()
                    .any(|(id, other)| *other == field && body.contains_key(id.as_str())) => {}
                ImportField::LeadExternalId => lead = Some(cell.text.into_owned()),
                _ => {
                    let (name, value) = self.field(field, &cell).map_err(refused)?;
                    if field == ImportField::Value && value != "0" {
                        self.require_own_currency(&row)?;
                    }
                    body.insert(name.to_string(), value);
                }
            }
        }
        let patch = match self.plan.on_duplicate {
            OnDuplicate::Update => Some(self.decode(body.clone(), &row)?),
            OnDuplicate::Skip | OnDuplicate::Create => None,
        };
        self.name_by_key(&mut body);
        let new = self.decode(body, &row);
        Ok(Draft { row, new, patch, created_at, closed_at, lead })
    }

    /// That a row is not imported, because of what it says of a field.
    pub(super) fn reject(&self, row: &StagedRow, field: ImportField, message: &str) -> Rejection {
        let cell = self.plan.cell(field, row);
        let (column, value) = match cell {
            Some(cell) => (self.plan.column_of(field, &cell), Some(cut(&cell.written))),
            None => (self.plan.column(field), None),
        };
        let reason = format!("{field} {message}");
        Rejection { line: row.line, column, value, reason, cells: Some(row.cells.clone()) }
    }

    /// A field as a client would have sent it.
    fn field(&self, field: ImportField, cell: &Cell<'_>) -> Result<(ImportField, Value), String> {
        let text = cell.text.as_ref();
        let member = match field {
            ImportField::Owner | ImportField::AssignedTo => self.members.called(text)?,
            ImportField::OwnerId | ImportField::AssignedToId => self.members.with_id(text)?,
            ImportField::Stage if self.plan.is_strange_status(cell) => {
                let message = "must be open, won or lost in a column beside the one of the stage: say in options.values \
                               what this means, or nothing with an empty text";
                return Err(message.to_owned());
            }
            ImportField::Status | ImportField::Stage => return Ok((field, own_word(text).into())),
            ImportField::ExpectedClose => return Ok((field, self.moment(cell)?.to_sortable_text().into())),
            ImportField::Value => {
                let mark = self.plan.decimal_marks.get(&cell.place).copied();
                return Ok((field, plain(text, mark, self.actor.currency)?.into()));
            }
            ImportField::Probability => {
                let scale = self.plan.scales.get(&cell.place).copied().unwrap_or(Scale::Percent);
                return Ok((field, percent(text, scale)?));
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

    /// Demands that the currency beside a value is the organization's: nothing is converted.
    fn require_own_currency(&self, row: &StagedRow) -> Result<(), Rejection> {
        let currency = self.actor.currency;
        let Some((column, named)) = self.plan.currency(row).filter(|(_, named)| !names(named, currency))
        else {
            return Ok(());
        };
        let rejection = self.reject(row, ImportField::Value, &foreign(&cut(named), currency));
        Err(Rejection { column: Some(column.to_owned()), value: Some(cut(named)), ..rejection })
    }

    fn moment(&self, cell: &Cell<'_>) -> Result<Timestamp, String> {
        moment(&cell.text, self.plan.date_orders.get(&cell.place).copied())
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

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::super::csv::Record;
    use super::super::mapping::{Mapped, Mapper};
    use super::super::{ImportMember, ImportOptions};
    use super::*;
    use crate::access::Role;
    use crate::deals::{DealPatch, DealStage, NewDeal};
    use crate::ids::UserId;
    use crate::leads::{LeadPatch, NewLead};
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

    /// What a rejection says: column, value, reason.
    type Refusal = (Option<String>, Option<String>, String);

    /// Reads one row of a file.
    fn read<N: Command, P: Command>(
        kind: ImportKind,
        options: Value,
        header: &[&str],
        cells: &[&str],
    ) -> Result<(N, Draft<N, P>), Refusal> {
        let options: ImportOptions = Body::try_from(options).unwrap().decode().unwrap();
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        let record =
            |line, cells| Record { line, is_after_blank: false, is_malformed: false, cells: texts(cells) };
        let mapper = Mapper::new(&[record(1, header)], &options, kind).unwrap();
        let Mapped::Row(row) = mapper.take(&record(7, cells)) else {
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
        let draft: Result<Draft<N, P>, Rejection> = reader.read(row);
        let read = draft.and_then(|mut draft| {
            let nothing =
                Rejection { line: 7, column: None, value: None, reason: String::new(), cells: None };
            std::mem::replace(&mut draft.new, Err(nothing)).map(|new| (new, draft))
        });
        read.map_err(|rejection| {
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
        let deal =
            |cells: &[&str]| read::<NewDeal, DealPatch>(ImportKind::Deals, options.clone(), &header, cells);
        let (new, read) =
            deal(&["A1", "Closed won", "$1,054.00", "3/31/2017", "SALLY", "90%", "C9"]).ok().unwrap();
        assert_eq!((new.title.as_str(), new.external_id.as_deref()), ("A1", Some("A1")));
        assert_eq!((new.stage, new.probability), (Some(DealStage::ClosedWon), Some(90)));
        let value = new.value.map(|amount| amount.in_currency(Currency::USD).unwrap());
        assert_eq!(value, Some(Money::new(105_400, Currency::USD)));
        assert_eq!(new.assigned_to_id, Some(user(3)));
        assert_eq!(read.closed_at, "2017-03-31".parse().ok());
        assert_eq!(read.lead.as_deref(), Some("C9"));

        let (new, _) = deal(&["A2", "ENGAGING", "", "", "", "", ""]).ok().unwrap();
        assert_eq!((new.stage, new.value), (Some(DealStage::Discovery), None));

        let cases = [
            (["", "", "1", "", "", "", ""], "id", None, "title is required"),
            (["A", "Gone", "", "", "", "", ""], "deal stage", Some("Gone"), "stage must be one of"),
            (["A", "", "12,5x", "", "", "", ""], "worth", Some("12,5x"), "value must be a number"),
            (
                ["A", "", "", "31.13.2020", "", "", ""],
                "closed",
                Some("31.13.2020"),
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
    fn a_value_whose_currency_stands_beside_it_must_be_in_the_organizations() {
        let of_deals = [
            ("Deal - Value", "Deal - Currency of Value"),
            ("Amount", "CurrencyIsoCode"),
            ("Amount", "Amount Currency"),
            ("Amount", "Opportunity Currency"),
            ("amount", "deal_currency_code"),
            ("Amount", "Currency"),
            ("expected_revenue", "company_currency"),
            ("Expected Revenue", "Expected Revenue Currency"),
            ("Close Value", "currency code"),
        ];
        for (amount, currency) in of_deals {
            let header = ["title", currency, amount];
            let deal =
                |cells: &[&str]| read::<NewDeal, DealPatch>(ImportKind::Deals, json!({}), &header, cells);
            let (column, value, reason) = deal(&["Loom", "eur", "500"]).err().unwrap();
            assert_eq!((column.as_deref(), value.as_deref()), (Some(currency), Some("eur")));
            assert_eq!(reason, "value is in eur, but the organization's currency is USD");
            for (named, worth) in
                [("USD", "500"), ("us dollar", "500"), ("", "500"), ("EUR", ""), ("EUR", "0.00")]
            {
                let (new, _) = deal(&["Loom", named, worth]).ok().unwrap();
                let minor = new.value.map(|value| value.in_currency(Currency::USD).unwrap().minor());
                assert_eq!(
                    minor,
                    [("", None), ("0.00", Some(0)), ("500", Some(50_000))]
                        .into_iter()
                        .find(|(text, _)| *text == worth)
                        .unwrap()
                        .1
                );
            }
        }
        let lead = |header: &[&str]| {
            let cells = ["Ada", "500", "EUR"];
            read::<NewLead, LeadPatch>(ImportKind::Leads, json!({}), header, &cells).err()
        };
        assert!(lead(&["name", "Lead - Value", "Lead - Currency of Value"]).is_some());
        assert!(lead(&["name", "value", "Lead Currency"]).is_some());
        assert!(lead(&["name", "value", "Expected Revenue Currency"]).is_none(), "of another amount");
        let of_company = ["title", "Amount in company currency", "Currency"];
        let deal =
            read::<NewDeal, DealPatch>(ImportKind::Deals, json!({}), &of_company, &["Loom", "5", "EUR"]);
        assert!(deal.is_ok());
        let chosen = |options: Value, currency: &str| {
            let header = ["title", "Amount", "Currency", "Note"];
            let cells = ["Loom", "5", currency, "EUR"];
            read::<NewDeal, DealPatch>(ImportKind::Deals, options, &header, &cells).err()
        };
        let mapping = json!({"title": "title", "value": "Amount"});
        let (column, value, reason) = chosen(json!({"mapping": mapping}), "EUR").unwrap();
        assert_eq!((column.as_deref(), value.as_deref()), (Some("Currency"), Some("EUR")), "{reason}");
        assert!(chosen(json!({"mapping": {"title": 0, "value": [1]}}), "EUR").is_some());
        assert!(chosen(json!({"mapping": mapping}), "USD").is_none());
        assert!(chosen(json!({"mapping": {"title": "title", "notes": "Note"}}), "EUR").is_none(), "no value");
        for options in [json!({"currency": "USD", "mapping": mapping}), json!({"currency": "USD"})] {
            assert!(chosen(options, "EUR").is_none(), "it is said what the amounts are in");
        }
    }

    #[test]
    fn a_lead_of_a_file_without_names_is_called_by_its_email_or_external_id() {
        let lead = |header: &[&str], cells: &[&str]| {
            let draft = read::<NewLead, LeadPatch>(ImportKind::Leads, json!({}), header, cells);
            draft.map(|(new, _)| new.name)
        };
        assert_eq!(lead(&["email", "external id"], &["ada@x.org", "7"]).unwrap(), "ada@x.org");
        assert_eq!(lead(&["email", "external id"], &["", "7"]).unwrap(), "7");
        assert!(lead(&["name", "email"], &["", "ada@x.org"]).is_err());
        let (column, value, _) = lead(&["name", "email"], &["Ada", "ada @x.org"]).unwrap_err();
        assert_eq!((column.as_deref(), value.as_deref()), (Some("email"), Some("ada @x.org")));
    }
}
