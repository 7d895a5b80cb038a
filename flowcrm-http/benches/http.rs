//! Measures the HTTP API of the real server, optimized and in a process of its own, on each engine.
//!
//! `make bench` prints one table and writes it to `docs/figures/bench.json`. `FLOWCRM_BENCH_SECONDS` says how long
//! each operation is measured, 3 seconds by default.

#[path = "http/load.rs"]
mod load;
#[path = "http/machine.rs"]
mod machine;
#[path = "http/pgbench.rs"]
mod pgbench;
#[path = "http/report.rs"]
mod report;
#[path = "../tests/support/mod.rs"]
mod support;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use load::{Requests, request};
use pgbench::Reported;
use report::{Line, rounded, table};
use serde_json::{Value, json};
use support::process::ServerProcess;
use support::{Client, PASSWORD, TestDatabase};

/// Clients at once, each with a connection of its own.
const CONNECTIONS: usize = 16;

/// Signing in is meant to take processor time: few at once show how much.
const SIGN_INS: usize = 2;

const LEADS: usize = 10_000;

/// As many for each connection, so that no two move the same deal.
const DEALS_EACH: usize = 100;

const STARTS: usize = 10;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        say("Measured by `make bench` only: what is not optimized says nothing.");
        return;
    }
    let seconds =
        std::env::var("FLOWCRM_BENCH_SECONDS").map_or(3, |seconds| seconds.parse().expect("whole seconds"));
    let mut lines = Vec::new();
    let mut engines = Vec::new();
    for database in TestDatabase::on_each_engine().await {
        say(&format!("Measuring on {} ...", database.engine));
        let (measured, figures) = Bench::begin(&database, seconds).await.measure().await;
        lines.extend(measured);
        engines.push(figures);
    }
    say(&format!("\n{}", table(&lines)));
    let figures = json!({
        "command": "make bench",
        "machine": {
            "cores": std::thread::available_parallelism().map(std::num::NonZero::get).ok(),
            "processor": machine::processor(),
        },
        "connections": CONNECTIONS,
        "secondsPerOperation": seconds,
        "leads": LEADS,
        "engines": engines,
    });
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/figures/bench.json");
    let text = serde_json::to_string_pretty(&figures).expect("figures are JSON");
    std::fs::write(file, format!("{text}\n")).expect("the file for figures");
}

#[expect(clippy::print_stdout, reason = "a measurement is read on a terminal")]
fn say(line: &str) {
    println!("{line}");
}

/// A server under load.
struct Bench<'a> {
    database: &'a TestDatabase,
    server: ServerProcess,
    owner: Client,
    leads: Vec<String>,
    deals: Vec<String>,
    /// How long each operation is measured.
    seconds: u64,
    idle_megabytes: Option<f64>,
}

impl<'a> Bench<'a> {
    /// Starts a server, and fills its database by importing files.
    async fn begin(database: &'a TestDatabase, seconds: u64) -> Self {
        drop(ServerProcess::start(database));
        let server = ServerProcess::start(database);
        server.seconds_to_first_answer();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let idle_megabytes = machine::resident_megabytes(server.id());
        let owner = server.client().register("bench").await;
        import(&owner, "leads", leads_file()).await;
        import(&owner, "deals", deals_file()).await;
        let leads = ids(&owner, "leads").await;
        let deals = ids(&owner, "deals").await;
        Self { database, server, owner, leads, deals, seconds, idle_megabytes }
    }

    /// Measures everything; answers the lines of the table, and the figures of the file.
    async fn measure(self) -> (Vec<Line>, Value) {
        let by_id = self.operation("lead by id", CONNECTIONS, self.lead_by_id()).await;
        let operations = vec![
            self.operation("page of 25 leads", CONNECTIONS, self.get("/api/leads?limit=25")).await,
            self.operation("dashboard stats", CONNECTIONS, self.get("/api/dashboard/stats")).await,
            self.operation("sign in", SIGN_INS, self.sign_in()).await,
            self.operation("create a lead", CONNECTIONS, self.create_lead()).await,
            self.operation("move a deal", CONNECTIONS, self.move_deal()).await,
        ];
        tokio::time::sleep(Duration::from_secs(1)).await;
        let engine = self.database.engine;
        let loaded_megabytes = machine::resident_megabytes(self.server.id());
        let raw = self.raw_by_id();
        let ratio = raw.as_ref().map(|raw| by_id.value / raw.per_second);
        let Self { database, server, idle_megabytes, .. } = self;
        drop(server);
        let start_up = start_up(database);
        let figures = json!({
            "engine": engine,
            "operations": std::iter::once(&by_id).chain(&operations).map(Line::figures).collect::<Vec<_>>(),
            "pgbenchById": raw.as_ref().map(|raw| json!({
                "requestsPerSecond": rounded(raw.per_second), "averageMillis": rounded(raw.average_millis),
            })),
            "byIdOfPgbench": ratio.map(rounded),
            "memory": {
                "idleMegabytes": idle_megabytes.map(rounded), "afterLoadMegabytes": loaded_megabytes.map(rounded),
            },
            "startUpSeconds": rounded(start_up),
        });
        let mut lines = vec![by_id];
        lines.extend(
            raw.map(|raw| Line::of(engine, "lead by id as raw SQL, by pgbench", raw.per_second, "/s")),
        );
        lines.extend(
            ratio.map(|ratio| Line::of(engine, "by id, of pgbench", ratio, "x").aiming_at("0.25 or more")),
        );
        lines.extend(operations);
        lines.extend(
            idle_megabytes.map(|size| Line::of(engine, "memory, idle", size, "MB").aiming_at("under 40")),
        );
        lines.extend(loaded_megabytes.map(|size| Line::of(engine, "memory, after the load", size, "MB")));
        lines.push(Line::of(engine, "start to first answer", start_up, "s").aiming_at("under 0.3"));
        (lines, figures)
    }

    /// Measures one operation, after a short while of warming up.
    async fn operation(&self, name: &'static str, connections: usize, requests: Requests) -> Line {
        let address = self.server.address();
        load::run(address, connections, Duration::from_millis(300), &requests).await;
        let processor_time = || machine::processor_time(self.server.id());
        let before = processor_time();
        let timing = load::run(address, connections, Duration::from_secs(self.seconds), &requests).await;
        let used = processor_time().zip(before).map(|(after, before)| after.saturating_sub(before));
        let cpu = used.map(|used| used.as_secs_f64() * 1_000.0 / timing.in_thousands());
        Line::of_requests(self.database.engine, name, &timing, cpu)
    }

    fn lead_by_id(&self) -> Requests {
        let (leads, token) = (self.leads.clone(), self.owner.token().to_owned());
        Arc::new(move |connection, number| {
            // Steps by a prime walk over all leads in an order that no cache foresees.
            let lead = &leads[(connection * 613 + number * 7_919) % leads.len()];
            request("GET", &format!("/api/leads/{lead}"), &token, "")
        })
    }

    fn get(&self, path: &str) -> Requests {
        let request = request("GET", path, self.owner.token(), "");
        Arc::new(move |_, _| request.clone())
    }

    fn sign_in(&self) -> Requests {
        let body = json!({"email": self.owner.user["email"], "password": PASSWORD}).to_string();
        Arc::new(move |_, _| request("POST", "/api/auth/login", "none", &body))
    }

    fn create_lead(&self) -> Requests {
        let token = self.owner.token().to_owned();
        Arc::new(move |connection, number| {
            let body = json!({
                "name": format!("Grace Hopper {connection} {number}"),
                "email": format!("grace.{connection}.{number}@example.org"),
                "company": "Eckert-Mauchly",
                "source": "Website",
                "value": 1250.5,
            });
            request("POST", "/api/leads", &token, &body.to_string())
        })
    }

    fn move_deal(&self) -> Requests {
        let (deals, token) = (self.deals.clone(), self.owner.token().to_owned());
        // It goes on where warming up has stopped: a move to where the deal stands would be none.
        let moves: Vec<_> = (0..CONNECTIONS).map(|_| AtomicUsize::new(0)).collect();
        Arc::new(move |connection, _| {
            let number = moves[connection].fetch_add(1, Ordering::Relaxed);
            let deal = &deals[connection * DEALS_EACH + number % DEALS_EACH];
            let stage = if (number / DEALS_EACH).is_multiple_of(2) { "NEGOTIATION" } else { "DISCOVERY" };
            request("PUT", &format!("/api/deals/{deal}"), &token, &json!({"stage": stage}).to_string())
        })
    }

    /// The same leads by id as plain SQL, where the engine is Postgres and pgbench is there.
    fn raw_by_id(&self) -> Option<Reported> {
        if self.database.engine != "postgres" {
            return None;
        }
        let org = self.owner.user["orgId"].as_str().expect("an organization");
        let reported = pgbench::by_id(&self.database.url, org, &self.leads, CONNECTIONS, self.seconds);
        if reported.is_none() {
            say("SKIPPED: pgbench is not installed, so there is no raw SQL to compare with");
        }
        reported
    }
}

/// The median time from starting the process to its first good answer.
fn start_up(database: &TestDatabase) -> f64 {
    let mut seconds: Vec<f64> =
        (0..STARTS).map(|_| ServerProcess::start(database).seconds_to_first_answer()).collect();
    seconds.sort_by(f64::total_cmp);
    f64::midpoint(seconds[STARTS / 2 - 1], seconds[STARTS / 2])
}

fn leads_file() -> Vec<u8> {
    let mut csv = "name,email,phone,company,source,status,value\n".to_owned();
    for row in 0..LEADS {
        let status = ["NEW", "CONTACTED", "QUALIFIED", "PROPOSAL", "WON", "LOST"][row % 6];
        let source = ["Website", "Referral", "Event"][row % 3];
        let phone = 5_550_000 + row;
        writeln!(
            csv,
            "Ada Lovelace {row},ada.{row}@example.org,{phone},Company {},{source},{status},{row}.25",
            row / 10
        )
        .expect("memory is enough");
    }
    csv.into_bytes()
}

fn deals_file() -> Vec<u8> {
    let mut csv = "title,stage,value\n".to_owned();
    for row in 0..CONNECTIONS * DEALS_EACH {
        writeln!(csv, "Engine {row},DISCOVERY,{row}.5").expect("memory is enough");
    }
    csv.into_bytes()
}

async fn import(owner: &Client, kind: &str, file: Vec<u8>) {
    let import = owner.import(kind, &json!({}), file).await;
    assert_eq!((&import["state"], &import["rejected"]), (&json!("DONE"), &json!(0)), "{import}");
}

async fn ids(owner: &Client, kind: &str) -> Vec<String> {
    let records = owner.walk(&format!("/api/{kind}?limit=200")).await;
    records.iter().map(|record| record["id"].as_str().expect("an id").to_owned()).collect()
}
