//! Measures FlowCRM, optimized, on each engine: through its server, called from Rust, and beside both the same in plain
//! SQL, with few leads and many, in one organization and spread over sixteen.
//!
//! `make bench` prints one table, and writes it to `docs/figures/bench.json` with a picture beside it. [`Settings`]
//! says how to shorten it; figures of a shortened run stay in the build folder.

mod aims;
mod database;
mod doors;
mod files;
mod load;
mod machine;
mod operations;
mod picture;
mod raw;
mod report;
mod settings;
#[path = "../../tests/support/mod.rs"]
mod support;
mod world;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use doors::http::{Http, start_up};
use doors::rust::Rust;
use operations::{CONNECTIONS, Operation};
use raw::Raw;
use report::{Line, Measured, head};
use serde_json::json;
use settings::Settings;
use support::TestDatabase;
use tokio::runtime::Runtime;

const ORGANIZATIONS: [usize; 2] = [1, 16];

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        say("Measured by `make bench` only: what is not optimized says nothing.");
        return;
    }
    let settings = Settings::read().unwrap_or_else(|error| panic!("{error}"));
    // One thread makes the requests: a core is left to the server.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut lines = Vec::new();
    say(&head());
    for leads in settings.sizes() {
        for organizations in ORGANIZATIONS {
            for database in runtime.block_on(TestDatabase::on_each_engine()) {
                let bench = Bench { runtime: &runtime, database, settings: &settings, leads, organizations };
                for mut line in bench.run() {
                    line.aim = aims::of(&line, &lines);
                    say(&line.row());
                    lines.push(line);
                }
            }
        }
    }
    lines.sort_by_key(|line| (line.engine != "sqlite", line.leads, line.organizations));
    for file in write(&settings, &lines) {
        say(&format!("written: {}", file.display()));
    }
}

/// Writes the figures and their picture.
fn write(settings: &Settings, lines: &[Line]) -> [PathBuf; 2] {
    let figures = json!({
        "command": settings.command(),
        "machine": {
            "cores": std::thread::available_parallelism().map(std::num::NonZero::get).ok(),
            "processor": machine::processor(),
        },
        "connections": CONNECTIONS,
        "secondsPerOperation": settings.length.as_secs(),
        "lines": lines.iter().map(Line::figures).collect::<Vec<_>>(),
    });
    let folder = if settings.is_full() {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/figures")
    } else {
        PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
    };
    let files = [folder.join("bench.json"), folder.join("bench.svg")];
    let text = serde_json::to_string_pretty(&figures).expect("figures are JSON");
    std::fs::write(&files[0], format!("{text}\n")).expect("the file for figures");
    std::fs::write(&files[1], picture::of(lines, &settings.sizes())).expect("the file for the picture");
    files
}

#[expect(clippy::print_stdout, reason = "a measurement is read on a terminal")]
fn say(line: &str) {
    println!("{line}");
}

/// One database, measured through each door.
struct Bench<'a> {
    runtime: &'a Runtime,
    database: TestDatabase,
    settings: &'a Settings,
    leads: usize,
    organizations: usize,
}

impl Bench<'_> {
    fn run(&self) -> Vec<Line> {
        let (leads, organizations) = (self.leads, self.organizations);
        self.tell("filling");
        let started = start_up(&self.database);
        let http = Http::start(self.runtime, &self.database);
        std::thread::sleep(Duration::from_secs(1));
        let idle = http.resident_megabytes();
        let (world, http_import) = http.fill(&self.database, leads, organizations);
        let world = Arc::new(world);
        self.runtime.block_on(database::settle(&self.database.url));

        let mut operations: Vec<Line> =
            Operation::ALL.iter().map(|operation| self.line(operation.name(), "calls/s")).collect();
        let mut import = self.line(aims::IMPORT, "rows/s");
        let mut export = self.line(aims::EXPORT, "rows/s");

        self.tell("asking the server");
        let length = self.settings.length;
        for (line, operation) in operations.iter_mut().zip(Operation::ALL) {
            line.http = Some(http.measure(&world, operation, length));
        }
        (import.http, export.http) = (Some(http_import), Some(http.export(&world)));
        let most = http.most_megabytes();
        // One that goes on looking for work would take the imports below.
        drop(http);

        self.tell("calling from Rust");
        let rust = Rust::open(&self.database, &world);
        for (line, operation) in operations.iter_mut().zip(Operation::ALL) {
            line.rust = Some(rust.measure(&world, operation, length));
        }
        (export.rust, import.rust) = (Some(rust.export()), Some(rust.import(leads)));
        rust.close();

        self.tell("asking in plain SQL");
        match Raw::of(&self.database) {
            Ok(raw) => {
                for (line, operation) in operations.iter_mut().zip(Operation::ALL) {
                    line.raw = raw.per_second(&world, operation, length);
                }
                let copied = raw.copy();
                (import.raw, export.raw) = (Some(copied.import), Some(copied.export));
            }
            Err(missing) => eprintln!("SKIPPED: {missing}, so there is nothing to compare with"),
        }
        let process = [
            (aims::IDLE_MEMORY, "MB", idle),
            (aims::MOST_MEMORY, "MB", most),
            (aims::START_UP, "s", Some(started)),
        ];
        let process = process
            .map(|(measure, unit, value)| Line { http: value.map(Measured::of), ..self.line(measure, unit) });
        operations.into_iter().chain([import, export]).chain(process).collect()
    }

    fn line(&self, measure: &'static str, unit: &'static str) -> Line {
        let (leads, organizations) = (self.leads, self.organizations);
        let engine = self.database.engine;
        Line { engine, leads, organizations, measure, unit, http: None, rust: None, raw: None, aim: None }
    }

    /// Tells what is going on, beside the table.
    fn tell(&self, doing: &str) {
        let Self { database, leads, organizations, .. } = self;
        eprintln!("{}, {leads} leads, organizations: {organizations}: {doing} ...", database.engine);
    }
}
