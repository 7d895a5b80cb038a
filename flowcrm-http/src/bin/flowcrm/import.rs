use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use flowcrm_core::Caller;
use flowcrm_core::ids::ImportId;
use flowcrm_core::imports::{self, ImportKind, ImportState, RejectionQuery};
use flowcrm_core::input::Body;
use serde_json::Value;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::progress::Progress;
use crate::settings::DatabaseSettings;
use crate::{Outcome, say};

/// Reads a CSV file into an organization. Encoding, delimiter, columns, dates and amounts are understood by
/// themselves; what a file leaves open is asked for. Rows that are not valid are left out and listed with line, column
/// and reason; what is there already is skipped. Ends with status 1 when rows were rejected.
#[derive(Debug, Args)]
pub(crate) struct Import {
    #[command(flatten)]
    database: DatabaseSettings,

    /// What the file lists: leads or deals
    kind: ImportKind,

    /// The CSV file
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

    /// Where to write the rejected rows with their reasons, to be put right and imported again
    #[arg(long, value_name = "FILE")]
    rejected: Option<PathBuf>,

    /// Only say what would happen
    #[arg(long)]
    dry_run: bool,
}

impl Import {
    pub(crate) async fn run(self) -> Outcome {
        let options = self.read_options()?;
        let crm = self.database.open_for_maintenance().await?;
        let caller = crm.as_user_with_email(&self.acting).await?;
        let staged = self.stage(&caller, options).await?;
        let progress = Progress::begin("Importing", u64::try_from(staged.total)?);
        let import = finish(&caller, staged.id, progress, imports::Import::processed).await?;
        if let Some(path) = &self.rejected {
            write_rejected(&caller, &import, path).await?;
        }
        let outcome = report(&caller, &import).await;
        crm.close().await;
        outcome
    }

    /// The options, with what the flags say on top.
    fn read_options(&self) -> Result<Body, Box<dyn Error>> {
        let mut options: Value =
            serde_json::from_str(&self.options).map_err(|error| format!("--options: {error}"))?;
        for mapping in &self.mappings {
            let (field, column) =
                mapping.split_once('=').ok_or_else(|| format!("--map {mapping}: write FIELD=COLUMN"))?;
            options["mapping"][field] = Value::from(column);
        }
        if self.dry_run {
            options["dryRun"] = Value::from(true);
        }
        Ok(Body::try_from(options)?)
    }

    /// Reads the file into the database, where it waits to be applied.
    async fn stage(&self, caller: &Caller, options: Body) -> Result<imports::Import, Box<dyn Error>> {
        let shown = self.file.display();
        let mut file =
            File::open(&self.file).await.map_err(|error| format!("cannot read {shown}: {error}"))?;
        let name = self.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut staging = caller.imports().begin(self.kind, options, name).await?;
        let mut progress = Progress::begin("Reading", file.metadata().await?.len());
        let (mut buffer, mut received) = (vec![0; 64 * 1024], 0);
        loop {
            let length = file.read(&mut buffer).await?;
            if length == 0 {
                break;
            }
            staging.push(&buffer[..length]).await?;
            received += length as u64;
            progress.reach(received);
        }
        progress.end();
        Ok(staging.finish().await?)
    }
}

/// Works on what waits, here unless a server has taken it up, and follows an import to its end; `done` says how far it
/// is.
pub(crate) async fn finish(
    caller: &Caller,
    id: ImportId,
    mut progress: Progress,
    done: impl Fn(&imports::Import) -> i64,
) -> Result<imports::Import, Box<dyn Error>> {
    let mut run = caller.imports().run(id).await?;
    let mut last = None;
    while let Some(import) = run.next().await? {
        progress.reach(u64::try_from(done(&import))?);
        last = Some(import);
    }
    progress.end();
    run.end().await?;
    Ok(last.ok_or("the import is gone")?)
}

async fn write_rejected(
    caller: &Caller,
    import: &imports::Import,
    path: &Path,
) -> Result<(), Box<dyn Error>> {
    let shown = path.display();
    let unwritable = |error: std::io::Error| format!("cannot write {shown}: {error}");
    let mut rows = caller.imports().rejected_file(import.id).await?;
    let mut file = File::create(path).await.map_err(unwritable)?;
    while let Some(chunk) = rows.next_chunk().await? {
        file.write_all(&chunk).await.map_err(unwritable)?;
    }
    Ok(file.flush().await.map_err(unwritable)?)
}

async fn report(caller: &Caller, import: &imports::Import) -> Outcome {
    if import.state == ImportState::Failed {
        return Err(import.error.clone().unwrap_or_default().into());
    }
    let would = if import.dry_run { "would be " } else { "" };
    say(format!(
        "{} rows: {} {would}created, {} {would}updated, {} skipped, {} rejected.",
        import.total, import.created, import.updated, import.skipped, import.rejected
    ));
    if import.created + import.updated > 0 && !import.dry_run {
        say(format!("`flowcrm undo {}` takes it back.", import.id));
    }
    let mut query = RejectionQuery::default();
    loop {
        let page = caller.imports().rejected(import.id, query.clone()).await?;
        for rejection in page.items {
            let column = rejection.column.map(|column| format!(", {column}")).unwrap_or_default();
            say(format!("  line {}{column}: {}", rejection.line, rejection.reason));
        }
        match page.next {
            Some(cursor) => query = query.after(cursor),
            None => break,
        }
    }
    Ok(if import.rejected == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
