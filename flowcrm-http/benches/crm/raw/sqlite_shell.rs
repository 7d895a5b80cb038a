//! Statements on SQLite: one shell, which reads them one after the other, and commits each.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use uuid::Uuid;

use super::statements::{Dialect, statement};
use super::{Copied, ROWS_COPIED};
use crate::operations::Operation;
use crate::world::World;

const DIALECT: Dialect = Dialect {
    id: |id: Uuid| format!("x'{}'", id.simple()),
    new_id: "randomblob(16)",
    now: "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')",
    no: "0",
};

/// What FlowCRM sets too.
const SETTINGS: &str = "PRAGMA foreign_keys = ON;\nPRAGMA synchronous = NORMAL;\n";

/// The columns of a lead as text: the shell's CSV knows no bytes, and no NULL.
const AS_TEXT: &str = "hex(org_id) AS org_id, hex(id) AS id, name, email, email_key, phone, company, source, status, \
                       value, notes, external_id, hex(owner_id) AS owner_id, hex(assigned_to_id) AS assigned_to_id, \
                       is_converted, search, version, created_at, updated_at";

pub(super) fn per_second(
    shell: &Path,
    file: &Path,
    world: &World,
    operation: Operation,
    length: Duration,
) -> f64 {
    let clients = operation.connections();
    let mut count = 0_u32;
    let elapsed = run(shell, file, |take| {
        let begun = Instant::now();
        while begun.elapsed() < length {
            let call = world.call(operation, count as usize % clients);
            take(&statement(&call, &DIALECT).expect("a statement"));
            count += 1;
        }
    });
    f64::from(count) / elapsed.as_secs_f64()
}

pub(super) fn copy(shell: &Path, file: &Path) -> Copied {
    let folder = TempDir::new().expect("a temporary folder");
    let csv = folder.path().join("leads.csv");
    let to_file = format!(
        ".mode csv\n.once '{}'\nSELECT {AS_TEXT} FROM (SELECT * FROM leads LIMIT {ROWS_COPIED});\n",
        csv.display()
    );
    let out = run(shell, file, |take| take(&to_file));
    run(shell, file, |take| take(&like_leads()));
    let into = run(shell, file, |take| take(&format!(".mode csv\n.import '{}' raw_leads\n", csv.display())));
    run(shell, file, |take| take("DROP TABLE raw_leads;\n"));
    let rows = std::fs::read_to_string(&csv).expect("a file of text").lines().count();
    let rows = f64::from(u32::try_from(rows).expect("no more than were asked for"));
    Copied { import: rows / into.as_secs_f64(), export: rows / out.as_secs_f64() }
}

/// A table with the columns and indexes of leads, all of text.
fn like_leads() -> String {
    let mut sql = format!(
        "CREATE TABLE raw_leads AS SELECT {AS_TEXT} FROM leads LIMIT 0;\n\
         CREATE UNIQUE INDEX raw_by_id ON raw_leads (org_id, id);\n"
    );
    let orders = ["created_at", "updated_at", "name", "value"];
    let filters = ["owner_id", "assigned_to_id", "status", "source"];
    let orders = orders.map(str::to_owned).into_iter();
    for columns in orders.chain(filters.map(|filter| format!("{filter}, created_at"))) {
        let name = columns.split(',').next().unwrap_or_default();
        writeln!(sql, "CREATE INDEX raw_by_{name} ON raw_leads (org_id, {columns}, id);").expect("memory");
    }
    sql + "CREATE INDEX raw_by_email ON raw_leads (org_id, email_key);\n\
           CREATE INDEX raw_by_external_id ON raw_leads (org_id, external_id);\n"
}

/// Feeds a shell; answers how long it worked.
fn run(shell: &Path, file: &Path, feed: impl FnOnce(&mut dyn FnMut(&str))) -> Duration {
    let begun = Instant::now();
    let mut child = Command::new(shell)
        .args(["-batch", "-bail"])
        .arg(file)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("sqlite3 runs");
    let mut input = child.stdin.take().expect("its input is piped");
    let mut take = |text: &str| input.write_all(text.as_bytes()).expect("sqlite3 reads on");
    take(SETTINGS);
    feed(&mut take);
    drop(input);
    assert!(child.wait().expect("sqlite3 ends").success(), "sqlite3 refused a statement");
    begun.elapsed()
}
