//! The same questions in plain SQL, without FlowCRM: by pgbench and psql on Postgres, by the shell `sqlite3` on SQLite.
//!
//! They run on the same tables with the same indexes, each as the cheapest statement that gives the answer. Nobody is
//! authorized, and nothing is logged, told to others, counted or made searchable besides.

mod pgbench;
mod psql;
mod sqlite_shell;
mod statements;

use std::path::PathBuf;
use std::time::Duration;

use crate::operations::Operation;
use crate::support::TestDatabase;
use crate::world::World;

/// So many leads are copied out and in.
const ROWS_COPIED: usize = 100_000;

/// How fast rows are copied, per second.
pub(crate) struct Copied {
    pub(crate) import: f64,
    pub(crate) export: f64,
}

/// The tools of one engine.
#[derive(Clone)]
pub(crate) enum Raw {
    Postgres { url: String, pgbench: PathBuf, psql: PathBuf },
    Sqlite { file: PathBuf, shell: PathBuf },
}

impl Raw {
    /// The tools, unless one is missing.
    pub(crate) fn of(database: &TestDatabase) -> Result<Self, String> {
        let url = &database.url;
        let tool = |name: &'static str| find(name).ok_or_else(|| format!("{name} is not installed"));
        Ok(match url.strip_prefix("sqlite:") {
            Some(file) => Self::Sqlite { file: file.into(), shell: tool("sqlite3")? },
            None => Self::Postgres { url: url.clone(), pgbench: tool("pgbench")?, psql: tool("psql")? },
        })
    }

    /// How often per second an operation is done; none for one that SQL cannot say.
    pub(crate) fn per_second(&self, world: &World, operation: Operation, length: Duration) -> Option<f64> {
        match self {
            _ if operation == Operation::SignIn => None,
            Self::Postgres { url, pgbench, .. } => {
                Some(pgbench::per_second(pgbench, url, world, operation, length))
            }
            Self::Sqlite { file, shell } => {
                Some(sqlite_shell::per_second(shell, file, world, operation, length))
            }
        }
    }

    /// Copies leads into a file, and the file into a table like that of leads.
    pub(crate) fn copy(&self) -> Copied {
        match self {
            Self::Postgres { url, psql, .. } => psql::copy(psql, url),
            Self::Sqlite { file, shell } => sqlite_shell::copy(shell, file),
        }
    }
}

/// A program in the PATH, or beside the newest Postgres that Debian keeps out of it.
fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    let mut versions: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    versions.sort();
    folders.extend(versions.into_iter().rev());
    folders.into_iter().map(|folder| folder.join(name)).find(|program| program.is_file())
}
