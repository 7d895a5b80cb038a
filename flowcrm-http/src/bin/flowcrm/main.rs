//! The command `flowcrm`: serves a CRM, and looks after one from a shell.

mod backup;
mod copy;
mod demo;
mod export;
mod import;
mod password;
mod progress;
mod serve;
mod settings;
mod undo;
mod users;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use settings::DatabaseSettings;
use tracing_subscriber::EnvFilter;

/// How it is tuned stands in `.cargo/config.toml`.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// FlowCRM: leads, deals and tasks for a sales team, on one database file or on Postgres.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, propagate_version = true)]
#[command(after_help = "Try it: `flowcrm serve --demo`, then open http://localhost:3000")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the HTTP API and its interactive reference
    Serve(serve::Serve),
    /// Fill an empty database with the demo organizations
    Demo(demo::Demo),
    /// Bring the database's tables up to date
    Migrate(DatabaseSettings),
    /// Look after users
    User(users::UserCommand),
    /// Import leads or deals from a CSV file
    Import(import::Import),
    /// Undo an import
    Undo(undo::Undo),
    /// Export leads, deals or tasks to a CSV file
    Export(export::Export),
    /// Copy organizations into another database, SQLite or Postgres
    Copy(copy::Copy),
    /// Back the database up to one file, while it is served
    Backup(backup::Backup),
    /// Print the OpenAPI document of the HTTP API as YAML
    Openapi,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    log_to_stderr(matches!(cli.command, Command::Serve(_)));
    let done = match cli.command {
        Command::Serve(serve) => serve.run().await,
        Command::Demo(demo) => demo.run().await,
        Command::Migrate(database) => migrate(&database).await,
        Command::User(user) => user.run().await,
        Command::Import(import) => import.run().await,
        Command::Undo(undo) => undo.run().await,
        Command::Export(export) => export.run().await,
        Command::Copy(copy) => copy.run().await,
        Command::Backup(backup) => backup.run().await,
        Command::Openapi => print_openapi(),
    };
    match done {
        Ok(code) => code,
        Err(error) => fail(&*error),
    }
}

/// What a command ends with.
type Outcome = Result<ExitCode, Box<dyn std::error::Error>>;

fn log_to_stderr(is_server: bool) {
    let usual = if is_server { "info,sqlx=warn" } else { "warn" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
}

async fn migrate(database: &DatabaseSettings) -> Outcome {
    let store = flowcrm_store::SqlStore::connect(&database.database_url).await?;
    store.migrate().await?;
    say("The database is up to date.");
    Ok(ExitCode::SUCCESS)
}

fn print_openapi() -> Outcome {
    io::stdout().write_all(flowcrm_http::openapi_yaml().as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Tells the user something that they asked for, unless they have seen enough: what has been done stays done.
fn say(line: impl std::fmt::Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

#[expect(clippy::print_stderr, reason = "a command complains on standard error")]
fn fail(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("flowcrm: {error}");
    let mut cause = error.source();
    while let Some(deeper) = cause {
        eprintln!("  because: {deeper}");
        cause = deeper.source();
    }
    ExitCode::FAILURE
}
