//! Backups: one SQLite file of the whole database, as it is at one moment, while it is served.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use flowcrm_core::env::Env;
use flowcrm_core::{Error, Result};

use crate::copy::Extent;
use crate::open::hex;
use crate::sql::Database;
use crate::store::SqlStore;

impl SqlStore {
    /// Writes everything to a new SQLite file, which `flowcrm serve` can open: a SQLite database as it is, a Postgres
    /// database as [`SqlStore::copy_to`] copies it. The file is written aside, checked, and in its place only when it
    /// is whole; only its owner may read it. `progress` is told how many rows of how many are done, where that is
    /// known.
    ///
    /// The secret that signs tokens is no part of it.
    ///
    /// # Errors
    ///
    /// `conflict` when the file is there already; `internal_error` when it cannot be written; `unavailable`.
    pub async fn back_up(&self, file: &Path, progress: impl FnMut(u64, u64) + Send) -> Result<()> {
        refuse_present(file)?;
        let aside = Aside::beside(file)?;
        match &self.database {
            Database::Sqlite { .. } => self.database.vacuum_into(&aside.path).await?,
            Database::Postgres(_) => self.copy_to_file(&aside.path, progress).await?,
        }
        Database::check_file(&aside.path).await?;
        refuse_present(file)?;
        aside.put_in_place(file).map_err(Error::internal)
    }

    async fn copy_to_file(&self, file: &Path, progress: impl FnMut(u64, u64) + Send) -> Result<()> {
        let copy = Self::on(Database::connect_file(file).await?);
        copy.migrate().await?;
        let copied = self.copy_to(&copy, Extent::Everything, progress).await;
        // The last connection to close leaves everything in the one file.
        copy.database.close().await;
        copied.map(|_| ())
    }
}

fn refuse_present(file: &Path) -> Result<()> {
    if file.exists() {
        return Err(Error::conflict(format!("{} is there already: name a new file.", file.display())));
    }
    Ok(())
}

/// A file that is not in its place yet; it goes when it does not get there.
struct Aside {
    path: PathBuf,
}

impl Aside {
    fn beside(file: &Path) -> Result<Self> {
        let path = file.with_added_extension(hex(&Env::system().random_bytes::<8>()));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&path).map_err(Error::internal)?;
        Ok(Self { path })
    }

    /// Moves the file to its place, so that it outlives a power cut.
    fn put_in_place(self, file: &Path) -> io::Result<()> {
        File::open(&self.path)?.sync_all()?;
        fs::rename(&self.path, file)?;
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            let mut name = OsString::from(&self.path);
            name.push(suffix);
            // What is in its place, or never was, cannot be removed.
            let _ = fs::remove_file(name);
        }
    }
}
