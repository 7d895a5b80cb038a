//! Every figure of the dashboard equals a recount over the lists that the same viewer walks, for each role, after
//! random histories over some weeks, in time zones whose midnights are not UTC's and move with the seasons.
//!
//! `FLOWCRM_PROOF=long` tries many more histories and prints what was counted.
mod support;

use std::cell::Cell;
use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeDelta};
use chrono_tz::Tz;
use flowcrm_core::env::FixedClock;
use flowcrm_core::input::Body;
use flowcrm_core::time::Timestamp;
use flowcrm_core::{Caller, ErrorCode};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use serde_json::{Value, json};
use support::{Client, TestServer, cents};

const STATUSES: [&str; 6] = ["NEW", "CONTACTED", "QUALIFIED", "PROPOSAL", "WON", "LOST"];
const STAGES: [&str; 6] =
    ["QUALIFICATION", "DISCOVERY", "PROPOSAL", "NEGOTIATION", "CLOSED_WON", "CLOSED_LOST"];
const TASK_STATUSES: [&str; 3] = ["TODO", "IN_PROGRESS", "DONE"];
const SOURCES: [&str; 5] = ["Website", "Referral", "referral", "Straße", "Ärzteblatt"];
/// One of each role but SALES, of which there are two.
const TEAM: [&str; 5] = ["OWNER", "ADMIN", "MANAGER", "SALES", "SALES"];

/// What a member does; records and people are chosen among those that there are.
#[derive(Debug, Clone)]
enum Deed {
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
struct Step {
    after_minutes: i64,
    actor: usize,
    deed: Deed,
}

#[derive(Debug, Clone)]
struct History {
    zone: &'static str,
    /// When it begins: weeks and months turn, and clocks change, soon after.
    begin: &'static str,
    steps: Vec<Step>,
    /// How long after the last step the figures are looked at.
    look_after_minutes: i64,
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

fn history(most: usize) -> impl Strategy<Value = History> {
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
struct World {
    clock: FixedClock,
    server_time: Timestamp,
    owner: Client,
    emails: Vec<String>,
    team: Vec<Caller>,
    leads: Vec<String>,
    deals: Vec<String>,
    tasks: Vec<String>,
    /// When leads were converted, which no list shows.
    conversions: BTreeMap<String, Timestamp>,
}

fn dollars(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn body(value: Value) -> Body {
    Body::try_from(value).expect("an object")
}

impl World {
    async fn on(server: &TestServer, clock: &FixedClock, number: usize, history: &History) -> Self {
        let server_time = history.begin.parse().expect("a moment");
        clock.set(server_time);
        let organization = format!("org-{number}");
        let owner = server.register(&organization).await;
        let reply = owner.put("/api/organization", json!({"timeZone": history.zone})).await;
        assert_eq!(reply.status, 200, "{:?}", reply.body);
        let mut emails = vec![format!("owner@{organization}.example")];
        for (number, role) in TEAM.iter().enumerate().skip(1) {
            let email = format!("{number}@{organization}.example");
            let new = json!({"name": email, "email": email, "role": role, "password": support::PASSWORD});
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

    fn pass(&mut self, minutes: i64) {
        self.server_time = self.server_time.plus(TimeDelta::minutes(minutes));
        self.clock.set(self.server_time);
    }

    fn due(&self, in_hours: Option<i64>) -> Value {
        in_hours.map_or(Value::Null, |hours| json!(self.server_time.plus(TimeDelta::hours(hours))))
    }

    /// Does one step; what the actor may not do, or what makes no sense, is refused, and changes nothing.
    async fn perform(&mut self, step: &Step) {
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
                leads.update(chosen(lead, &self.leads), body(patch), None).await?;
            }
            Deed::AssignLead { lead, assignee } if !self.leads.is_empty() => {
                let assign = json!({"assignedToId": self.person(*assignee)});
                leads.assign(chosen(lead, &self.leads), body(assign)).await?;
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
                deals.update(chosen(deal, &self.deals), body(json!({"stage": STAGES[*stage]})), None).await?;
            }
            Deed::ChangeDeal { deal, cents, probability, assignee } if !self.deals.is_empty() => {
                let patch = json!({
                    "value": dollars(*cents), "probability": probability, "assignedToId": self.person(*assignee),
                });
                deals.update(chosen(deal, &self.deals), body(patch), None).await?;
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
                tasks.update(chosen(task, &self.tasks), body(patch), None).await?;
            }
            Deed::ReassignTask { task, assignee, due_in_hours } if !self.tasks.is_empty() => {
                let patch =
                    json!({"assignedToId": self.person(*assignee), "dueDate": self.due(*due_in_hours)});
                tasks.update(chosen(task, &self.tasks), body(patch), None).await?;
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

fn chosen<T: std::str::FromStr<Err: std::fmt::Debug>>(index: &Index, ids: &[String]) -> T {
    id(index.get(ids).as_str())
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("an id")
}

/// The lists as a viewer walks them, and the calendar on the organization's wall.
struct Recount {
    leads: Vec<Value>,
    deals: Vec<Value>,
    tasks: Vec<Value>,
    zone: Tz,
    now: Timestamp,
}

fn sum<'a>(records: impl Iterator<Item = &'a Value>) -> i64 {
    records.map(|record| cents(&record["value"])).sum()
}

impl Recount {
    async fn of(viewer: &Client, world: &World, zone: &str) -> Self {
        Self {
            leads: viewer.walk("/api/leads?limit=200").await,
            deals: viewer.walk("/api/deals?limit=200").await,
            tasks: viewer.walk("/api/tasks?limit=200").await,
            zone: zone.parse().expect("a time zone"),
            now: world.server_time,
        }
    }

    fn date_of(&self, moment: Timestamp) -> NaiveDate {
        moment.to_utc().with_timezone(&self.zone).date_naive()
    }

    /// The date that a moment of a record had where the organization is.
    fn date(&self, moment: &Value) -> Option<NaiveDate> {
        let moment = DateTime::parse_from_rfc3339(moment.as_str()?).expect("a moment");
        Some(moment.with_timezone(&self.zone).date_naive())
    }

    fn today(&self) -> NaiveDate {
        self.date_of(self.now)
    }

    fn is_in_week(&self, moment: &Value, weeks_ago: u64) -> bool {
        let week = (self.today() - Days::new(7 * weeks_ago)).iso_week();
        self.date(moment).is_some_and(|date| date.iso_week() == week)
    }

    fn is_in_month(&self, moment: &Value, months_ago: u32) -> bool {
        let month = self.today() - Months::new(months_ago);
        self.date(moment).is_some_and(|date| (date.year(), date.month()) == (month.year(), month.month()))
    }

    fn won(&self) -> impl Iterator<Item = &Value> {
        self.deals.iter().filter(|deal| deal["stage"] == "CLOSED_WON")
    }

    fn won_in_month(&self, months_ago: u32) -> Vec<&Value> {
        self.won().filter(|deal| self.is_in_month(&deal["closedAt"], months_ago)).collect()
    }

    fn check_stats(&self, stats: &Value) -> Result<(), TestCaseError> {
        let count = |name: &str| stats[name].as_u64();
        let of = |count: usize| Some(count as u64);
        prop_assert_eq!(count("totalLeads"), of(self.leads.len()));
        prop_assert_eq!(count("totalDeals"), of(self.deals.len()));
        prop_assert_eq!(count("totalTasks"), of(self.tasks.len()));
        prop_assert_eq!(
            count("openTasks"),
            of(self.tasks.iter().filter(|task| task["status"] != "DONE").count())
        );
        let new = |weeks_ago| {
            self.leads.iter().filter(|lead| self.is_in_week(&lead["createdAt"], weeks_ago)).count()
        };
        prop_assert_eq!(count("leadsThisWeek"), of(new(0)));
        prop_assert_eq!(stats["previous"]["leadsLastWeek"].as_u64(), of(new(1)));
        let (this_month, last_month) = (self.won_in_month(0), self.won_in_month(1));
        prop_assert_eq!(count("dealsWonThisMonth"), of(this_month.len()));
        prop_assert_eq!(cents(&stats["dealValueThisMonth"]), sum(this_month.into_iter()));
        prop_assert_eq!(stats["previous"]["dealsWonLastMonth"].as_u64(), of(last_month.len()));
        prop_assert_eq!(cents(&stats["previous"]["dealValueLastMonth"]), sum(last_month.into_iter()));
        let open = self.deals.iter().filter(|deal| deal["closedAt"].is_null());
        prop_assert_eq!(cents(&stats["pipelineValue"]), sum(open));
        let won = self.leads.iter().filter(|lead| lead["status"] == "WON").count();
        #[expect(clippy::cast_precision_loss, reason = "there are few leads")]
        let percent = 100.0 * won as f64 / self.leads.len().max(1) as f64;
        let rate = stats["conversionRate"].as_u64().map(|rate| rate.to_string());
        prop_assert_eq!(rate, Some(format!("{}", percent.round())));
        Ok(())
    }

    fn check_weekly(
        &self,
        weekly: &Value,
        conversions: &BTreeMap<String, Timestamp>,
    ) -> Result<(), TestCaseError> {
        let days = weekly["days"].as_array().map(Vec::as_slice).unwrap_or_default();
        prop_assert_eq!(days.len(), 7);
        for (day, ago) in days.iter().zip((0..7).rev()) {
            let date = self.today() - Days::new(ago);
            let on = |records: &[Value], field: &str| {
                records.iter().filter(|record| self.date(&record[field]) == Some(date)).count() as u64
            };
            prop_assert_eq!(&day["date"], &json!(date.to_string()));
            prop_assert_eq!(day["leads"].as_u64(), Some(on(&self.leads, "createdAt")), "leads on {}", date);
            let converted = |lead: &&Value| {
                let at = conversions.get(lead["id"].as_str().unwrap_or_default());
                at.is_some_and(|at| self.date_of(*at) == date)
            };
            let converted = self.leads.iter().filter(converted).count() as u64;
            prop_assert_eq!(day["converted"].as_u64(), Some(converted), "converted on {}", date);
            let won: Vec<_> = self.won().filter(|deal| self.date(&deal["closedAt"]) == Some(date)).collect();
            prop_assert_eq!(day["dealsWon"].as_u64(), Some(won.len() as u64), "won on {}", date);
            prop_assert_eq!(cents(&day["revenue"]), sum(won.into_iter()), "revenue on {}", date);
            prop_assert_eq!(
                day["tasksCompleted"].as_u64(),
                Some(on(&self.tasks, "completedAt")),
                "done on {}",
                date
            );
            prop_assert_eq!(day["tasksDue"].as_u64(), Some(on(&self.tasks, "dueDate")), "due on {}", date);
        }
        Ok(())
    }

    fn check_counts(&self, pipeline: &Value, statuses: &Value, tasks: &Value) -> Result<(), TestCaseError> {
        let stages = STAGES.map(|stage| {
            let deals = || self.deals.iter().filter(move |deal| deal["stage"] == stage);
            let hundredths: i128 = deals()
                .map(|deal| {
                    i128::from(cents(&deal["value"]))
                        * i128::from(deal["probability"].as_u64().unwrap_or_default())
                })
                .sum();
            (stage, deals().count() as u64, sum(deals()), (hundredths + 50) / 100)
        });
        let found = pipeline.as_array().expect("a list").iter().map(|figure| {
            let stage = figure["stage"].as_str().expect("a stage");
            let weighted = i128::from(cents(&figure["weightedValue"]));
            (stage, figure["count"].as_u64().expect("a count"), cents(&figure["value"]), weighted)
        });
        prop_assert_eq!(found.collect::<Vec<_>>(), stages.to_vec());

        let expected = STATUSES.map(|status| {
            let leads = || self.leads.iter().filter(move |lead| lead["status"] == status);
            (status, leads().count() as u64, sum(leads()))
        });
        let found = statuses.as_array().expect("a list").iter().map(|figure| {
            let status = figure["status"].as_str().expect("a status");
            (status, figure["count"].as_u64().expect("a count"), cents(&figure["value"]))
        });
        prop_assert_eq!(found.collect::<Vec<_>>(), expected.to_vec());

        let expected = TASK_STATUSES
            .map(|status| json!({"status": status, "count": self.tasks.iter().filter(|task| task["status"] == status).count()}));
        prop_assert_eq!(tasks, &json!(expected));
        Ok(())
    }

    fn check_sources(&self, sources: &Value) -> Result<(), TestCaseError> {
        let mut counts: BTreeMap<Option<&str>, u64> = BTreeMap::new();
        for lead in &self.leads {
            *counts.entry(lead["source"].as_str()).or_default() += 1;
        }
        let found = sources.as_array().expect("a list").iter();
        let found: Vec<_> = found
            .map(|figure| (figure["source"].as_str(), figure["count"].as_u64().expect("a count")))
            .collect();
        prop_assert_eq!(&found.iter().copied().collect::<BTreeMap<_, _>>(), &counts);
        prop_assert_eq!(found.len(), counts.len());
        let (named, unnamed): (Vec<_>, Vec<_>) = found.iter().partition(|(source, _)| source.is_some());
        prop_assert!(named.is_sorted_by(|(_, one), (_, next)| one >= next), "largest first: {:?}", found);
        prop_assert!(
            unnamed.is_empty() || found.last().is_some_and(|(source, _)| source.is_none()),
            "null last: {:?}",
            found
        );
        Ok(())
    }

    fn check_overdue(&self, overdue: &Value) -> Result<(), TestCaseError> {
        let is_overdue = |task: &&Value| {
            let due = task["dueDate"].as_str().map(|due| due.parse::<Timestamp>().expect("a moment"));
            task["status"] != "DONE" && due.is_some_and(|due| due < self.now)
        };
        let mut expected: Vec<_> = self.tasks.iter().filter(is_overdue).collect();
        expected.sort_by_key(|task| (task["dueDate"].to_string(), task["id"].to_string()));
        let overdue = overdue.as_array().expect("a list");
        prop_assert_eq!(overdue.iter().collect::<Vec<_>>(), expected);
        Ok(())
    }

    fn check_team(&self, team: &Value, users: &[Value]) -> Result<(), TestCaseError> {
        let team = team.as_array().expect("a list");
        prop_assert_eq!(team.len(), users.len());
        prop_assert!(
            team.is_sorted_by_key(|member| -cents(&member["revenue"])),
            "most revenue first: {:?}",
            team
        );
        for user in users {
            let member =
                team.iter().find(|member| member["userId"] == user["id"]).expect("every active member");
            let owned = |record: &&Value| record["ownerId"] == user["id"];
            let new = |records: &[Value]| {
                records
                    .iter()
                    .filter(owned)
                    .filter(|record| self.is_in_month(&record["createdAt"], 0))
                    .count()
            };
            let won: Vec<_> = self.won_in_month(0).into_iter().filter(|deal| owned(deal)).collect();
            let done = self.tasks.iter().filter(|task| task["assignedToId"] == user["id"]);
            let done = done.filter(|task| self.is_in_month(&task["completedAt"], 0)).count();
            prop_assert_eq!((&member["name"], &member["role"]), (&user["name"], &user["role"]));
            let found = ["leads", "deals", "dealsWon", "tasksCompleted"].map(|name| member[name].as_u64());
            let expected =
                [new(&self.leads), new(&self.deals), won.len(), done].map(|count| Some(count as u64));
            prop_assert_eq!(found, expected, "{}", member);
            prop_assert_eq!(cents(&member["revenue"]), sum(won.into_iter()));
        }
        Ok(())
    }
}

/// How much was counted in all histories.
#[derive(Default)]
struct Figures {
    histories: Cell<usize>,
    steps: Cell<usize>,
    records: Cell<usize>,
    views: Cell<usize>,
}

fn add(figure: &Cell<usize>, count: usize) {
    figure.set(figure.get() + count);
}

async fn hold(
    server: &TestServer,
    clock: &FixedClock,
    number: usize,
    history: &History,
    figures: &Figures,
) -> Result<(), TestCaseError> {
    let mut world = World::on(server, clock, number, history).await;
    for step in &history.steps {
        world.perform(step).await;
    }
    world.pass(history.look_after_minutes);
    add(&figures.histories, 1);
    add(&figures.steps, history.steps.len());
    for (email, role) in world.emails.iter().zip(TEAM) {
        let viewer = world.owner.sign_in(email).await;
        let figure = async |name: &str| {
            let reply = viewer.get(&format!("/api/dashboard/{name}")).await;
            assert_eq!(reply.status, 200, "{name}: {:?}", reply.body);
            reply.body
        };
        let recount = Recount::of(&viewer, &world, history.zone).await;
        recount.check_stats(&figure("stats").await)?;
        recount.check_weekly(&figure("weekly").await, &world.conversions)?;
        recount.check_counts(
            &figure("pipeline").await,
            &figure("lead-status").await,
            &figure("task-status").await,
        )?;
        recount.check_sources(&figure("lead-sources").await)?;
        recount.check_overdue(&figure("overdue-tasks?limit=200").await)?;
        if role != "SALES" {
            recount.check_team(&figure("team-performance").await, &viewer.walk("/api/users").await)?;
        }
        add(&figures.views, 1);
        add(&figures.records, recount.leads.len() + recount.deals.len() + recount.tasks.len());
    }
    Ok(())
}

#[test]
fn every_figure_equals_a_recount_over_the_lists_of_the_same_viewer() {
    let is_long = std::env::var("FLOWCRM_PROOF").is_ok_and(|proof| proof == "long");
    let (cases, most) = if is_long { (200, 150) } else { (8, 70) };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for (server, clock) in runtime.block_on(TestServer::on_each_engine_at("2026-03-15T10:00:00Z")) {
        let engine = server.database.engine;
        let (figures, number) = (Figures::default(), Cell::new(0));
        let config = Config { cases, failure_persistence: None, max_shrink_iters: 60, ..Config::default() };
        let outcome = TestRunner::new(config).run(&history(most), |history| {
            number.set(number.get() + 1);
            runtime.block_on(hold(&server, &clock, number.get(), &history, &figures))
        });
        if let Err(TestError::Fail(reason, history)) = outcome {
            panic!("{engine}: {reason}\nof {history:#?}");
        }
        outcome.expect("histories to try");
        let Figures { histories, steps, records, views } = figures;
        assert!(records.get() > 0, "{engine}: nothing was counted");
        if is_long {
            eprintln!(
                "{engine}: {} histories of {} steps, {} views, {} records recounted: every figure equal",
                histories.get(),
                steps.get(),
                views.get(),
                records.get(),
            );
        }
    }
}
