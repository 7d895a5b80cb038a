//! Files, read as an import reads them, for the tests of several parts.

use serde_json::Value;
use uuid::Uuid;

use super::intake::Intake;
use super::mapping::Mapped;
use super::members::Members;
use super::row::RowReader;
use super::{ImportKind, ImportMember, ImportOptions, Plan, Rejection, StagedRow};
use crate::access::{Actor, Role};
use crate::deals::{DealPatch, NewDeal};
use crate::error::Result;
use crate::input::Body;
use crate::leads::{LeadPatch, NewLead};
use crate::money::Currency;

/// What came of a file, but for what needs a database.
pub(super) struct Trial {
    pub(super) plan: Plan,
    /// What each row that goes in asks for, by field; what it leaves out is null.
    pub(super) records: Vec<Value>,
    pub(super) rejections: Vec<Rejection>,
}

impl Trial {
    /// Reads a file for an organization in dollars, whose members are Max, `max@x.org`, and Sally with the id 3.
    pub(super) fn of(kind: ImportKind, options: &Value, file: &[u8]) -> Result<Self> {
        Self::in_pieces(kind, options, file, 1_000)
    }

    /// Reads a file that arrives in pieces of so many bytes.
    pub(super) fn in_pieces(kind: ImportKind, options: &Value, file: &[u8], piece: usize) -> Result<Self> {
        let options: ImportOptions = Body::try_from(options.clone())?.decode()?;
        let mut intake = Intake::new(kind, options, Currency::USD);
        let mut mapped = Vec::new();
        for bytes in file.chunks(piece) {
            intake.push(bytes, &mut mapped)?;
        }
        let plan = intake.finish(&mut mapped)?;
        let member = |id, name: &str| ImportMember {
            id: Uuid::from_u128(id).into(),
            name: name.to_owned(),
            email_key: format!("{}@x.org", name.to_lowercase()),
            role: Role::Sales,
        };
        let members = Members::new(vec![member(2, "Max"), member(3, "Sally")]);
        let actor = Actor::sample(Role::Admin);
        let reader = RowReader { kind, plan: &plan, actor: &actor, members: &members };
        let (mut records, mut rejections) = (Vec::new(), Vec::new());
        for mapped in mapped {
            match mapped {
                Mapped::Row(row) => match read(&reader, row) {
                    Ok(record) => records.push(record),
                    Err(rejection) => rejections.push(rejection),
                },
                Mapped::Rejected(rejection) => rejections.push(rejection),
                Mapped::Blank => {}
            }
        }
        Ok(Self { plan, records, rejections })
    }
}

/// What a row asks for, with the fields beside the writable ones.
fn read(reader: &RowReader<'_>, row: StagedRow) -> Result<Value, Rejection> {
    let (mut record, created_at, closed_at, lead) = match reader.kind {
        ImportKind::Leads => {
            let draft = reader.read::<NewLead, LeadPatch>(row)?;
            (serde_json::to_value(draft.new?).unwrap(), draft.created_at, draft.closed_at, draft.lead)
        }
        ImportKind::Deals => {
            let draft = reader.read::<NewDeal, DealPatch>(row)?;
            (serde_json::to_value(draft.new?).unwrap(), draft.created_at, draft.closed_at, draft.lead)
        }
    };
    record["createdAt"] = created_at.map(|moment| moment.to_string()).into();
    record["closedAt"] = closed_at.map(|moment| moment.to_string()).into();
    record["leadExternalId"] = lead.into();
    Ok(record)
}
