//! Statements about many rows, cut into such as an engine takes well.

use std::iter::Peekable;

use flowcrm_core::Result;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use super::transaction::{postgres, sqlite};
use super::{Engine, Value};

/// So many placeholders has a statement at most, rows as they are: SQLite takes 32,766 and Postgres 65,535, but a larger
/// one is not faster.
const PLACEHOLDERS_AT_ONCE: usize = 2_000;

/// Rows that wait to be written.
pub(super) struct Rows<I: Iterator<Item = Vec<Value>>> {
    /// What stands in front of the values of each.
    first: Option<Value>,
    rows: Peekable<I>,
}

/// A statement about some rows, ready to run.
pub(super) struct Statement {
    pub(super) text: SqlStr,
    pub(super) arguments: Arguments,
    /// It is about as many rows as there may be, so its text comes again, and is worth keeping prepared.
    pub(super) is_usual: bool,
}

pub(super) enum Arguments {
    Postgres(PgArguments),
    Sqlite(SqliteArguments),
}

impl<I: Iterator<Item = Vec<Value>>> Rows<I> {
    pub(super) fn new(first: Option<Value>, rows: I) -> Self {
        Self { first, rows: rows.peekable() }
    }

    /// Makes the statement about the next rows, whose text `text` makes of their placeholders; none when there are no
    /// more.
    pub(super) fn next_some(
        &mut self,
        engine: Engine,
        text: impl Fn(String) -> String,
    ) -> Result<Option<Statement>> {
        let Some(row) = self.rows.peek() else { return Ok(None) };
        let width = (row.len() + usize::from(self.first.is_some())).max(1);
        let at_once = (PLACEHOLDERS_AT_ONCE / width).max(1);
        let some: Vec<Vec<Value>> = self.rows.by_ref().take(at_once).collect();
        let count = some.len();
        let values = some.into_iter().flat_map(|row| self.first.clone().into_iter().chain(row));
        let arguments = match engine {
            Engine::Postgres => Arguments::Postgres(postgres(values)?),
            Engine::Sqlite => Arguments::Sqlite(sqlite(values)?),
        };
        let text = AssertSqlSafe(text(placeholders(engine, count, width))).into_sql_str();
        Ok(Some(Statement { text, arguments, is_usual: count == at_once }))
    }
}

/// The placeholders of some rows: `($1, $2), ($3, $4)`.
fn placeholders(engine: Engine, rows: usize, width: usize) -> String {
    let mut text = String::with_capacity(rows * width * 8);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { "), (" });
        for column in 0..width {
            if column > 0 {
                text.push_str(", ");
            }
            match engine {
                Engine::Postgres => text.push_str(&format!("${}", row * width + column + 1)),
                // SQLite looks each numbered placeholder up among all others, which makes thousands of them slow.
                Engine::Sqlite => text.push('?'),
            }
        }
    }
    text.push(')');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_stand_in_rows() {
        assert_eq!(placeholders(Engine::Postgres, 2, 2), "($1, $2), ($3, $4)");
        assert_eq!(placeholders(Engine::Sqlite, 3, 1), "(?), (?), (?)");
    }

    #[test]
    fn many_rows_are_cut_into_few_statements_of_which_all_but_the_last_are_alike() {
        let mut rows = Rows::new(Some(Value::from(7_i64)), (0..2_500_i64).map(|row| vec![Value::from(row)]));
        let mut texts = Vec::new();
        while let Some(statement) = rows.next_some(Engine::Sqlite, |rows| rows).expect("a statement") {
            texts.push((statement.text.as_str().to_owned(), statement.is_usual));
        }
        assert_eq!(texts.iter().map(|(_, is_usual)| *is_usual).collect::<Vec<_>>(), [true, true, false]);
        assert!(texts[0] == texts[1] && texts[2].0.len() < texts[0].0.len());
    }
}
