use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use flowcrm_store::SqlStore;

use crate::progress::Progress;
use crate::settings::DatabaseSettings;
use crate::{Outcome, say};

/// Writes the whole database, as it is at one moment, to a new SQLite file, while it is served. `flowcrm serve` opens
/// the file; `flowcrm copy` brings it back into Postgres.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    #[command(flatten)]
    database: DatabaseSettings,

    /// The file to write; it must not be there yet
    file: PathBuf,
}

impl Backup {
    pub(crate) async fn run(self) -> Outcome {
        let store = SqlStore::connect_existing(&self.database.database_url).await?;
        store.require_migrated().await?;
        let mut progress = Progress::of_unknown("Backing up");
        let done = store.back_up(&self.file, |done, total| progress.reach_of(done, total)).await;
        progress.end();
        done?;
        say(format!("The backup is in {}, and it is whole.", self.file.display()));
        let secret = if store.is_embedded() {
            "the file that ends in .secret beside the database, or JWT_SECRET"
        } else {
            "JWT_SECRET"
        };
        say(format!("It does not have the secret that signs tokens: keep {secret} apart from it."));
        Ok(ExitCode::SUCCESS)
    }
}
