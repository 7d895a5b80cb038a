use clap::Args;
use flowcrm_core::{Crm, Result};
use flowcrm_store::Opening;

/// Where the data is.
#[derive(Args, Clone)]
pub(crate) struct DatabaseSettings {
    /// The database: `sqlite:crm.db` (made when it is not there) or `postgres://user:password@host/name`
    #[arg(
        long,
        env = "DATABASE_URL",
        default_value = "sqlite:flowcrm.db",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub(crate) database_url: String,

    /// The secret that signs tokens, at least 32 bytes; made and kept beside a SQLite file when absent
    #[arg(long, env = "JWT_SECRET", hide_env_values = true, value_name = "SECRET")]
    jwt_secret: Option<String>,

    /// Secrets that signed tokens before and still count, separated by commas
    #[arg(
        long,
        env = "FLOWCRM_JWT_SECRETS_OLD",
        hide_env_values = true,
        value_delimiter = ',',
        value_name = "SECRETS"
    )]
    jwt_secrets_old: Vec<String>,
}

impl std::fmt::Debug for DatabaseSettings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("DatabaseSettings")
    }
}

impl DatabaseSettings {
    /// Opens the CRM; with `migrates`, a Postgres database is brought up to date first.
    pub(crate) async fn open(&self, migrates: bool) -> Result<Crm> {
        let old = self.jwt_secrets_old.iter().filter(|secret| !secret.is_empty());
        Opening::of(&self.database_url)
            .secret(self.jwt_secret.clone().filter(|secret| !secret.is_empty()).map(String::into_bytes))
            .old_secrets(old.map(|secret| secret.clone().into_bytes()).collect())
            .migrating(migrates)
            .open()
            .await
    }

    /// Opens the CRM for a command that signs nothing: any secret does where none is set.
    pub(crate) async fn open_for_maintenance(&self) -> Result<Crm> {
        if self.jwt_secret.is_some() || self.database_url.starts_with("sqlite:") {
            return self.open(false).await;
        }
        let secret = flowcrm_core::env::Env::system().random_bytes::<32>().to_vec();
        Opening::of(&self.database_url).secret(Some(secret)).open().await
    }
}
