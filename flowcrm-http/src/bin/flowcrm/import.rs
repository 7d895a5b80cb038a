use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use flowcrm_core::Caller;
use flowcrm_core::imports::{ImportKind, ImportState, RejectionQuery};
use flowcrm_core::input::Body;
use serde_json::{Value, json};
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use crate::progress::Progress;
use crate::settings::DatabaseSettings;
use crate::{Outcome, say};

/// Reads a CSV file with a header into an organization. Rows that are not valid are left out and listed with line,
/// column and reason; what is there already is skipped. Ends with status 1 when rows were rejected.
#[derive(Debug, Args)]
pub(crate) struct Import {
    #[command(flatten)]
    database: DatabaseSettings,

    /// What the file lists: leads or deals
    kind: ImportKind,

    /// The CSV file, UTF-8 with commas
    file: PathBuf,

    /// The email of the user who imports; MANAGER, ADMIN or OWNER
    #[arg(long = "as", value_name = "EMAIL")]
    acting: String,

    /// Which column a field is read from: `title=opportunity_id`; guessed from the header where absent
    #[arg(long = "map", value_name = "FIELD=COLUMN")]
    mappings: Vec<String>,

    /// All options as JSON, as the HTTP API takes them; `--map` and `--dry-run` come on top
    #[arg(long, default_value = "{}", value_name = "JSON")]
    options: String,

    /// Only say what would happen
    #[arg(long)]
    dry_run: bool,
}

impl Import {
    pub(crate) async fn run(self) -> Outcome {
        let options = self.read_options()?;
        let crm = self.database.open_for_maintenance().await?;
        let caller = crm.as_user_with_email(&self.acting).await?;
        let import = self.stage(&caller, options).await?;

        let mut progress = Progress::begin("Importing", u64::try_from(import.total)?);
        let mut import = caller.imports().get(import.id).await?;
        while !import.state.is_final() {
            crm.run_import_step(&caller, import.id).await?;
            import = caller.imports().get(import.id).await?;
            progress.reach(u64::try_from(import.done())?);
        }
        progress.end();

        if import.state == ImportState::Failed {
            return Err(import.error.unwrap_or_default().into());
        }
        let would = if import.dry_run { "would be " } else { "" };
        say(format!(
            "{} rows: {} {would}created, {} skipped, {} rejected.",
            import.total, import.created, import.skipped, import.rejected
        ));
        for rejection in caller.imports().rejected(import.id, RejectionQuery::default()).await?.items {
            let column = rejection.column.map(|column| format!(", {column}")).unwrap_or_default();
            say(format!("  line {}{column}: {}", rejection.line, rejection.reason));
        }
        crm.close().await;
        Ok(if import.rejected == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
