//! The demo data, on each engine.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod support;

use flowcrm_core::auth::{Register, SignIn};
use flowcrm_core::dashboard::OverdueQuery;
use flowcrm_core::deals::DealStage;
use flowcrm_core::demo::{self, Seeded};
use flowcrm_core::env::{Env, FixedClock};
use flowcrm_core::events::LoggedEvent;
use flowcrm_core::leads::LeadStatus;
use flowcrm_core::log::EventQuery;
use flowcrm_core::{Crm, ErrorCode, Origin};
use support::TestDatabase;

/// A Wednesday in the middle of a month.
const NOW: &str = "2026-03-18T12:00:00Z";

async fn crm_at(database: &TestDatabase, now: &str) -> Crm {
    database.crm_in(Env::seeded(FixedClock::at(now.parse().unwrap()), 1)).await
}

async fn story_of(crm: &Crm, email: &str) -> Vec<LoggedEvent> {
    let owner = crm.as_user_with_email(email).await.unwrap();
    let mut story: Vec<LoggedEvent> = Vec::new();
    loop {
        let after = story.last().map(|event| event.position);
        let events = owner.events().list(EventQuery { after, limit: Some(1_000) }).await.unwrap();
        if events.is_empty() {
            return story;
        }
        story.extend(events);
    }
}

#[tokio::test]
async fn the_same_story_is_told_on_every_run_and_engine() {
    let mut first: Option<Vec<LoggedEvent>> = None;
    for database in [TestDatabase::sqlite()].into_iter().chain(TestDatabase::on_each_engine().await) {
        let crm = crm_at(&database, NOW).await;
        assert_eq!(demo::seed(&crm).await.unwrap(), Seeded::Now);
        let mut story = Vec::new();
        for email in ["owner@techcorp.com", "owner@startuphub.com", "admin@example.com"] {
            story.extend(story_of(&crm, email).await);
        }
        match &first {
            Some(first) => assert!(*first == story, "another story on {}", database.engine),
            None => first = Some(story),
        }
    }
}

#[tokio::test]
async fn the_story_goes_through_two_months_up_to_the_present() {
    for now in [NOW, "2026-01-01T00:00:01Z", "2024-02-29T23:59:59Z"] {
        let database = TestDatabase::sqlite();
        let crm = crm_at(&database, now).await;
        demo::seed(&crm).await.unwrap();
        let story = story_of(&crm, "owner@techcorp.com").await;
        assert!(story.is_sorted_by_key(|event| event.created_at), "{now}");
        let (first, last) = (story.first().unwrap().created_at, story.last().unwrap().created_at);
        assert_eq!(crm.env().now().since(first).num_days(), 60, "{now}");
        assert!(last <= crm.env().now() && crm.env().now().since(last).num_days() < 2, "{now}: {last}");
        let owner = crm.as_user_with_email("owner@techcorp.com").await.unwrap();
        let stages = owner.dashboard().pipeline().await.unwrap();
        assert!(stages.iter().all(|figures| figures.count > 0), "{now}: {stages:?}");
        assert_eq!(stages.len(), DealStage::ALL.len());
        let statuses = owner.dashboard().lead_status().await.unwrap();
        assert!(statuses.iter().all(|figures| figures.count > 0), "{now}: {statuses:?}");
        assert_eq!(statuses.len(), LeadStatus::ALL.len());
        assert!(owner.dashboard().stats().await.unwrap().open_tasks > 0);
        assert!(!owner.dashboard().overdue_tasks(OverdueQuery::default()).await.unwrap().is_empty(), "{now}");
    }
}

#[tokio::test]
async fn all_six_may_sign_in_and_seeding_again_does_nothing() {
    for database in TestDatabase::on_each_engine().await {
        let crm = crm_at(&database, NOW).await;
        assert!(!demo::is_present(&crm).await.unwrap());
        demo::seed(&crm).await.unwrap();
        let emails = [
            "owner@techcorp.com",
            "admin@techcorp.com",
            "manager@techcorp.com",
            "sales1@techcorp.com",
            "owner@startuphub.com",
            "admin@example.com",
        ];
        for email in emails {
            let sign_in =
                SignIn { email: email.parse().unwrap(), password: "password".into(), two_factor_token: None };
            crm.sign_in(sign_in, &Origin::default()).await.unwrap();
        }
        let before = story_of(&crm, emails[0]).await;
        assert_eq!(demo::seed(&crm).await.unwrap(), Seeded::Before);
        assert!(demo::is_present(&crm).await.unwrap());
        assert_eq!(story_of(&crm, emails[0]).await.len(), before.len());
    }
}

#[tokio::test]
async fn a_database_in_use_is_refused() {
    let database = TestDatabase::sqlite();
    let crm = database.crm().await;
    let register = Register {
        name: "Ada".into(),
        email: "ada@example.org".parse().unwrap(),
        password: "a good password".into(),
        org_name: "Analytical Engines".into(),
    };
    crm.register(register, &Origin::default()).await.unwrap();
    assert_eq!(demo::seed(&crm).await.unwrap_err().code(), ErrorCode::Conflict);
    assert!(!demo::is_present(&crm).await.unwrap());
}
