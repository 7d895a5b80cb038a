//! Every figure of the dashboard equals a recount over the lists that the same viewer walks, for each role, after
//! random histories over some weeks, in time zones whose midnights are not UTC's and move with the seasons.
//!
//! `FLOWCRM_PROOF=long` tries many more histories; `FLOWCRM_FIGURES` names a file for what was counted.
mod support;

#[path = "dashboard/history.rs"]
mod history;
#[path = "dashboard/recount.rs"]
mod recount;

use std::cell::Cell;

use flowcrm_core::env::FixedClock;
use history::{History, World, history};
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use recount::Recount;
use serde_json::json;
use support::{TestServer, proof};

const STATUSES: [&str; 6] = ["NEW", "CONTACTED", "QUALIFIED", "PROPOSAL", "WON", "LOST"];
const STAGES: [&str; 6] =
    ["QUALIFICATION", "DISCOVERY", "PROPOSAL", "NEGOTIATION", "CLOSED_WON", "CLOSED_LOST"];
const TASK_STATUSES: [&str; 3] = ["TODO", "IN_PROGRESS", "DONE"];
const SOURCES: [&str; 5] = ["Website", "Referral", "referral", "Straße", "Ärzteblatt"];
/// One of each role but SALES, of which there are two.
const TEAM: [&str; 5] = ["OWNER", "ADMIN", "MANAGER", "SALES", "SALES"];

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
    let (cases, most) = if proof::is_long() { (200, 150) } else { (8, 70) };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut proven = Vec::new();
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
        proven.push(json!({
            "engine": engine,
            "histories": histories.get(),
            "steps": steps.get(),
            "views": views.get(),
            "recordsRecounted": records.get(),
        }));
    }
    proof::note("dashboard", "histories", &proven);
}
