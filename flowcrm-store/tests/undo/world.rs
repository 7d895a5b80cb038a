//! Random stories of an import: what was there before, the file, and what people do before it is undone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use flowcrm_core::Caller;
use flowcrm_core::dashboard::LeadStatusFigures;
use flowcrm_core::deals::Deal;
use flowcrm_core::ids::{DealId, LeadId};
use flowcrm_core::imports::ImportKind;
use flowcrm_core::leads::Lead;
use flowcrm_core::page::Cursor;
use flowcrm_core::tasks::Task;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde_json::{Value, json};

use crate::importing::{body, import};

/// What an organization has.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct World {
    pub(crate) leads: BTreeMap<LeadId, Lead>,
    deals: BTreeMap<DealId, Deal>,
    tasks: Vec<Task>,
    /// The leads that have activities.
    called: BTreeSet<LeadId>,
}

macro_rules! all_of {
    ($service:expr) => {{
        let (mut all, mut cursor) = (Vec::new(), None::<Cursor>);
        loop {
            let mut query = json!({"limit": "200"});
            if let Some(cursor) = &cursor {
                query["cursor"] = json!(cursor.to_string());
            }
            let page = $service.list(body(query)).await.unwrap();
            all.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break all;
            }
        }
    }};
}

impl World {
    pub(crate) async fn seen_by(owner: &Caller) -> Self {
        let leads: BTreeMap<_, _> =
            all_of!(owner.leads()).into_iter().map(|lead: Lead| (lead.id, lead)).collect();
        let deals = all_of!(owner.deals()).into_iter().map(|deal: Deal| (deal.id, deal)).collect();
        let mut called = BTreeSet::new();
        for id in leads.keys().take(50) {
            if !owner.leads().activities(*id, body(json!({}))).await.unwrap().items.is_empty() {
                called.insert(*id);
            }
        }
        Self { leads, deals, tasks: all_of!(owner.tasks()), called }
    }

    /// A lead but for its version.
    pub(crate) fn content_of(lead: Lead) -> Lead {
        Lead { version: 0, ..lead }
    }

    /// What undoing an import must lead to: records that nobody has touched since are what they were before it, all
    /// others are what people have made of them.
    pub(crate) fn expected(kind: ImportKind, before: &Self, after_import: &Self, edited: &Self) -> Self {
        let mut expected = edited.clone();
        match kind {
            ImportKind::Leads => {
                for (id, imported) in &after_import.leads {
                    let Some(present) = edited.leads.get(id) else { continue };
                    let is_used = edited.called.contains(id)
                        || edited.deals.values().any(|deal| deal.lead_id == Some(*id))
                        || edited.tasks.iter().any(|task| task.lead_id == Some(*id));
                    let is_touched = Self::content_of(present.clone()) != Self::content_of(imported.clone());
                    match before.leads.get(id) {
                        _ if is_touched => {}
                        // The import has left it alone.
                        Some(former) if former == imported => {}
                        Some(former) => {
                            let version = present.version + 1;
                            expected.leads.insert(*id, Lead { version, ..former.clone() });
                        }
                        None if is_used => {}
                        None => drop(expected.leads.remove(id)),
                    }
                }
            }
            ImportKind::Deals => {
                // Who deletes a lead frees its deals, which leaves them as they are otherwise.
                let freed = |deal: &Deal| Deal {
                    version: 0,
                    lead_id: deal.lead_id.filter(|lead| edited.leads.contains_key(lead)),
                    ..deal.clone()
                };
                for (id, imported) in &after_import.deals {
                    let Some(present) = edited.deals.get(id) else { continue };
                    let is_used = edited.tasks.iter().any(|task| task.deal_id == Some(*id));
                    match before.deals.get(id) {
                        _ if freed(present) != freed(imported) => {}
                        Some(former) if former == imported => {}
                        Some(former) => {
                            let version = present.version + 1;
                            expected.deals.insert(*id, Deal { version, ..freed(former) });
                        }
                        None if is_used => {}
                        None => drop(expected.deals.remove(id)),
                    }
                }
            }
        }
        expected
    }

    /// The dashboard counts what is there.
    pub(crate) async fn check_figures(&self, owner: &Caller) -> Result<(), TestCaseError> {
        let statuses = owner.dashboard().lead_status().await.unwrap();
        for LeadStatusFigures { status, count, value } in statuses {
            let leads: Vec<&Lead> = self.leads.values().filter(|lead| lead.status == status).collect();
            let sum: i64 = leads.iter().map(|lead| lead.value.minor()).sum();
            prop_assert_eq!((status, count, value.minor()), (status, leads.len() as u64, sum));
        }
        for stage in owner.dashboard().pipeline().await.unwrap() {
            let deals: Vec<&Deal> = self.deals.values().filter(|deal| deal.stage == stage.stage).collect();
            let sum: i64 = deals.iter().map(|deal| deal.value.minor()).sum();
            prop_assert_eq!((stage.count, stage.value.minor()), (deals.len() as u64, sum));
        }
        let sources = owner.dashboard().lead_sources().await.unwrap();
        for source in sources {
            let count = self.leads.values().filter(|lead| lead.source == source.source).count();
            prop_assert_eq!(source.count, count as u64);
        }
        Ok(())
    }

    /// Every word of a name finds exactly the records that have it.
    pub(crate) async fn check_search(&self, owner: &Caller) -> Result<(), TestCaseError> {
        for word in WORDS {
            let found = owner.leads().list(body(json!({"q": word, "limit": "200"}))).await.unwrap().items;
            let found: BTreeSet<LeadId> = found.into_iter().map(|lead| lead.id).collect();
            let having = self.leads.values().filter(|lead| lead.name.to_lowercase().contains(word));
            prop_assert_eq!(found, having.map(|lead| lead.id).collect::<BTreeSet<_>>());
            let found = owner.deals().list(body(json!({"q": word, "limit": "200"}))).await.unwrap().items;
            let found: BTreeSet<DealId> = found.into_iter().map(|deal| deal.id).collect();
            let having = self.deals.values().filter(|deal| deal.title.to_lowercase().contains(word));
            prop_assert_eq!(found, having.map(|deal| deal.id).collect::<BTreeSet<_>>());
        }
        Ok(())
    }
}

/// No word begins another.
const WORDS: [&str; 5] = ["red", "green", "blue", "white", "yellow"];

/// A row of a file, or a record that is there before it.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    external_id: Option<u8>,
    email: Option<u8>,
    word: usize,
    value: u32,
    state: usize,
    lead: u8,
}

fn rows(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Row>> {
    let row = (
        prop::option::of(0..12u8),
        prop::option::of(0..12u8),
        0..WORDS.len(),
        0..100_000u32,
        0..4usize,
        0..6u8,
    )
        .prop_map(|(external_id, email, word, value, state, lead)| Row {
            external_id,
            email,
            word,
            value,
            state,
            lead,
        });
    prop::collection::vec(row, count)
}

/// What people do after the import. The number chooses a record among those that are there.
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    ChangeLead(usize, u32),
    DeleteLead(usize),
    Call(usize),
    Convert(usize),
    SellTo(usize),
    PlanFor(usize),
    ChangeDeal(usize, u32),
    DeleteDeal(usize),
    PlanForDeal(usize),
    /// Another file, which may be undone at once.
    Import(Vec<Row>, bool),
}

#[derive(Debug, Clone)]
pub(crate) struct Story {
    pub(crate) kind: ImportKind,
    before: Vec<Row>,
    rows: Vec<Row>,
    on_duplicate: &'static str,
    pub(crate) edits: Vec<Edit>,
}

pub(crate) fn stories() -> impl Strategy<Value = Story> {
    let pick = || 0..100usize;
    let edit = prop_oneof![
        (pick(), 0..100_000u32).prop_map(|(lead, value)| Edit::ChangeLead(lead, value)),
        pick().prop_map(Edit::DeleteLead),
        pick().prop_map(Edit::Call),
        pick().prop_map(Edit::Convert),
        pick().prop_map(Edit::SellTo),
        pick().prop_map(Edit::PlanFor),
        (pick(), 0..100_000u32).prop_map(|(deal, value)| Edit::ChangeDeal(deal, value)),
        pick().prop_map(Edit::DeleteDeal),
        pick().prop_map(Edit::PlanForDeal),
        (rows(1..6), any::<bool>()).prop_map(|(rows, is_undone)| Edit::Import(rows, is_undone)),
    ];
    (
        prop_oneof![Just(ImportKind::Leads), Just(ImportKind::Deals)],
        rows(0..8),
        rows(1..12),
        prop_oneof![Just("update"), Just("update"), Just("skip"), Just("create")],
        prop::collection::vec(edit, 0..8),
    )
        .prop_map(|(kind, before, rows, on_duplicate, edits)| Story {
            kind,
            before,
            rows,
            on_duplicate,
            edits,
        })
}

impl Story {
    pub(crate) fn options(&self) -> Value {
        json!({"onDuplicate": self.on_duplicate})
    }

    pub(crate) fn file(&self) -> String {
        written(self.kind, &self.rows)
    }
}

/// Rows as a file.
fn written(kind: ImportKind, rows: &[Row]) -> String {
    let id = |id: Option<u8>| id.map(|id| format!("X{id}")).unwrap_or_default();
    let mut file = String::new();
    match kind {
        ImportKind::Leads => {
            file.push_str("name,external id,email,value,status,source\n");
            for Row { external_id, email, word, value, state, .. } in rows {
                let email = email.map(|email| format!("e{email}@x.org")).unwrap_or_default();
                let status = ["NEW", "CONTACTED", "QUALIFIED", "LOST"][*state];
                writeln!(
                    file,
                    "{} one,{},{email},{value}.50,{status},s{state}",
                    WORDS[*word],
                    id(*external_id)
                )
                .unwrap();
            }
        }
        ImportKind::Deals => {
            file.push_str("title,external id,value,stage,lead external id\n");
            for Row { external_id, word, value, state, lead, .. } in rows {
                let stage = ["PROSPECTING", "PROPOSAL", "CLOSED_WON", "CLOSED_LOST"][*state];
                // Those that are there before the import; rows with another are rejected.
                let lead = if *lead < 4 { format!("L{lead}") } else { String::new() };
                writeln!(file, "{} one,{},{value}.50,{stage},{lead}", WORDS[*word], id(*external_id))
                    .unwrap();
            }
        }
    }
    file
}

/// Makes what is there before the import.
pub(crate) async fn begin(owner: &Caller, story: &Story) {
    let leads = "name,external id\nred lead,L0\ngreen lead,L1\nblue lead,L2\nwhite lead,L3\n";
    import(owner, ImportKind::Leads, json!({}), leads.as_bytes()).await;
    if !story.before.is_empty() {
        import(owner, story.kind, json!({}), written(story.kind, &story.before).as_bytes()).await;
    }
}

impl Edit {
    pub(crate) async fn play(&self, owner: &Caller, story: &Story) {
        let world = World::seen_by(owner).await;
        let lead = |pick: &usize| world.leads.keys().nth(pick % world.leads.len().max(1)).copied();
        let deal = |pick: &usize| world.deals.keys().nth(pick % world.deals.len().max(1)).copied();
        match self {
            Self::ChangeLead(pick, value) => {
                let Some(id) = lead(pick) else { return };
                let change = body(json!({"value": value, "name": "yellow changed"}));
                owner.leads().update(id, change, None).await.unwrap();
            }
            Self::DeleteLead(pick) => {
                let Some(id) = lead(pick) else { return };
                owner.leads().delete(id).await.unwrap();
            }
            Self::Call(pick) => {
                let Some(id) = lead(pick) else { return };
                let call = body(json!({"type": "CALL", "content": "Hello"}));
                owner.leads().add_activity(id, call).await.unwrap();
            }
            Self::Convert(pick) => {
                let Some(id) = lead(pick) else { return };
                // One that has been converted, or lost, is not converted again.
                drop(owner.leads().convert(id, body(json!({"title": "white converted"}))).await);
            }
            Self::SellTo(pick) => {
                let Some(id) = lead(pick) else { return };
                owner.deals().create(body(json!({"title": "blue sold", "leadId": id}))).await.unwrap();
            }
            Self::PlanFor(pick) => {
                let Some(id) = lead(pick) else { return };
                let task = json!({"title": "Plan", "leadId": id, "assignedToId": owner.user_id()});
                owner.tasks().create(body(task)).await.unwrap();
            }
            Self::ChangeDeal(pick, value) => {
                let Some(id) = deal(pick) else { return };
                let change = body(json!({"value": value, "title": "yellow changed"}));
                owner.deals().update(id, change, None).await.unwrap();
            }
            Self::DeleteDeal(pick) => {
                let Some(id) = deal(pick) else { return };
                owner.deals().delete(id).await.unwrap();
            }
            Self::PlanForDeal(pick) => {
                let Some(id) = deal(pick) else { return };
                let task = json!({"title": "Plan", "dealId": id, "assignedToId": owner.user_id()});
                owner.tasks().create(body(task)).await.unwrap();
            }
            Self::Import(rows, is_undone) => {
                let file = written(story.kind, rows);
                let options = json!({"onDuplicate": "update"});
                let (imported, _) = import(owner, story.kind, options, file.as_bytes()).await;
                if *is_undone {
                    crate::undo(owner, &imported).await;
                }
            }
        }
    }
}
