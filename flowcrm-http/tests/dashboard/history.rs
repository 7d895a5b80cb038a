//! Random histories of an organization, done by random members.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use flowcrm_core::env::FixedClock;
use flowcrm_core::input::Body;
use flowcrm_core::time::Timestamp;
use flowcrm_core::{Caller, ErrorCode};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::support::{Client, PASSWORD, TestServer};
use super::{SOURCES, STAGES, STATUSES, TASK_STATUSES, TEAM};

/// What a member does; records and people are chosen among those that there are.
#[derive(Debug, Clone)]
pub(super) enum Deed {
    CreateLead { status: usize, source: usize, cents: i64, owner: usize, assignee: usize },
    ChangeLead { lead: Index, status: usize, cents: i64 },
    AssignLead { lead: Index, assignee: usize },
    ConvertLead { lead: Index, stage: usize },
    DeleteLead { lead: Index },
    CreateDeal { stage: usize, cents: i64, probability: Option<u8>, owner: usize, assignee: usize },
    MoveDeal { deal: Index, stage: usize },
    ChangeDeal { deal: Index, cents: i64, probability: u8, assignee: usize },
    DeleteDeal { deal: Index },
    CreateTask { assignee: usize, status: usize, due_in_hours: Option<i64> },
    ChangeTask { task: Index, status: usize },
    ReassignTask { task: Index, assignee: usize, due_in_hours: Option<i64> },
    DeleteTask { task: Index },
}

/// Somebody does something, some time after what was done before.
#[derive(Debug, Clone)]
pub(super) struct Step {
    after_minutes: i64,
    actor: usize,
    deed: Deed,
}

#[derive(Debug, Clone)]
pub(super) struct History {
    pub(super) zone: &'static str,
    /// When it begins: weeks and months turn, and clocks change, soon after.
    begin: &'static str,
    pub(super) steps: Vec<Step>,
    /// How long after the last step the figures are looked at.
    pub(super) look_after_minutes: i64,
}

fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![1 => Just(0), 4 => 1..10_000_000_i64, 1 => Just(1_000_000_000_000_i64)]
}

fn due() -> impl Strategy<Value = Option<i64>> {
    prop::option::weighted(0.8, -200..200_i64)
}

fn deed() -> impl Strategy<Value = Deed> {
    let (record, person) = (any::<Index>, || 0..TEAM.len());
    prop_oneof![
        5 => (0..6_usize, 0..=SOURCES.len(), amount(), person(), 0..=TEAM.len())
            .prop_map(|(status, source, cents, owner, assignee)| Deed::CreateLead { status, source, cents, owner, assignee }),
        3 => (record(), 0..6_usize, amount()).prop_map(|(lead, status, cents)| Deed::ChangeLead { lead, status, cents }),
        1 => (record(), 0..=TEAM.len()).prop_map(|(lead, assignee)| Deed::AssignLead { lead, assignee }),
        3 => (record(), 0..6_usize).prop_map(|(lead, stage)| Deed::ConvertLead { lead, stage }),
        1 => record().prop_map(|lead| Deed::DeleteLead { lead }),
        4 => (0..6_usize, amount(), prop::option::of(0..=100_u8), person(), 0..=TEAM.len())
            .prop_map(|(stage, cents, probability, owner, assignee)| Deed::CreateDeal { stage, cents, probability, owner, assignee }),
        5 => (record(), 0..6_usize).prop_map(|(deal, stage)| Deed::MoveDeal { deal, stage }),
        2 => (record(), amount(), 0..=100_u8, 0..=TEAM.len())
            .prop_map(|(deal, cents, probability, assignee)| Deed::ChangeDeal { deal, cents, probability, assignee }),
        1 => record().prop_map(|deal| Deed::DeleteDeal { deal }),
        4 => (person(), 0..3_usize, due())
            .prop_map(|(assignee, status, due_in_hours)| Deed::CreateTask { assignee, status, due_in_hours }),
        4 => (record(), 0..3_usize).prop_map(|(task, status)| Deed::ChangeTask { task, status }),
        1 => (record(), person(), due())
            .prop_map(|(task, assignee, due_in_hours)| Deed::ReassignTask { task, assignee, due_in_hours }),
        1 => record().prop_map(|task| Deed::DeleteTask { task }),
    ]
}

pub(super) fn history(most: usize) -> impl Strategy<Value = History> {
    let zone = prop::sample::select(vec![
        "America/New_York",
        "Europe/Berlin",
        "Asia/Kolkata",
        "Pacific/Auckland",
        "America/St_Johns",
        "Africa/Cairo",
        "UTC",
    ]);
    let begin =
        prop::sample::select(vec!["2026-03-08T20:00:00Z", "2025-12-20T11:00:00Z", "2026-10-10T03:30:00Z"]);
    let pause = prop_oneof![3 => 0..90_i64, 3 => 90..1_440_i64, 1 => 1_440..6_000_i64];
    let step = (pause, 0..TEAM.len(), deed()).prop_map(|(after_minutes, actor, deed)| Step {
        after_minutes,
        actor,
        deed,
    });
    (zone, begin, prop::collection::vec(step, 1..most), 0..3_000_i64).prop_map(
        |(zone, begin, steps, look_after_minutes)| History { zone, begin, steps, look_after_minutes },
    )
}

/// An organization with its team, and what is in it.
pub(super) struct World {
    clock: FixedClock,
    pub(super) server_time: Timestamp,
    pub(super) owner: Client,
    pub(super) emails: Vec<String>,
    team: Vec<Caller>,
    leads: Vec<String>,
    deals: Vec<String>,
    tasks: Vec<String>,
    /// When leads were converted, which no list shows.
    pub(super) conversions: BTreeMap<String, Timestamp>,
}

fn dollars(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn body(value: Value) -> Body {
    Body::try_from(value).expect("an object")
}

impl World {
    pub(super) async fn on(
        server: &TestServer,
        clock: &FixedClock,
        number: usize,
        history: &History,
    ) -> Self {
        let server_time = history.begin.parse().expect("a moment");
        clock.set(server_time);
        let organization = format!("org-{number}");
        let owner = server.register(&organization).await;
        let reply = owner.put("/api/organization", json!({"timeZone": history.zone})).await;
        assert_eq!(reply.status, 200, "{:?}", reply.body);
        let mut emails = vec![format!("owner@{organization}.example")];
        for (number, role) in TEAM.iter().enumerate().skip(1) {
            let email = format!("{number}@{organization}.example");
            let new = json!({"name": email, "email": email, "role": role, "password": PASSWORD});
            owner.create("/api/users", new).await;
            emails.push(email);
        }
        let mut team = Vec::new();
        for email in &emails {
            team.push(server.crm.as_user_with_email(email).await.expect("a member"));
        }
        let (leads, deals, tasks) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            clock: clock.clone(),
            server_time,
            owner,
            emails,
            team,
            leads,
            deals,
            tasks,
            conversions: BTreeMap::new(),
        }
    }

    fn person(&self, index: usize) -> Value {
        self.team.get(index).map_or(Value::Null, |caller| json!(caller.user_id()))
    }

    pub(super) fn pass(&mut self, minutes: i64) {
        self.server_time = self.server_time.plus(TimeDelta::minutes(minutes));
        self.clock.set(self.server_time);
    }

    fn due(&self, in_hours: Option<i64>) -> Value {
        in_hours.map_or(Value::Null, |hours| json!(self.server_time.plus(TimeDelta::hours(hours))))
    }

    /// Does one step; what the actor may not do, or what makes no sense, is refused, and changes nothing.
    pub(super) async fn perform(&mut self, step: &Step) {
        self.pass(step.after_minutes);
        if let Err(error) = self.act(step).await {
            let is_refusal = matches!(
                error.code(),
                ErrorCode::Forbidden | ErrorCode::NotFound | ErrorCode::Conflict | ErrorCode::Invalid
            );
            assert!(is_refusal, "{step:?}: {error:?}");
        }
    }

    async fn act(&mut self, step: &Step) -> flowcrm_core::Result<()> {
        let caller = self.team[step.actor].clone();
        let (leads, deals, tasks) = (caller.leads(), caller.deals(), caller.tasks());
        match &step.deed {
            Deed::CreateLead { status, source, cents, owner, assignee } => {
                let new = json!({
                    "name": "Lead", "status": STATUSES[*status], "source": SOURCES.get(*source), "value": dollars(*cents),
                    "ownerId": self.person(*owner), "assignedToId": self.person(*assignee),
                });
                self.leads.push(leads.create(body(new)).await?.id.to_string());
            }
            Deed::ChangeLead { lead, status, cents } if !self.leads.is_empty() => {
                let patch = json!({"status": STATUSES[*status], "value": dollars(*cents)});
                leads.update(chosen(*lead, &self.leads), body(patch), None).await?;
            }
            Deed::AssignLead { lead, assignee } if !self.leads.is_empty() => {
                let assign = json!({"assignedToId": self.person(*assignee)});
                leads.assign(chosen(*lead, &self.leads), body(assign)).await?;
            }
            Deed::ConvertLead { lead, stage } if !self.leads.is_empty() => {
                let lead = lead.get(&self.leads);
                let conversion = leads.convert(id(lead), body(json!({"stage": STAGES[*stage]}))).await?;
                self.conversions.insert(lead.clone(), self.server_time);
                self.deals.push(conversion.deal.id.to_string());
            }
            Deed::DeleteLead { lead } if !self.leads.is_empty() => {
                let index = lead.index(self.leads.len());
                leads.delete(id(&self.leads[index])).await?;
                self.leads.swap_remove(index);
            }
            Deed::CreateDeal { stage, cents, probability, owner, assignee } => {
                let new = json!({
                    "title": "Deal", "stage": STAGES[*stage], "value": dollars(*cents), "probability": probability,
                    "ownerId": self.person(*owner), "assignedToId": self.person(*assignee),
                });
                self.deals.push(deals.create(body(new)).await?.id.to_string());
            }
            Deed::MoveDeal { deal, stage } if !self.deals.is_empty() => {
                deals
                    .update(chosen(*deal, &self.deals), body(json!({"stage": STAGES[*stage]})), None)
                    .await?;
            }
            Deed::ChangeDeal { deal, cents, probability, assignee } if !self.deals.is_empty() => {
                let patch = json!({
                    "value": dollars(*cents), "probability": probability, "assignedToId": self.person(*assignee),
                });
                deals.update(chosen(*deal, &self.deals), body(patch), None).await?;
            }
            Deed::DeleteDeal { deal } if !self.deals.is_empty() => {
                let index = deal.index(self.deals.len());
                deals.delete(id(&self.deals[index])).await?;
                self.deals.swap_remove(index);
            }
            Deed::CreateTask { assignee, status, due_in_hours } => {
                let new = json!({
                    "title": "Task", "assignedToId": self.person(*assignee), "status": TASK_STATUSES[*status],
                    "dueDate": self.due(*due_in_hours),
                });
                self.tasks.push(tasks.create(body(new)).await?.id.to_string());
            }
            Deed::ChangeTask { task, status } if !self.tasks.is_empty() => {
                let patch = json!({"status": TASK_STATUSES[*status]});
                tasks.update(chosen(*task, &self.tasks), body(patch), None).await?;
            }
            Deed::ReassignTask { task, assignee, due_in_hours } if !self.tasks.is_empty() => {
                let patch =
                    json!({"assignedToId": self.person(*assignee), "dueDate": self.due(*due_in_hours)});
                tasks.update(chosen(*task, &self.tasks), body(patch), None).await?;
            }
            Deed::DeleteTask { task } if !self.tasks.is_empty() => {
                let index = task.index(self.tasks.len());
                tasks.delete(id(&self.tasks[index])).await?;
                self.tasks.swap_remove(index);
            }
            _ => {}
        }
        Ok(())
    }
}

fn chosen<T: std::str::FromStr<Err: std::fmt::Debug>>(index: Index, ids: &[String]) -> T {
    id(index.get(ids).as_str())
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("an id")
}
