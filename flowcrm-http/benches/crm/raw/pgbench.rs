//! Statements on Postgres, prepared, over as many connections as FlowCRM's clients have.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::statements::{Dialect, statement};
use crate::operations::Operation;
use crate::world::World;

/// pgbench cannot draw ids from a table for nothing, but it draws from up to 128 scripts.
const SCRIPTS: usize = 128;

const DIALECT: Dialect =
    Dialect { id: |id| format!("'{id}'"), new_id: "gen_random_uuid()", now: "now()", no: "false" };

pub(super) fn per_second(
    pgbench: &Path,
    url: &str,
    world: &World,
    operation: Operation,
    length: Duration,
) -> f64 {
    let folder = TempDir::new().expect("a temporary folder");
    let clients = operation.connections();
    let mut command = Command::new(pgbench);
    command.args(["--no-vacuum", "--protocol=prepared"]);
    command.arg(format!("--client={clients}")).arg(format!("--jobs={}", clients.min(2)));
    command.arg(format!("--time={}", length.as_secs()));
    for number in 0..SCRIPTS {
        let call = world.call(operation, number % clients);
        let script = folder.path().join(format!("{number}.sql"));
        let statement = statement(&call, &DIALECT).expect("a statement");
        std::fs::write(&script, without_variables(&statement)).expect("a script");
        command.arg("--file").arg(script);
    }
    let output = command.arg(url).output().expect("pgbench runs");
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}{}", String::from_utf8_lossy(&output.stderr));
    let rate =
        report.lines().find_map(|line| line.strip_prefix("tps = ")).unwrap_or_else(|| panic!("{report}"));
    rate.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number")
}

/// Writes the colons of figures' kinds in another way: pgbench reads a variable behind each, also within quotes.
fn without_variables(statement: &str) -> String {
    ["lead", "deal", "task"].iter().fold(statement.to_owned(), |statement, kind| {
        statement.replace(&format!("'{kind}:"), &format!("E'{kind}\\x3a"))
    })
}
