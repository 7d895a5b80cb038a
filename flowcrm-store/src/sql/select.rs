//! The one place where SQL text is put together at run time: filters, order and page of a list.

use std::collections::BTreeSet;

use flowcrm_core::page::{Listing, SortKey, SortValue};

use super::{Engine, Value};

/// A list or count being put together; conditions are texts of ours with `?` for their value.
#[derive(Debug, Clone)]
pub(crate) struct Select {
    text: String,
    /// The values; of a tenant's list `$1` is the organization.
    values: Vec<Value>,
    is_bound: bool,
    /// The alias of the table whose rows are held against other writers.
    locked: Option<&'static str>,
    /// The values of a column that are looked up one by one.
    wanted: Option<(&'static str, Vec<Value>)>,
}

impl Select {
    /// Begins with a query whose last clause is `WHERE <alias>.org_id = $1`.
    pub(crate) fn new(head: &'static str) -> Self {
        Self {
            text: head.to_owned(),
            values: vec![Value::Uuid(None)],
            is_bound: false,
            locked: None,
            wanted: None,
        }
    }

    /// Begins with a query of the system role, whose last clause is a WHERE and which knows no organization.
    pub(crate) fn over_all_organizations(head: &'static str) -> Self {
        Self { text: head.to_owned(), values: Vec::new(), is_bound: true, locked: None, wanted: None }
    }

    /// Narrows by `condition`, in which every `?` stands for `value`.
    pub(crate) fn and(&mut self, condition: &'static str, value: impl Into<Value>) {
        let placeholder = self.placeholder(value);
        self.text.push_str("\n  AND ");
        self.text.push_str(&condition.replace('?', &placeholder));
    }

    /// Narrows by `condition` when there is a value.
    pub(crate) fn and_some(&mut self, condition: &'static str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.and(condition, value);
        }
    }

    /// Narrows to rows whose `column` has one of some values.
    pub(crate) fn and_in(
        &mut self,
        column: &'static str,
        values: impl IntoIterator<Item = impl Into<Value>>,
    ) {
        let placeholders: Vec<String> = values.into_iter().map(|value| self.placeholder(value)).collect();
        let condition = match placeholders.as_slice() {
            [] => "\n  AND FALSE".to_owned(),
            placeholders => format!("\n  AND {column} IN ({})", placeholders.join(", ")),
        };
        self.text.push_str(&condition);
    }

    /// Looks the rows up whose `column` has one of some values, each by index. [`and_in`](Self::and_in) leaves that to
    /// Postgres, which reads all rows of the organization when it has no statistics of a table that is just growing.
    pub(crate) fn each_of(mut self, column: &'static str, values: impl IntoIterator<Item = Value>) -> Self {
        self.wanted = Some((column, values.into_iter().collect()));
        self
    }

    /// Narrows to rows in which every word of `q` begins one of the folded words of `condition`'s column:
    /// `l.search LIKE ?`.
    pub(crate) fn and_words(&mut self, condition: &'static str, q: Option<&str>) {
        for word in words_of(&[q]).split_whitespace() {
            self.and(condition, format!("% {word}%"));
        }
    }

    /// Orders by a sort key and the id, begins behind the cursor, and asks for one row more than the limit.
    pub(crate) fn page<K: SortKey>(
        mut self,
        list: &Listing<K>,
        column: &'static str,
        id: &'static str,
    ) -> Self {
        let (comparison, direction) = if list.sort.descending { ("<", "DESC") } else { (">", "ASC") };
        if let Some(cursor) = &list.cursor {
            let value = match &cursor.value {
                SortValue::Time(moment) => Value::from(*moment),
                SortValue::Number(number) => Value::from(*number),
                SortValue::Text(text) => Value::from(text),
            };
            let (value, cursor_id) = (self.placeholder(value), self.placeholder(cursor.id));
            self.text += &format!("\n  AND ({column}, {id}) {comparison} ({value}, {cursor_id})");
        }
        self.text += &format!("\nORDER BY {column} {direction}, {id} {direction}");
        self.limit(list.limit + 1)
    }

    /// Orders by columns that no two rows share, begins behind the row that has these values of them, and asks for so
    /// many rows.
    pub(crate) fn walk(mut self, key: &[&'static str], behind: Option<Vec<Value>>, limit: usize) -> Self {
        let columns = key.join(", ");
        if let Some(behind) = behind {
            let values: Vec<String> = behind.into_iter().map(|value| self.placeholder(value)).collect();
            self.text += &format!("\n  AND ({columns}) > ({})", values.join(", "));
        }
        if !key.is_empty() {
            self.text += &format!("\nORDER BY {columns}");
        }
        self.limit(limit)
    }

    /// Asks for so many rows at most.
    pub(crate) fn limit(mut self, limit: usize) -> Self {
        let placeholder = self.placeholder(limit);
        self.text += &format!("\nLIMIT {placeholder}");
        self
    }

    /// Holds the rows of the table with this alias against other writers, until the transaction ends; SQLite has but
    /// one writer.
    pub(crate) fn locking(mut self, alias: &'static str) -> Self {
        self.locked = Some(alias);
        self
    }

    pub(super) fn of_organization(mut self, org: Value) -> Self {
        self.values[0] = org;
        self.is_bound = true;
        self
    }

    pub(super) fn into_parts(mut self, engine: Engine) -> (String, Vec<Value>) {
        debug_assert!(self.is_bound, "a list without its organization");
        match (self.wanted.take(), engine) {
            (Some((column, values)), Engine::Sqlite) => self.and_in(column, values),
            (Some((column, values)), Engine::Postgres) => self.look_up_each(column, &values),
            (None, _) => {}
        }
        if let (Some(alias), Engine::Postgres) = (self.locked, engine) {
            self.text += &format!("\nFOR UPDATE OF {alias}");
        }
        (self.text, self.values)
    }

    /// OFFSET 0 keeps Postgres from making one join of it, for which it would guess again.
    fn look_up_each(&mut self, column: &'static str, values: &[Value]) {
        let cast = if values.iter().any(|value| matches!(value, Value::Uuid(_))) { "::uuid" } else { "" };
        let texts: BTreeSet<String> = values.iter().filter_map(Value::to_text).collect();
        let wanted = self.placeholder(serde_json::Value::from(Vec::from_iter(texts)));
        self.text = format!(
            "SELECT found.* FROM jsonb_array_elements_text({wanted}) AS wanted(key) CROSS JOIN LATERAL (
{}
  AND {column} = wanted.key{cast}
OFFSET 0) AS found",
            self.text
        );
    }

    fn placeholder(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }
}

/// The words of some texts, folded by Unicode, each after a space: what `q` is compared with.
///
/// A word is a run of letters and digits, so a pattern made of words has nothing that `LIKE` would understand.
pub(crate) fn words_of(texts: &[Option<&str>]) -> String {
    let mut folded = String::new();
    for text in texts.iter().flatten() {
        for word in text.to_lowercase().split(|character: char| !character.is_alphanumeric()) {
            if !word.is_empty() {
                folded.push(' ');
                folded.push_str(word);
            }
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_by_unicode() {
        assert_eq!(
            words_of(&[Some("Ada LÖVELACE-Byron"), None, Some("a_b@x.org")]),
            " ada lövelace byron a b x org"
        );
        assert_eq!(words_of(&[Some("%_\\")]), "");
    }
}
