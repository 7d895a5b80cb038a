//! The figures, recounted over the lists that a viewer walks.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate};
use chrono_tz::Tz;
use flowcrm_core::time::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde_json::{Value, json};

use super::history::World;
use super::support::{Client, cents};
use super::{STAGES, STATUSES, TASK_STATUSES};

/// The lists as a viewer walks them, and the calendar on the organization's wall.
pub(super) struct Recount {
    pub(super) leads: Vec<Value>,
    pub(super) deals: Vec<Value>,
    pub(super) tasks: Vec<Value>,
    zone: Tz,
    now: Timestamp,
}

fn sum<'a>(records: impl Iterator<Item = &'a Value>) -> i64 {
    records.map(|record| cents(&record["value"])).sum()
}

impl Recount {
    pub(super) async fn of(viewer: &Client, world: &World, zone: &str) -> Self {
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

    pub(super) fn check_stats(&self, stats: &Value) -> Result<(), TestCaseError> {
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

    pub(super) fn check_weekly(
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

    pub(super) fn check_counts(
        &self,
        pipeline: &Value,
        statuses: &Value,
        tasks: &Value,
    ) -> Result<(), TestCaseError> {
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

    pub(super) fn check_sources(&self, sources: &Value) -> Result<(), TestCaseError> {
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

    pub(super) fn check_overdue(&self, overdue: &Value) -> Result<(), TestCaseError> {
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

    pub(super) fn check_team(&self, team: &Value, users: &[Value]) -> Result<(), TestCaseError> {
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
