//! The figures agree with the lists, for every role, on each engine.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod support;

use flowcrm_core::dashboard::{FeedQuery, OverdueQuery};
use flowcrm_core::deals::{DealPatch, DealQuery, DealStage, NewDeal};
use flowcrm_core::env::{Env, FixedClock};
use flowcrm_core::leads::{ConvertLead, LeadPatch, LeadQuery, LeadStatus, NewLead};
use flowcrm_core::organizations::UpdateOrganization;
use flowcrm_core::page::Listing;
use flowcrm_core::tasks::{NewTask, TaskPatch, TaskQuery, TaskStatus};
use flowcrm_core::{Caller, ErrorCode, demo};
use support::TestDatabase;

const TEAM: [&str; 4] =
    ["owner@techcorp.com", "admin@techcorp.com", "manager@techcorp.com", "sales1@techcorp.com"];

/// How many leads, deals, tasks and overdue tasks the lists have.
async fn lengths(caller: &Caller) -> [u64; 4] {
    fn counted<K: flowcrm_core::page::SortKey>() -> Listing<K> {
        Listing { limit: 1, count: true, ..Listing::default() }
    }
    let leads = caller.leads().list(LeadQuery { list: counted(), ..LeadQuery::default() }).await.unwrap();
    let deals = caller.deals().list(DealQuery { list: counted(), ..DealQuery::default() }).await.unwrap();
    let tasks = TaskQuery { list: counted(), ..TaskQuery::default() };
    let overdue = TaskQuery { overdue: Some(true), ..tasks.clone() };
    let tasks = caller.tasks().list(tasks).await.unwrap();
    let overdue = caller.tasks().list(overdue).await.unwrap();
    [leads.total, deals.total, tasks.total, overdue.total].map(Option::unwrap)
}

#[tokio::test]
async fn figures_count_what_the_viewer_may_list() {
    for database in TestDatabase::on_each_engine().await {
        let clock = FixedClock::at("2026-03-18T12:00:00Z".parse().unwrap());
        let crm = database.crm_in(Env::seeded(clock, 1)).await;
        demo::seed(&crm).await.unwrap();
        let mut seen = Vec::new();
        for email in TEAM {
            let caller = crm.as_user_with_email(email).await.unwrap();
            let [leads, deals, tasks, overdue] = lengths(&caller).await;
            let figures = caller.dashboard();
            let stats = figures.stats().await.unwrap();
            assert_eq!(
                [stats.total_leads, stats.total_deals, stats.total_tasks],
                [leads, deals, tasks],
                "{email}"
            );
            let statuses = figures.lead_status().await.unwrap();
            assert_eq!(statuses.iter().map(|status| status.count).sum::<u64>(), leads);
            let sources = figures.lead_sources().await.unwrap();
            assert_eq!(sources.iter().map(|source| source.count).sum::<u64>(), leads);
            let stages = figures.pipeline().await.unwrap();
            assert_eq!(stages.iter().map(|stage| stage.count).sum::<u64>(), deals);
            let open = stages.iter().filter(|stage| !stage.stage.is_closed());
            assert_eq!(open.map(|stage| stage.value.minor()).sum::<i64>(), stats.pipeline_value.minor());
            let task_statuses = figures.task_status().await.unwrap();
            assert_eq!(task_statuses.iter().map(|status| status.count).sum::<u64>(), tasks);
            assert_eq!(stats.open_tasks, task_statuses[0].count + task_statuses[1].count);
            let late = figures.overdue_tasks(OverdueQuery { limit: Some(200) }).await.unwrap();
            assert_eq!(late.len() as u64, overdue);
            assert!(late.is_sorted_by_key(|task| task.due_date));
            assert_eq!(figures.activity(FeedQuery::default()).await.unwrap().len(), 20);
            seen.push(leads);
        }
        assert!(seen[0] == seen[2] && seen[3] < seen[0], "{seen:?}");
    }
}

#[tokio::test]
async fn the_team_earns_what_the_organization_does() {
    for database in TestDatabase::on_each_engine().await {
        let clock = FixedClock::at("2026-03-18T12:00:00Z".parse().unwrap());
        let crm = database.crm_in(Env::seeded(clock, 1)).await;
        demo::seed(&crm).await.unwrap();
        let manager = crm.as_user_with_email(TEAM[2]).await.unwrap();
        let stats = manager.dashboard().stats().await.unwrap();
        let team = manager.dashboard().team_performance().await.unwrap();
        assert_eq!(team.len(), 4);
        let revenue = team.iter().map(|member| member.revenue.minor()).sum::<i64>();
        assert_eq!(revenue, stats.deal_value_this_month.minor());
        assert_eq!(team.iter().map(|member| member.deals_won).sum::<u64>(), stats.deals_won_this_month);
        assert!(revenue > 0 && team.is_sorted_by_key(|member| -member.revenue.minor()));
        let sales = crm.as_user_with_email(TEAM[3]).await.unwrap();
        assert_eq!(sales.dashboard().team_performance().await.unwrap_err().code(), ErrorCode::Forbidden);
    }
}

/// What happened on the last day: leads, converted, deals won, revenue, tasks completed, tasks due.
async fn today(caller: &Caller) -> (String, [u64; 5], i64) {
    let week = caller.dashboard().weekly().await.unwrap();
    assert_eq!(week.days.len(), 7);
    let day = &week.days[6];
    let counts = [day.leads, day.converted, day.deals_won, day.tasks_completed, day.tasks_due];
    (day.date.to_string(), counts, day.revenue.minor())
}

#[tokio::test]
async fn a_day_is_the_organizations() {
    for database in TestDatabase::on_each_engine().await {
        let clock = FixedClock::at("2026-03-18T12:00:00Z".parse().unwrap());
        let crm = database.crm_in(Env::seeded(clock.clone(), 1)).await;
        demo::seed(&crm).await.unwrap();
        let owner = crm.as_user_with_email("owner@startuphub.com").await.unwrap();
        let zone = UpdateOrganization {
            time_zone: "Pacific/Auckland".parse().ok(),
            ..UpdateOrganization::default()
        };
        owner.organization().update(zone, None).await.unwrap();

        // 1 April is a Wednesday: one minute before midnight in Auckland, then one after.
        clock.set("2026-03-31T10:59:00Z".parse().unwrap());
        let lead = owner.leads().create(NewLead { name: "Ada".into(), ..NewLead::default() }).await.unwrap();
        let by_hand =
            owner.leads().create(NewLead { name: "Bob".into(), ..NewLead::default() }).await.unwrap();
        let value = "1000".parse().ok();
        let deal =
            owner.deals().create(NewDeal { title: "D".into(), value, ..NewDeal::default() }).await.unwrap();
        let due_date = "2026-03-31T11:30:00Z".parse().ok();
        let task = NewTask { due_date, ..NewTask::new("T", owner.user_id()) };
        let task = owner.tasks().create(task).await.unwrap();
        assert_eq!(today(&owner).await, ("2026-03-31".into(), [2, 0, 0, 0, 0], 0), "{}", database.engine);
        let march = owner.dashboard().stats().await.unwrap();

        clock.set("2026-03-31T11:01:00Z".parse().unwrap());
        owner.leads().convert(lead.id, ConvertLead::default()).await.unwrap();
        let won = LeadPatch { status: Some(LeadStatus::Won), ..LeadPatch::default() };
        owner.leads().update(by_hand.id, won, None).await.unwrap();
        let won = DealPatch { stage: Some(DealStage::ClosedWon), ..DealPatch::default() };
        owner.deals().update(deal.id, won, None).await.unwrap();
        let done = TaskPatch { status: Some(TaskStatus::Done), ..TaskPatch::default() };
        owner.tasks().update(task.id, done, None).await.unwrap();
        assert_eq!(
            today(&owner).await,
            ("2026-04-01".into(), [0, 1, 1, 1, 1], 100_000),
            "{}",
            database.engine
        );

        let april = owner.dashboard().stats().await.unwrap();
        assert_eq!((april.deals_won_this_month, april.deal_value_this_month.minor()), (1, 100_000));
        assert_eq!(april.previous.deals_won_last_month, march.deals_won_this_month);
        assert_eq!(april.previous.deal_value_last_month, march.deal_value_this_month);
        assert_eq!((april.leads_this_week, april.previous.leads_last_week), (2, 0));
    }
}
