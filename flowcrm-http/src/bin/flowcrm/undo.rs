use std::process::ExitCode;

use clap::Args;
use flowcrm_core::Caller;
use flowcrm_core::ids::ImportId;
use flowcrm_core::imports::{self, ImportState, KeptQuery};

use crate::import::finish;
use crate::progress::Progress;
use crate::settings::DatabaseSettings;
use crate::{Outcome, say};

/// Undoes an import: what it created is deleted, what it updated becomes what it was before. Records that somebody has
/// changed since, or that activities, deals or tasks refer to, are kept and listed; undo it again when they may go.
/// Ends with status 1 when records were kept.
#[derive(Debug, Args)]
pub(crate) struct Undo {
    #[command(flatten)]
    database: DatabaseSettings,

    /// The import's id, which `flowcrm import` says and `GET /api/imports` lists
    import: ImportId,

    /// The email of the user who undoes it; MANAGER, ADMIN or OWNER
    #[arg(long = "as", value_name = "EMAIL")]
    acting: String,
}

impl Undo {
    pub(crate) async fn run(self) -> Outcome {
        let crm = self.database.open_for_maintenance().await?;
        let caller = crm.as_user_with_email(&self.acting).await?;
        let begun = caller.imports().undo(self.import).await?;
        let progress = Progress::begin("Undoing", u64::try_from(begun.created + begun.updated)?);
        let undone = finish(&caller, begun.id, progress, imports::Import::taken_back).await?;
        let outcome = report(&caller, &undone).await;
        crm.close().await;
        outcome
    }
}

async fn report(caller: &Caller, import: &imports::Import) -> Outcome {
    if import.state == ImportState::Failed {
        return Err(import.error.clone().unwrap_or_default().into());
    }
    say(format!("{} removed, {} restored, {} kept.", import.removed, import.restored, import.kept));
    let mut query = KeptQuery::default();
    loop {
        let page = caller.imports().kept(import.id, query.clone()).await?;
        for kept in page.items {
            say(format!("  line {}, {}: {}", kept.line, kept.record_id, kept.reason));
        }
        match page.next {
            Some(cursor) => query = query.after(cursor),
            None => break,
        }
    }
    Ok(if import.kept == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
