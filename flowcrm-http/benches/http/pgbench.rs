//! The same question asked of Postgres without FlowCRM: a lead by its id, prepared, through pgbench.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// What pgbench reports.
pub(crate) struct Reported {
    pub(crate) per_second: f64,
    pub(crate) average_millis: f64,
}

/// Asks for leads by their ids over so many connections; none when pgbench is not installed.
pub(crate) fn by_id(
    url: &str,
    org: &str,
    leads: &[String],
    connections: usize,
    seconds: u64,
) -> Option<Reported> {
    let program = find()?;
    let folder = TempDir::new().expect("a temporary folder");
    let mut command = Command::new(program);
    command.args(["--no-vacuum", "--protocol=prepared", "--jobs=2"]);
    command.arg(format!("--client={connections}")).arg(format!("--time={seconds}"));
    // pgbench cannot draw from a list of ids, but it draws from up to 128 scripts.
    for (number, lead) in leads.iter().step_by(leads.len().div_ceil(100)).enumerate() {
        command.arg("--file").arg(script(folder.path(), number, org, lead));
    }
    let output = command.arg(url).output().expect("pgbench runs");
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{report}{}", String::from_utf8_lossy(&output.stderr));
    let number = |name: &str| -> f64 {
        let line = report
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap_or_else(|| panic!("{name} in {report}"));
        line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number")
    };
    Some(Reported { per_second: number("tps = "), average_millis: number("latency average = ") })
}

fn script(folder: &Path, number: usize, org: &str, lead: &str) -> PathBuf {
    let path = folder.join(format!("{number}.sql"));
    let query = format!(
        "SELECT org_id, id, name, email, phone, company, source, status, value, notes, external_id, owner_id, \
         assigned_to_id, is_converted, version, created_at, updated_at \
         FROM leads WHERE org_id = '{org}' AND id = '{lead}';\n"
    );
    std::fs::write(&path, query).expect("a script");
    path
}

/// The program in the PATH, or beside the newest Postgres that Debian keeps out of it.
fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    let mut versions: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    versions.sort();
    folders.extend(versions.into_iter().rev());
    folders.into_iter().map(|folder| folder.join("pgbench")).find(|program| program.is_file())
}
