//! Some staged rows, made into records.

use std::collections::{HashMap, HashSet};

use super::members::Members;
use super::row::{Draft, RowReader};
use super::{ImportField, ImportKind, Rejection, Run, StagedRow};
use crate::access::Actor;
use crate::deals::{Deal, DealStage, NewDeal};
use crate::email::Email;
use crate::error::Result;
use crate::ids::LeadId;
use crate::input::Command;
use crate::leads::{Lead, NewLead};
use crate::work::Work;

/// What came of some rows.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// How many records were created, or would have been.
    pub(super) created: usize,
    /// How many rows were left out, because their record was there already.
    pub(super) skipped: usize,
    /// The rows that cannot be imported.
    pub(super) rejections: Vec<Rejection>,
}

/// Creates the records that some rows ask for, with a few statements for all of them; a dry run does everything but
/// write the records.
pub(super) async fn apply(work: &mut Work, run: &Run, rows: Vec<StagedRow>) -> Result<Applied> {
    if rows.is_empty() {
        return Ok(Applied::default());
    }
    match run.import.kind {
        ImportKind::Leads => apply_leads(work, run, rows).await,
        ImportKind::Deals => apply_deals(work, run, rows).await,
    }
}

async fn apply_leads(work: &mut Work, run: &Run, rows: Vec<StagedRow>) -> Result<Applied> {
    let members = members(work, run).await?;
    let (actor, mut applied) = (work.actor().clone(), Applied::default());
    let drafts: Vec<Draft<NewLead>> = read(&reader(run, &actor, &members), rows, &mut applied);
    let keys: Vec<Keys> = drafts.iter().map(|draft| lead_keys(&draft.new)).collect();
    let mut taken = Taken::look_up(work, run, &keys).await?;
    let now = work.env().now();
    let mut leads = Vec::new();
    for (draft, keys) in drafts.into_iter().zip(keys) {
        if !taken.take(keys) {
            applied.skipped += 1;
            continue;
        }
        let (lead, _) = Lead::create(draft.new, work.env().id(), &actor, now)?;
        leads.push(Lead { created_at: draft.created_at.unwrap_or(now), ..lead });
    }
    applied.created = leads.len();
    if run.import.dry_run {
        work.imports().foresee(run.import.id, &taken.new).await?;
    } else {
        work.imports().insert_leads(&leads).await?;
    }
    Ok(applied)
}

async fn apply_deals(work: &mut Work, run: &Run, rows: Vec<StagedRow>) -> Result<Applied> {
    let members = members(work, run).await?;
    let (actor, mut applied) = (work.actor().clone(), Applied::default());
    let reader = reader(run, &actor, &members);
    let drafts: Vec<Draft<NewDeal>> = read(&reader, rows, &mut applied);
    let leads = NamedLeads::look_up(work, &drafts).await?;
    let found =
        |draft| leads.find(draft, &reader).map_err(|rejection| applied.rejections.push(*rejection)).ok();
    let drafts: Vec<Draft<NewDeal>> = drafts.into_iter().filter_map(found).collect();
    let keys: Vec<Keys> = drafts.iter().map(|draft| deal_keys(&draft.new)).collect();
    let mut taken = Taken::look_up(work, run, &keys).await?;
    let now = work.env().now();
    let mut deals = Vec::new();
    for (draft, keys) in drafts.into_iter().zip(keys) {
        if !taken.take(keys) {
            applied.skipped += 1;
            continue;
        }
        let lost_reason = draft.new.lost_reason.filter(|_| draft.new.stage == Some(DealStage::ClosedLost));
        let new = NewDeal { lost_reason, ..draft.new };
        let (deal, _) = Deal::create(new, work.env().id(), &actor, now)?;
        // A deal that has just been created in a closed stage was closed now; the file may know better.
        let closed_at = deal.closed_at.map(|now| draft.closed_at.unwrap_or(now));
        deals.push(Deal { created_at: draft.created_at.unwrap_or(now), closed_at, ..deal });
    }
    applied.created = deals.len();
    if run.import.dry_run {
        work.imports().foresee(run.import.id, &taken.new).await?;
    } else {
        work.imports().insert_deals(&deals).await?;
    }
    Ok(applied)
}

/// The members, if the file names any.
async fn members(work: &mut Work, run: &Run) -> Result<Members> {
    let naming =
        [ImportField::Owner, ImportField::OwnerId, ImportField::AssignedTo, ImportField::AssignedToId];
    if naming.iter().any(|field| run.plan.has(*field)) {
        work.imports().members().await.map(Members::new)
    } else {
        Ok(Members::default())
    }
}

fn reader<'a>(run: &'a Run, actor: &'a Actor, members: &'a Members) -> RowReader<'a> {
    RowReader { kind: run.import.kind, plan: &run.plan, actor, members }
}

fn read<N: Command>(reader: &RowReader<'_>, rows: Vec<StagedRow>, applied: &mut Applied) -> Vec<Draft<N>> {
    let mut drafts = Vec::with_capacity(rows.len());
    for row in rows {
        match reader.read(row) {
            Ok(draft) => drafts.push(draft),
            Err(rejection) => applied.rejections.push(rejection),
        }
    }
    drafts
}

/// What a record is known by. Rows with an external id are compared by that, others by email.
struct Keys {
    external_id: Option<String>,
    email: Option<String>,
}

fn lead_keys(new: &NewLead) -> Keys {
    Keys { external_id: new.external_id.clone(), email: new.email.as_ref().map(Email::key) }
}

fn deal_keys(new: &NewDeal) -> Keys {
    Keys { external_id: new.external_id.clone(), email: None }
}

fn external_id_key(external_id: &str) -> String {
    format!("externalId {external_id}")
}

fn email_key(email: &str) -> String {
    format!("email {email}")
}

/// The keys of records that are there: in the store, earlier among these rows, and, as a dry run leaves nothing in
/// the store, earlier in its file.
struct Taken {
    all: HashSet<String>,
    /// Those taken by these rows.
    new: Vec<String>,
}

impl Taken {
    async fn look_up(work: &mut Work, run: &Run, keys: &[Keys]) -> Result<Self> {
        let external_ids: Vec<String> = keys.iter().filter_map(|keys| keys.external_id.clone()).collect();
        let without_id = keys.iter().filter(|keys| keys.external_id.is_none());
        let emails: Vec<String> = without_id.filter_map(|keys| keys.email.clone()).collect();
        let mut all = HashSet::new();
        if run.import.dry_run {
            let foreseeable = external_ids.iter().map(|id| external_id_key(id));
            let foreseeable: Vec<String> =
                foreseeable.chain(emails.iter().map(|email| email_key(email))).collect();
            all.extend(work.imports().foreseen(run.import.id, &foreseeable).await?);
        }
        let ids = work.imports().taken_external_ids(run.import.kind, &external_ids).await?;
        all.extend(ids.iter().map(|id| external_id_key(id)));
        let emails = work.imports().taken_emails(&emails).await?;
        all.extend(emails.iter().map(|email| email_key(email)));
        Ok(Self { all, new: Vec::new() })
    }

    /// Takes a record's keys, unless the one that it is compared by is taken.
    fn take(&mut self, keys: Keys) -> bool {
        let external_id = keys.external_id.map(|id| external_id_key(&id));
        let email = keys.email.map(|email| email_key(&email));
        if external_id.as_ref().or(email.as_ref()).is_some_and(|key| self.all.contains(key)) {
            return false;
        }
        for key in [external_id, email].into_iter().flatten() {
            if self.all.insert(key.clone()) {
                self.new.push(key);
            }
        }
        true
    }
}

/// The leads that deals name, as far as they are there.
struct NamedLeads {
    by_external_id: HashMap<String, LeadId>,
    by_id: HashSet<LeadId>,
}

impl NamedLeads {
    async fn look_up(work: &mut Work, drafts: &[Draft<NewDeal>]) -> Result<Self> {
        let external_ids: Vec<String> =
            drafts.iter().filter_map(|draft| Some(draft.lead.as_ref()?.text.clone())).collect();
        let ids: Vec<LeadId> = drafts.iter().filter_map(|draft| draft.new.lead_id).collect();
        let by_external_id = work.imports().leads_by_external_id(&external_ids).await?.into_iter().collect();
        let by_id = work.imports().present_leads(&ids).await?.into_iter().collect();
        Ok(Self { by_external_id, by_id })
    }

    /// The draft with its lead.
    fn find(
        &self,
        mut draft: Draft<NewDeal>,
        reader: &RowReader<'_>,
    ) -> Result<Draft<NewDeal>, Box<Rejection>> {
        if let Some(cell) = &draft.lead {
            let Some(lead) = self.by_external_id.get(&cell.text) else {
                let message = "is not the external id of a lead";
                return Err(Box::new(reader.reject(&draft.row, ImportField::LeadExternalId, message)));
            };
            draft.new.lead_id = Some(*lead);
        }
        if draft.lead.is_none() && draft.new.lead_id.is_some_and(|lead| !self.by_id.contains(&lead)) {
            let message = "is not the id of a lead";
            return Err(Box::new(reader.reject(&draft.row, ImportField::LeadId, message)));
        }
        Ok(draft)
    }
}
