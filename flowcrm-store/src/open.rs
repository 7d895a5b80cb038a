//! Opening a CRM by the URL of its database.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use flowcrm_core::auth::TokenKeys;
use flowcrm_core::env::Env;
use flowcrm_core::{Crm, Error, Result};
use tokio::runtime::Handle;

use crate::store::{SqlStore, sqlite_file};

/// How a CRM is opened. Most programs need [`open`] only.
#[derive(Clone)]
pub struct Opening {
    url: String,
    secret: Option<Vec<u8>>,
    old_secrets: Vec<Vec<u8>>,
    env: Env,
    migrates: bool,
}

/// Opens the CRM in the database at `url`.
///
/// A SQLite file is created and brought up to date, and its secret is made once and kept beside it
/// (`crm.db.secret`, readable by its owner only). A Postgres database needs `JWT_SECRET` in the environment, and to
/// have been brought up to date by `flowcrm migrate`.
///
/// ```
/// # async fn example() -> flowcrm_core::Result<()> {
/// let crm = flowcrm_store::open("sqlite:crm.db").await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// A field error for `DATABASE_URL` or `JWT_SECRET`; `unavailable` when the database does not answer; `conflict` when
/// it is not up to date.
pub async fn open(url: &str) -> Result<Crm> {
    let secret = std::env::var("JWT_SECRET").ok().map(String::into_bytes);
    Opening::of(url).secret(secret).open().await
}

impl Opening {
    /// The database at `url`.
    pub fn of(url: impl Into<String>) -> Self {
        Self { url: url.into(), secret: None, old_secrets: Vec::new(), env: Env::system(), migrates: false }
    }

    /// The secret that signs tokens, at least 32 bytes; needed for Postgres.
    #[must_use]
    pub fn secret(mut self, secret: Option<Vec<u8>>) -> Self {
        self.secret = secret;
        self
    }

    /// Secrets that signed tokens before, which still verify.
    #[must_use]
    pub fn old_secrets(mut self, secrets: Vec<Vec<u8>>) -> Self {
        self.old_secrets = secrets;
        self
    }

    /// Another clock and source of randomness.
    #[must_use]
    pub fn env(mut self, env: Env) -> Self {
        self.env = env;
        self
    }

    /// Brings a Postgres database up to date too.
    #[must_use]
    pub const fn migrating(mut self, migrates: bool) -> Self {
        self.migrates = migrates;
        self
    }

    /// Opens it, on a thread of its own: what migrates a database cannot move between threads.
    ///
    /// # Errors
    ///
    /// As [`open`].
    pub async fn open(self) -> Result<Crm> {
        let runtime = Handle::current();
        tokio::task::spawn_blocking(move || runtime.block_on(self.connect()))
            .await
            .map_err(Error::internal)?
    }

    async fn connect(self) -> Result<Crm> {
        let tokens = TokenKeys::new(&self.signing_secret()?, &self.old_secrets)?;
        let store = SqlStore::connect(&self.url).await?;
        if self.migrates || store.is_embedded() {
            store.migrate().await?;
        } else {
            store.require_migrated().await?;
        }
        Ok(Crm::new(store, tokens, self.env))
    }

    fn signing_secret(&self) -> Result<Vec<u8>> {
        if let Some(secret) = &self.secret {
            return Ok(secret.clone());
        }
        if let Some(file) = sqlite_file(&self.url) {
            return kept_secret(&secret_path(file), &self.env);
        }
        if self.url.starts_with("sqlite:") {
            return Ok(self.env.random_bytes::<32>().to_vec());
        }
        Err(Error::field(
            "JWT_SECRET",
            "must be set to at least 32 bytes, the same on every server of this database",
        ))
    }
}

fn secret_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".secret");
    PathBuf::from(name)
}

/// The secret in `path`; made, with mode 0600, when there is none.
fn kept_secret(path: &Path, env: &Env) -> Result<Vec<u8>> {
    match fs::read_to_string(path) {
        Ok(secret) => return Ok(secret.trim().as_bytes().to_vec()),
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(Error::internal(error)),
        Err(_) => {}
    }
    // Another process may make one at this moment: write aside, link into place, and take what is there then.
    let aside = path.with_added_extension(hex(&env.random_bytes::<8>()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&aside).map_err(Error::internal)?;
    let written = file.write_all(hex(&env.random_bytes::<32>()).as_bytes()).and_then(|()| file.sync_all());
    let linked = written.and_then(|()| fs::hard_link(&aside, path));
    fs::remove_file(&aside).map_err(Error::internal)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(Error::internal(error)),
        _ => fs::read(path).map_err(Error::internal),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
