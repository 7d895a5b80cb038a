//! Measures one caller, who makes one call after the other, in each language: leads read by id, and leads created.
//! Beside them stands what a program would do by hand: on SQLite, Python's `sqlite3`, `SQLAlchemy` and `better-sqlite3`.
//!
//! By hand, a lead is read by the same two statements in one transaction: who asks, and the lead with whether anything
//! hangs on it. A lead is created by one INSERT in a transaction, without rights, search, figures, events
//! and the audit log, which FlowCRM writes too.
//!
//! `make bench-languages` prints the table, and writes it to `docs/figures/languages.json`.

#[path = "../tests/support/mod.rs"]
mod support;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use flowcrm_core::imports::{ImportKind, ImportOptions};
use flowcrm_core::input::Body;
use flowcrm_core::leads::{LeadQuery, NewLead};
use flowcrm_core::page::Listing;
use flowcrm_core::{Caller, Crm, Origin};
use serde_json::{Map, Value, json};
use support::{SECRET, TestDatabase};
use tokio::runtime::Runtime;

const LEADS: usize = 10_000;
const EMAIL: &str = "owner@acme.example";

/// The scripts of other languages: the variable that names the program, and the script.
const SCRIPTS: [(&str, &str); 2] =
    [("FLOWCRM_PYTHON", "flowcrm-py/benches/calls.py"), ("FLOWCRM_NODE", "flowcrm-node/benches/calls.mjs")];

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        say("Measured by `make bench-languages` only: what is not optimized says nothing.");
        return;
    }
    let seconds =
        std::env::var("FLOWCRM_BENCH_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(4_u64);
    let runtime = Runtime::new().expect("a runtime");
    let mut engines = Map::new();
    for database in runtime.block_on(TestDatabase::on_each_engine()) {
        let engine = database.engine;
        let measured = measure(&runtime, &database, seconds);
        say(&format!("\n{engine:<12} {:>12} {:>8} {:>12} {:>8}", "read/s", "of Rust", "create/s", "of Rust"));
        let of = |caller: &str, what: &str| measured[caller][what].as_f64();
        for caller in measured.keys() {
            let (read, create) = (of(caller, "read").unwrap_or(0.0), of(caller, "create").unwrap_or(0.0));
            let ratio = |figure: f64, what: &str| figure / of("Rust", what).unwrap_or(f64::NAN);
            say(&format!(
                "{caller:<12} {read:>12.0} {:>8.2} {create:>12.0} {:>8.2}",
                ratio(read, "read"),
                ratio(create, "create")
            ));
        }
        engines.insert(engine.to_owned(), measured.into());
    }
    if seconds >= 4 {
        let figures = json!({"command": "make bench-languages", "leads": LEADS, "callsPerSecond": engines});
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/figures/languages.json");
        let text = serde_json::to_string_pretty(&figures).expect("figures are JSON");
        std::fs::write(&file, format!("{text}\n")).expect("the file for figures");
        say(&format!("\nwritten: {}", file.display()));
    }
}

#[expect(clippy::print_stdout, reason = "a measurement is read on a terminal")]
fn say(line: &str) {
    println!("{line}");
}

/// Calls per second of every caller that is at hand.
fn measure(runtime: &Runtime, database: &TestDatabase, seconds: u64) -> Map<String, Value> {
    let length = Duration::from_secs(seconds);
    let crm = runtime.block_on(database.crm());
    let (owner, leads) = runtime.block_on(fill(&crm));
    let read = runtime.block_on(repeat(length, async |number| {
        owner.leads().get(leads[number % leads.len()].into()).await.map(drop)
    }));
    let create = runtime.block_on(repeat(length, async |number| {
        let lead = NewLead {
            name: format!("Jean Bartik {number}"),
            company: Some("Eckert-Mauchly".to_owned()),
            value: "1250.5".parse().ok(),
            ..NewLead::default()
        };
        owner.leads().create(lead).await.map(drop)
    }));
    let mut measured = Map::new();
    measured.insert("Rust".to_owned(), json!({"read": read, "create": create}));
    let asked = json!({
        "url": database.url,
        "secret": std::str::from_utf8(SECRET).expect("text"),
        "email": EMAIL,
        "leads": leads,
        "seconds": seconds,
    });
    runtime.block_on(crm.close());
    for (variable, script) in SCRIPTS {
        match std::env::var(variable) {
            Ok(program) => measured.extend(ask(&program, script, &asked)),
            Err(_) => eprintln!("SKIPPED {script}: {variable} is not set"),
        }
    }
    measured
}

/// An owner with leads, and their ids.
async fn fill(crm: &Crm) -> (Caller, Vec<uuid::Uuid>) {
    let register = json!({"name": "Ada", "email": EMAIL, "password": support::PASSWORD, "orgName": "acme"});
    let register = Body::try_from(register).expect("an object");
    crm.register(register, &Origin::default()).await.expect("an owner");
    let owner = crm.as_user_with_email(EMAIL).await.expect("the owner");
    let rows = (0..LEADS).map(|number| format!("Lead {number},lead{number}@example.com,{number}.5\n"));
    let file: String = std::iter::once("name,email,value\n".to_owned()).chain(rows).collect();
    let imports = owner.imports();
    let begun = imports.begin(ImportKind::Leads, ImportOptions::default(), "leads.csv".to_owned()).await;
    let mut staging = begun.expect("an import");
    staging.push(file.as_bytes()).await.expect("leads");
    staging.finish().await.expect("leads");
    crm.run_waiting_imports().await.expect("the database answers");
    let mut leads = Vec::new();
    let mut query = LeadQuery { list: Listing { limit: 200, ..Listing::default() }, ..LeadQuery::default() };
    loop {
        let page = owner.leads().list(query.clone()).await.expect("a page");
        leads.extend(page.items.iter().map(|lead| lead.id.as_uuid()));
        match page.next {
            Some(next) => query.list = query.list.after(next),
            None => return (owner, leads),
        }
    }
}

/// Calls per second, one after the other.
async fn repeat(length: Duration, call: impl AsyncFn(usize) -> flowcrm_core::Result<()>) -> f64 {
    let mut count = 0_u32;
    for warming in 0..200 {
        call(warming).await.expect("a good answer");
    }
    let begun = Instant::now();
    while begun.elapsed() < length {
        call(count as usize * 7).await.expect("a good answer");
        count += 1;
    }
    f64::from(count) / begun.elapsed().as_secs_f64()
}

/// What a script of another language measures.
fn ask(program: &str, script: &str, asked: &Value) -> Map<String, Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
    let mut command = Command::new(program);
    let command = command.arg(root.join(script)).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = command.spawn().expect("a script");
    process.stdin.take().expect("its input").write_all(asked.to_string().as_bytes()).expect("to listen");
    let ended = process.wait_with_output().expect("an end");
    assert!(ended.status.success(), "{script}: {}", ended.status);
    serde_json::from_slice(&ended.stdout).expect("figures")
}
