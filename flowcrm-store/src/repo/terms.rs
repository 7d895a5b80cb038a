//! The words of records, by which `q` finds them: written in the transaction of every change.

use flowcrm_core::Result;
use uuid::Uuid;

use crate::sql::{OrgConnection, Preparer, Sql, Value, args, statements};

statements! {
    DELETE_OF_LEAD = Sql::both("DELETE FROM lead_terms WHERE org_id = $1 AND term = $2 AND id = $3");

    DELETE_OF_DEAL = Sql::both("DELETE FROM deal_terms WHERE org_id = $1 AND term = $2 AND id = $3");

    DELETE_OF_TASK = Sql::both("DELETE FROM task_terms WHERE org_id = $1 AND term = $2 AND id = $3");
}

/// Whose words.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    insert: &'static str,
    delete: Sql,
    delete_many: &'static str,
}

pub(crate) const LEADS: Terms = Terms {
    insert: "INSERT INTO lead_terms (org_id, term, id)",
    delete: DELETE_OF_LEAD,
    delete_many: "DELETE FROM lead_terms WHERE (org_id, term, id)",
};

pub(crate) const DEALS: Terms = Terms {
    insert: "INSERT INTO deal_terms (org_id, term, id)",
    delete: DELETE_OF_DEAL,
    delete_many: "DELETE FROM deal_terms WHERE (org_id, term, id)",
};

pub(crate) const TASKS: Terms = Terms {
    insert: "INSERT INTO task_terms (org_id, term, id)",
    delete: DELETE_OF_TASK,
    delete_many: "DELETE FROM task_terms WHERE (org_id, term, id)",
};

/// The different words of a record's folded text.
fn different(words: &str) -> Vec<&str> {
    let mut words: Vec<&str> = words.split_whitespace().collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// The rows of records' words, in the order of the table: neighbours are on the same page.
fn rows_of<'a>(
    records: impl IntoIterator<Item = (Uuid, &'a str)>,
) -> impl Iterator<Item = Vec<Value>> + Send {
    let mut terms: Vec<(&str, Uuid)> = records
        .into_iter()
        .flat_map(|(id, words)| different(words).into_iter().map(move |word| (word, id)))
        .collect();
    terms.sort_unstable();
    terms.into_iter().map(|(word, id)| args![word, id])
}

impl Terms {
    /// Adds the words of new records, given as folded text.
    pub(crate) async fn insert<'a>(
        self,
        connection: &mut OrgConnection,
        records: impl IntoIterator<Item = (Uuid, &'a str)>,
    ) -> Result<()> {
        connection.insert_many(self.insert, "", rows_of(records)).await.map(|_| ())
    }

    /// Makes ready to add the words of new records, given as folded text.
    pub(crate) fn prepare<'a>(
        self,
        preparer: &Preparer,
        records: impl IntoIterator<Item = (Uuid, &'a str)>,
    ) -> Result<()> {
        preparer.insert_many(self.insert, rows_of(records))
    }

    /// Removes the words of records that have gone, given as folded text.
    pub(crate) async fn remove<'a>(
        self,
        connection: &mut OrgConnection,
        records: impl IntoIterator<Item = (Uuid, &'a str)>,
    ) -> Result<()> {
        connection.delete_many(self.delete_many, rows_of(records)).await.map(|_| ())
    }

    /// Adds the words that a record has got, and removes those that it had.
    pub(crate) async fn replace(
        self,
        connection: &mut OrgConnection,
        id: Uuid,
        former: &str,
        words: &str,
    ) -> Result<()> {
        let (former, words) = (different(former), different(words));
        for gone in former.iter().filter(|word| words.binary_search(word).is_err()) {
            connection.execute(self.delete, args![*gone, id]).await?;
        }
        let new = words.iter().filter(|word| former.binary_search(word).is_err());
        let rows: Vec<_> = new.map(|word| args![*word, id]).collect();
        connection.insert_many(self.insert, "", rows).await.map(|_| ())
    }
}
