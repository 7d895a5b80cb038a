use std::process::ExitCode;

use clap::Args;
use flowcrm_core::ids::OrgId;
use flowcrm_store::{Extent, SqlStore};

use crate::progress::Progress;
use crate::{Outcome, say};

/// Copies all organizations, or one, as they are at one moment, into another database; from SQLite to Postgres, back,
/// or on one engine. Everything arrives, or nothing does. Sessions stay behind: everybody signs in again.
#[derive(Args)]
pub(crate) struct Copy {
    /// The database to copy from, which goes on being served
    #[arg(long, value_name = "URL")]
    from: String,

    /// The database to copy to; a SQLite file is made
    #[arg(long, value_name = "URL")]
    to: String,

    /// Only this organization; the target may hold others then
    #[arg(long, value_name = "ID")]
    organization: Option<OrgId>,

    /// Bring the target up to date first (a SQLite file always is)
    #[arg(long)]
    migrate: bool,
}

impl std::fmt::Debug for Copy {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The addresses may hold passwords.
        formatter.debug_struct("Copy").field("organization", &self.organization).finish_non_exhaustive()
    }
}

impl Copy {
    pub(crate) async fn run(self) -> Outcome {
        let source =
            SqlStore::connect_existing(&self.from).await.map_err(|error| format!("--from: {error}"))?;
        source.require_migrated().await.map_err(|error| format!("--from: {error}"))?;
        let target = SqlStore::connect(&self.to).await.map_err(|error| format!("--to: {error}"))?;
        if self.migrate || target.is_embedded() {
            target.migrate().await?;
        }
        target.require_migrated().await.map_err(|error| format!("--to: {error}"))?;

        let extent = self.organization.map_or(Extent::Everything, Extent::Organization);
        let mut progress = Progress::of_unknown("Copying");
        let copied = source.copy_to(&target, extent, |done, total| progress.reach_of(done, total)).await;
        progress.end();
        let copied = copied?;
        say(format!("{} organizations with {} rows are there.", copied.organizations, copied.rows));
        say("Sessions were left behind: everybody signs in again.");
        Ok(ExitCode::SUCCESS)
    }
}
