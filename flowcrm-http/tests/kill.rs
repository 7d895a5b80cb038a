//! SIGKILL at any moment: what was acknowledged is there after the restart, what was not is there in full or not at
//! all, and an import goes on by itself.
//!
//! Each engine sees two kills of each kind; with `FLOWCRM_PROOF=long` it sees 25.

mod support;

#[path = "kill/importing.rs"]
mod importing;
#[path = "kill/inspection.rs"]
mod inspection;
#[path = "kill/pipeline.rs"]
mod pipeline;
#[path = "kill/team.rs"]
mod team;
#[path = "kill/writers.rs"]
mod writers;

use std::ops::Range;
use std::time::Duration;

use flowcrm_core::env::Env;
use importing::Importing;
use inspection::{Inspected, Inspector};
use serde_json::json;
use support::TestDatabase;
use support::process::ServerProcess;
use support::proof;
use team::{Team, Unanswered};

/// How often a server is killed on each engine.
fn kills() -> usize {
    if proof::is_long() { 25 } else { 2 }
}

/// A number that nobody foresees.
fn random_in(range: Range<u64>) -> u64 {
    let random = u64::from_le_bytes(Env::system().random_bytes());
    range.start + random % (range.end - range.start)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_kill_and_nothing_is_there_by_half() {
    let mut figures = Vec::new();
    for database in TestDatabase::on_each_engine().await {
        let mut server = ServerProcess::start(&database);
        let mut inspector = Inspector::of(&database).await;
        let mut teams = [Team::found(&server, "one").await, Team::found(&server, "two").await];
        let mut unanswered = Unanswered::default();
        for _ in 0..kills() {
            teams.iter_mut().for_each(Team::begin_to_write);
            tokio::time::sleep(Duration::from_millis(random_in(300..1_500))).await;
            server.kill();
            for team in &mut teams {
                team.stop_writing().await;
            }
            inspector.settle().await;
            server = ServerProcess::start(&database);
            inspector.check_storage().await;
            for team in &mut teams {
                team.return_to(&server).await;
                team.check(&mut inspector).await;
                team.ask_again(&mut inspector, &mut unanswered).await;
            }
        }
        let mut found = Inspected::default();
        let mut acknowledged = 0;
        for team in &teams {
            found.add(team.check(&mut inspector).await);
            acknowledged += team.told().len();
        }
        assert!(acknowledged > 30, "the clients hardly wrote: {acknowledged}");
        figures.push(json!({
            "engine": database.engine,
            "kills": kills(),
            "acknowledgedChanges": acknowledged,
            "acknowledgedAndLost": 0,
            "unanswered": {"foundDone": unanswered.done, "foundUndone": unanswered.undone, "foundHalf": 0},
            "events": found.events,
            "auditEntries": found.audit_entries,
            "notifications": found.notifications,
        }));
    }
    proof::note("kill", "writes", &figures);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_goes_on_by_itself_after_a_kill_and_counts_right() {
    let mut figures = Vec::new();
    for database in TestDatabase::on_each_engine().await {
        let mut importing = Importing::begin(&database).await;
        importing.kill_during_an_upload().await;
        importing.kill_with_one_running_and_one_waiting().await;
        while importing.kills < kills() {
            importing.kill_while_running().await;
        }
        importing.check_results().await;
        figures.push(json!({
            "engine": database.engine,
            "kills": importing.kills,
            "killsWhileRunning": importing.kills_while_running,
            "imports": importing.imports.len(),
            "rows": importing.imports.iter().map(|import| import.pipeline.total).sum::<usize>(),
            "created": importing.imports.iter().map(|import| import.pipeline.created).sum::<usize>(),
            "skipped": importing.imports.iter().map(|import| import.pipeline.skipped).sum::<usize>(),
            "rejected": importing.imports.iter().map(|import| import.pipeline.rejected.len()).sum::<usize>(),
            "wrongCounts": 0,
        }));
    }
    proof::note("kill", "imports", &figures);
}
