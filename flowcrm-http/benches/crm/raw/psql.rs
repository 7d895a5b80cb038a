//! `COPY` out of Postgres and into it.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use tempfile::TempDir;

use super::{Copied, ROWS_COPIED};

pub(super) fn copy(psql: &Path, url: &str) -> Copied {
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("leads.csv");
    let file = file.display();
    let run = |command: &str| {
        let begun = Instant::now();
        let output = Command::new(psql)
            .args(["--no-psqlrc", "--set=ON_ERROR_STOP=1", "--command", command, url])
            .output()
            .expect("psql runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let rows: Option<f64> = said.strip_prefix("COPY ").and_then(|rows| rows.trim().parse().ok());
        rows.unwrap_or_default() / begun.elapsed().as_secs_f64()
    };
    let export = run(&format!("\\copy (SELECT * FROM leads LIMIT {ROWS_COPIED}) TO '{file}' CSV"));
    run("CREATE TABLE raw_leads (LIKE leads INCLUDING ALL)");
    let import = run(&format!("\\copy raw_leads FROM '{file}' CSV"));
    run("DROP TABLE raw_leads");
    Copied { import, export }
}
