//! Statements about many rows, cut into such as an engine takes well: SQLite a placeholder for each value, Postgres an
//! array for each column, which costs it neither parsing nor planning.

use std::iter::Peekable;

use flowcrm_core::Result;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use super::column::Column;
use super::transaction::{postgres, sqlite};
use super::{Engine, Value};

/// So many rows has a statement on Postgres at most.
const ROWS_AT_ONCE: usize = 1_000;

/// So many placeholders has one on SQLite at most. It takes 32,766, but a larger one is not faster.
const PLACEHOLDERS_AT_ONCE: usize = 2_000;

/// So few rows are usual: what changes with one record.
const FEW: usize = 12;

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
    /// Its text comes again, and is worth keeping prepared.
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

    /// Makes the statement about the next rows, whose text `text` makes of the query that gives them; none when there
    /// are no more.
    pub(super) fn next_some(
        &mut self,
        engine: Engine,
        text: impl Fn(String) -> String,
    ) -> Result<Option<Statement>> {
        let Some(row) = self.rows.peek() else { return Ok(None) };
        let width = (row.len() + usize::from(self.first.is_some())).max(1);
        let at_once = match engine {
            Engine::Postgres => ROWS_AT_ONCE,
            Engine::Sqlite => (PLACEHOLDERS_AT_ONCE / width).max(1),
        };
        let some: Vec<Vec<Value>> = self.rows.by_ref().take(at_once).collect();
        let count = some.len();
        let first = self.first.clone();
        let (rows, arguments, is_usual) = match engine {
            Engine::Postgres if count > 1 => {
                let (rows, arguments) = arrays(first, some)?;
                (rows, Arguments::Postgres(arguments), true)
            }
            Engine::Postgres => {
                let arguments = postgres(first.into_iter().chain(some.into_iter().flatten()))?;
                (placeholders(engine, 1, width), Arguments::Postgres(arguments), true)
            }
            Engine::Sqlite => {
                let values = some.into_iter().flat_map(|row| first.clone().into_iter().chain(row));
                let is_usual = count == at_once || count <= FEW;
                (placeholders(engine, count, width), Arguments::Sqlite(sqlite(values)?), is_usual)
            }
        };
        Ok(Some(Statement { text: AssertSqlSafe(text(rows)).into_sql_str(), arguments, is_usual }))
    }
}

/// Some rows out of an array for each column: `SELECT $1, r.* FROM UNNEST($2::uuid[], $3::text[]) AS r`.
fn arrays(first: Option<Value>, rows: Vec<Vec<Value>>) -> Result<(String, PgArguments)> {
    let count = rows.len();
    let kinds = rows.first().into_iter().flatten().map(Value::kind);
    let mut columns: Vec<Column> = kinds.map(|kind| Column::of(kind, count)).collect();
    for row in rows {
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value)?;
        }
    }
    let (constant, before) = if first.is_some() { ("$1, ", 1) } else { ("", 0) };
    let array =
        |(number, column): (usize, &Column)| format!("${}::{}", before + number + 1, column.array_type());
    let unnested: Vec<String> = columns.iter().enumerate().map(array).collect();
    let text = format!("SELECT {constant}r.* FROM UNNEST({}) AS r", unnested.join(", "));
    let mut arguments = postgres(first)?;
    for column in columns {
        column.bind(&mut arguments)?;
    }
    Ok((text, arguments))
}

/// Some rows out of placeholders: `VALUES ($1, $2), ($3, $4)`.
fn placeholders(engine: Engine, rows: usize, width: usize) -> String {
    let mut text = String::with_capacity(8 + rows * width * 8);
    for row in 0..rows {
        text.push_str(if row == 0 { "VALUES (" } else { "), (" });
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
    use crate::sql::args;

    use super::*;

    #[test]
    fn rows_stand_as_placeholders_or_as_columns() {
        assert_eq!(placeholders(Engine::Postgres, 2, 2), "VALUES ($1, $2), ($3, $4)");
        assert_eq!(placeholders(Engine::Sqlite, 3, 1), "VALUES (?), (?), (?)");
        let rows = vec![args!["a", 1_i64, true], args!["b", None::<i64>, false]];
        let (text, _) = arrays(Some(Value::from(7_i64)), rows.clone()).expect("a statement");
        assert_eq!(text, "SELECT $1, r.* FROM UNNEST($2::text[], $3::bigint[], $4::boolean[]) AS r");
        let (text, _) = arrays(None, rows).expect("a statement");
        assert_eq!(text, "SELECT r.* FROM UNNEST($1::text[], $2::bigint[], $3::boolean[]) AS r");
        assert!(arrays(None, vec![args![1_i64], args!["b"]]).is_err());
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
