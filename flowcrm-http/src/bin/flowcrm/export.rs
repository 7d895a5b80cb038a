use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use flowcrm_core::exports::{self, ExportKind};
use flowcrm_core::input::Body;
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt as _;

use crate::progress::Progress;
use crate::settings::DatabaseSettings;
use crate::{Outcome, say};

/// Writes all leads, deals or tasks that a user may list to a CSV file with a header, which `flowcrm import` takes
/// back. Cells that a spreadsheet would run as formulas have an apostrophe in front.
#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    database: DatabaseSettings,

    /// What to write: leads, deals or tasks
    kind: ExportKind,

    /// The file, which is replaced when it is there; standard output when absent
    file: Option<PathBuf>,

    /// The email of the user who exports
    #[arg(long = "as", value_name = "EMAIL")]
    acting: String,

    /// Only some records, as the HTTP API filters lists: `status=NEW`, `createdFrom=2026-01-01`
    #[arg(long = "filter", value_name = "NAME=VALUE")]
    filters: Vec<String>,
}

impl Export {
    pub(crate) async fn run(self) -> Outcome {
        let filters = self.read_filters()?;
        let crm = self.database.open_for_maintenance().await?;
        let caller = crm.as_user_with_email(&self.acting).await?;
        let export = caller.exports().begin(self.kind, filters).await?;
        match &self.file {
            Some(file) => write_file(export, self.kind, file).await?,
            None => write_to_standard_output(export).await?,
        }
        crm.close().await;
        Ok(ExitCode::SUCCESS)
    }

    fn read_filters(&self) -> Result<Body, String> {
        let pair = |filter: &String| match filter.split_once('=') {
            Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
            None => Err(format!("--filter {filter}: write NAME=VALUE")),
        };
        let pairs: Vec<(String, String)> = self.filters.iter().map(pair).collect::<Result<_, _>>()?;
        Ok(Body::from_query(pairs))
    }
}

/// Writes aside, and takes the file's place when all is there.
async fn write_file(export: exports::Export, kind: ExportKind, file: &Path) -> Result<(), Box<dyn Error>> {
    let mut aside = OsString::from(file);
    aside.push(".part");
    let written = write_aside(export, Path::new(&aside)).await;
    let moved = match written {
        Ok(count) => fs::rename(&aside, file).await.map(|()| count).map_err(Box::from),
        Err(error) => Err(error),
    };
    match moved {
        Ok(count) => say(format!("{count} {kind} are in {}.", file.display())),
        Err(error) => {
            // It may not have come to be.
            let _ = fs::remove_file(&aside).await;
            return Err(format!("cannot write {}: {error}", file.display()).into());
        }
    }
    Ok(())
}

async fn write_aside(mut export: exports::Export, aside: &Path) -> Result<u64, Box<dyn Error>> {
    let mut file = File::create(aside).await?;
    let mut progress = Progress::begin("Exporting", export.count().await?);
    while let Some(chunk) = export.next_chunk().await? {
        file.write_all(&chunk).await?;
        progress.reach(export.written());
    }
    file.sync_all().await?;
    progress.end();
    Ok(export.written())
}

async fn write_to_standard_output(mut export: exports::Export) -> Result<(), Box<dyn Error>> {
    let mut output = io::stdout();
    while let Some(chunk) = export.next_chunk().await? {
        match output.write_all(&chunk).and_then(|()| output.flush()) {
            // Whoever reads has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
            written => written?,
        }
    }
    Ok(())
}
