//! The four doors answer alike: one story, and many bad inputs, through Rust, HTTP, Python and Node.
//!
//! `FLOWCRM_PYTHON` names an interpreter that has the package, `FLOWCRM_NODE` a `node`; `make test` sets both. Doors
//! that are not at hand are left out, and say so.

mod support;

#[path = "doors/bad_input.rs"]
mod bad_input;
#[path = "doors/http.rs"]
mod http;
#[path = "doors/likeness.rs"]
mod likeness;
#[path = "doors/other.rs"]
mod other;
#[path = "doors/rust.rs"]
mod rust;
#[path = "doors/story.rs"]
mod story;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use story::{Outcome, Step, scenario};
use support::process::ServerProcess;
use support::{TestDatabase, TestServer};

/// Plays a story through every door that is at hand, each on a database of its own.
async fn play_everywhere(engine: &str, steps: &[Step]) -> Vec<(&'static str, Vec<Outcome>)> {
    let mut played = Vec::new();
    for door in ["Rust", "HTTP", "Python", "Node"] {
        let database = match engine {
            "sqlite" => Some(TestDatabase::sqlite()),
            _ => TestDatabase::postgres().await,
        };
        let Some(database) = database else { return Vec::new() };
        let outcomes = match door {
            "Rust" => Some(rust::play(&database.crm().await, steps).await),
            "HTTP" => Some(http::play(&TestServer::on(database).await, steps).await),
            "Python" => other::python(&database, steps),
            _ => other::node(&database, steps),
        };
        played.extend(outcomes.map(|outcomes| (door, outcomes)));
    }
    played
}

/// Demands that all doors came to the same outcomes.
fn demand_alike(
    steps: &[Step],
    played: &[(&'static str, Vec<Outcome>)],
    shown: impl Fn(&[Outcome]) -> Vec<Value>,
) {
    let Some(((first, expected), others)) = played.split_first() else { return };
    let expected = shown(expected);
    assert_eq!(expected.len(), steps.len());
    for (door, outcomes) in others {
        let outcomes = shown(outcomes);
        assert_eq!(outcomes.len(), steps.len(), "{door}");
        for (step, (expected, outcome)) in steps.iter().zip(expected.iter().zip(&outcomes)) {
            assert_eq!(outcome, expected, "{door} and {first} differ: {step:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_scenario_ends_alike_through_every_door() {
    let steps = scenario();
    for engine in ["sqlite", "postgres"] {
        let played = play_everywhere(engine, &steps).await;
        demand_alike(&steps, &played, likeness::of);
        for (door, outcomes) in &played {
            story::demand_the_end(door, &steps, outcomes);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_is_refused_alike_through_every_door() {
    let steps = bad_input::steps();
    let played = play_everywhere("sqlite", &steps).await;
    let refusals = |outcomes: &[Outcome]| outcomes.iter().map(Outcome::refusal).collect();
    demand_alike(&steps, &played, refusals);
    let refused = refusals(&played[0].1).iter().filter(|refusal| !refusal.is_null()).count();
    eprintln!("{} bad inputs, {refused} refused, alike through {} doors", steps.len(), played.len());
    assert!(refused >= 300, "{refused}");
}

/// How many leads each writer makes.
const EACH: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_of_every_door_write_to_one_database_at_once() {
    for database in TestDatabase::on_each_engine().await {
        let mut server = ServerProcess::start(&database);
        let client = server.client().register("acme").await;
        let counted = async || client.get("/api/dashboard/stats").await.body["totalLeads"].clone();
        assert_eq!(counted().await, 0);
        // Two in Python and one in Node, where they are at hand, beside the server.
        let writers = [other::writing_in_python(&database, EACH), other::writing_in_python(&database, EACH)];
        let writers = writers.into_iter().chain([other::writing_in_node(&database, EACH)]).flatten();
        let writers: Vec<_> = writers.collect();
        for number in 0..EACH {
            client.create("/api/leads", json!({"name": format!("Lead {number} of HTTP")})).await;
        }
        let expected = EACH * (1 + writers.len());
        for writer in writers {
            let done = writer.wait_with_output().expect("an end");
            assert!(done.status.success(), "{}: a writer failed: {done:?}", database.engine);
        }
        let written = Instant::now();
        while counted().await != expected {
            assert!(written.elapsed() < Duration::from_secs(2), "{}: {}", database.engine, counted().await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(client.walk("/api/leads?limit=200").await.len(), expected, "{}", database.engine);
        server.kill();
    }
}
