//! The words of records, by which `q` finds them: written in the transaction of every change.

use flowcrm_core::Result;
use uuid::Uuid;

use crate::sql::{OrgConnection, Sql, args, statements};

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
}

pub(crate) const LEADS: Terms =
    Terms { insert: "INSERT INTO lead_terms (org_id, term, id)", delete: DELETE_OF_LEAD };

pub(crate) const DEALS: Terms =
    Terms { insert: "INSERT INTO deal_terms (org_id, term, id)", delete: DELETE_OF_DEAL };

pub(crate) const TASKS: Terms =
    Terms { insert: "INSERT INTO task_terms (org_id, term, id)", delete: DELETE_OF_TASK };

/// The different words of a record's folded text.
fn different(words: &str) -> Vec<&str> {
    let mut words: Vec<&str> = words.split_whitespace().collect();
    words.sort_unstable();
    words.dedup();
    words
}

impl Terms {
    /// Adds the words of new records, given as folded text.
    pub(crate) async fn insert<'a>(
        self,
        connection: &mut OrgConnection,
        records: impl IntoIterator<Item = (Uuid, &'a str)>,
    ) -> Result<()> {
        let mut terms: Vec<(&str, Uuid)> = records
            .into_iter()
            .flat_map(|(id, words)| different(words).into_iter().map(move |word| (word, id)))
            .collect();
        // In the order of the table, neighbours go to the same page.
        terms.sort_unstable();
        let rows = terms.into_iter().map(|(word, id)| args![word, id]).collect();
        connection.insert_many(self.insert, "", rows).await.map(|_| ())
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
        let rows = new.map(|word| args![*word, id]).collect();
        connection.insert_many(self.insert, "", rows).await.map(|_| ())
    }
}
