use std::process::ExitCode;

use clap::Args;

use crate::settings::DatabaseSettings;
use crate::{Outcome, say};

/// Fills an empty database with three organizations and six users (password `password`), the same on every run.
/// Refuses a database that holds other organizations.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    #[command(flatten)]
    database: DatabaseSettings,

    /// Bring a Postgres database up to date first
    #[arg(long)]
    migrate: bool,
}

impl Demo {
    pub(crate) async fn run(self) -> Outcome {
        let crm = self.database.open(self.migrate).await?;
        let seeded = flowcrm_core::demo::seed(&crm).await?;
        say(match seeded {
            flowcrm_core::demo::Seeded::Now => "The demo organizations are ready.",
            flowcrm_core::demo::Seeded::Before => "The demo organizations were there already.",
        });
        say("Sign in as owner@techcorp.com with the password `password`.");
        crm.close().await;
        Ok(ExitCode::SUCCESS)
    }
}
