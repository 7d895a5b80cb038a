//! Records by the thousand, as an import adds them and its undoing removes them: each with its words, by which it is found,
//! and with what the dashboard counts.

use std::sync::Arc;

use flowcrm_core::Result;
use uuid::Uuid;

use super::figures::Figures;
use super::terms::Terms;
use crate::sql::{OrgConnection, Preparer, Value, args};

/// A kind of records.
pub(super) trait Many: Send + Sync + Sized + 'static {
    /// The beginning of an insert; [`values`](Self::values) gives what follows the organization.
    const INSERT: &'static str;
    /// The beginning of a deletion, up to the columns that name a record: the organization and its id.
    const DELETE: &'static str;
    const TERMS: Terms;

    fn id(&self) -> Uuid;

    /// Its words as folded text.
    fn search(&self) -> String;

    fn values(&self, words: &str) -> Vec<Value>;

    /// Counts a record no longer as it was, but as it is.
    fn count(figures: &mut Figures, former: Option<&Self>, now: Option<&Self>);
}

/// Adds new records; `conflict` when one of their external ids is taken.
pub(crate) async fn insert_all<R: Many>(connection: &mut OrgConnection, records: Arc<[R]>) -> Result<()> {
    let prepare = move |preparer: &Preparer| {
        let words = words_of_all(&records);
        let rows = records.iter().zip(&words).map(|(record, words)| record.values(words));
        preparer.insert_many(R::INSERT, rows)?;
        R::TERMS.prepare(preparer, with_ids(&records, &words))?;
        let mut figures = Figures::default();
        for record in records.iter() {
            R::count(&mut figures, None, Some(record));
        }
        Ok(figures)
    };
    let figures = connection.run_prepared(prepare).await?;
    connection.figures.add(figures);
    Ok(())
}

/// Deletes records that nothing refers to.
pub(crate) async fn remove_all<R: Many>(connection: &mut OrgConnection, records: &[R]) -> Result<()> {
    let ids: Vec<_> = records.iter().map(|record| args![record.id()]).collect();
    connection.delete_many(R::DELETE, ids).await?;
    R::TERMS.remove(connection, with_ids(records, &words_of_all(records))).await?;
    for record in records {
        R::count(&mut connection.figures, Some(record), None);
    }
    Ok(())
}

fn words_of_all<R: Many>(records: &[R]) -> Vec<String> {
    records.iter().map(R::search).collect()
}

fn with_ids<'a, R: Many>(records: &[R], words: &'a [String]) -> impl Iterator<Item = (Uuid, &'a str)> {
    records.iter().map(R::id).zip(words.iter().map(String::as_str))
}
