//! Statements about many rows, made ready by a thread of their own while the database works on those before them.

use flowcrm_core::{Error, Result};
use tokio::sync::mpsc;

use super::rows::{Rows, Statement};
use super::{Engine, OrgConnection, Value};

/// So many statements wait at most until the database comes to them.
const READY: usize = 4;

/// Makes statements ready for one transaction.
pub(crate) struct Preparer {
    engine: Engine,
    org: Value,
    ready: mpsc::Sender<Statement>,
}

impl Preparer {
    /// Inserts many rows; the organization is put in front of each.
    pub(crate) fn insert_many(
        &self,
        head: &'static str,
        rows: impl IntoIterator<Item = Vec<Value>>,
    ) -> Result<()> {
        let mut rows = Rows::new(Some(self.org.clone()), rows.into_iter());
        while let Some(statement) = rows.next_some(self.engine, |rows| format!("{head} {rows}"))? {
            if self.ready.blocking_send(statement).is_err() {
                // One before it has failed, or nobody waits any more.
                break;
            }
        }
        Ok(())
    }
}

impl OrgConnection {
    /// Runs the statements that `prepare` makes ready, in their order; answers what it comes to.
    pub(crate) async fn run_prepared<T: Send + 'static>(
        &mut self,
        prepare: impl FnOnce(&Preparer) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (ready, mut statements) = mpsc::channel(READY);
        let preparer = Preparer { engine: self.engine(), org: self.org(), ready };
        let preparing = tokio::task::spawn_blocking(move || prepare(&preparer));
        while let Some(statement) = statements.recv().await {
            self.tx.change(statement).await?;
        }
        preparing.await.map_err(Error::internal)?
    }
}
