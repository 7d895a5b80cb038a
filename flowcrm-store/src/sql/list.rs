//! Lists that stay as fast as they are however many records there are.
//!
//! A page is found in one of three ways. **In order**: an index that lists the wanted records in the wanted order is
//! read until the page is full. **Among few**: when a filter has at most [`FEW`] matches, these are read and sorted;
//! on SQLite, an index that has them in the wanted order is read in that order instead.
//! **By walking**: the index of the sort key is read, and what the filters refuse is passed over; only filters with
//! many matches are left to this, so the page fills soon. Which way it is follows from counting each filter's matches,
//! up to [`FEW`], where the filters do not say it by themselves; that there are more is believed for some seconds
//! ([`Crowds`](super::Crowds)). SQLite is told which index to use; Postgres finds it by its statistics.

use flowcrm_core::page::{Listing, SortKey, SortValue};
use flowcrm_core::{Error, Result};

use super::{Engine, OrgConnection, Row, Value, words_of};

/// How many matches are read and sorted, rather than looked for in the order of the list.
const FEW: usize = 5_000;

/// How many of the words searched for are looked up, the longest first; the others are compared.
const WORDS_LOOKED_UP: usize = 3;

/// A table that is listed.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) alias: &'static str,
    /// What the rows of a page have.
    pub(crate) columns: &'static str,
    /// What is joined to the rows of a page.
    pub(crate) joins: &'static str,
    /// Where the words of its records are kept.
    pub(crate) terms: &'static str,
}

/// An index, and the column by which it orders the records that a filter selects.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Index {
    pub(crate) name: &'static str,
    pub(crate) order: &'static str,
}

/// A condition that may narrow a list.
#[derive(Debug, Clone)]
struct Filter {
    /// Conditions with `?` for their value.
    conditions: Vec<(&'static str, Value)>,
    /// What finds its matches, the best first; none when nothing does.
    indexes: &'static [Index],
    /// Whether it bounds the column that its index is ordered by.
    is_range: bool,
}

impl Filter {
    /// Its index that has an order.
    fn index_in(&self, order: &str) -> Option<Index> {
        self.indexes.iter().find(|index| index.order == order).copied()
    }
}

/// How the rows of a branch are found.
#[derive(Debug, Clone, Copy)]
enum Path<'a> {
    /// Read this index until the page is full.
    InOrder(Index),
    /// Read all rows that this index finds, then sort.
    AmongFew(&'a Filter),
    /// Read all rows with a word that begins so, then sort.
    AmongWords(&'a str),
}

impl Path<'_> {
    /// The same rows in the order of `by` where an index has them so: the page may be full before all are read. Not on
    /// Postgres, which cannot be told the index, and might look for few rows in that of the order.
    fn in_order(self, by: Index, engine: Engine) -> Self {
        let ordered = match self {
            Self::AmongFew(filter) if engine == Engine::Sqlite => filter.index_in(by.order),
            _ => None,
        };
        ordered.map_or(self, Self::InOrder)
    }
}

/// A list or count being put together.
#[derive(Debug)]
pub(crate) struct List {
    table: &'static Table,
    /// What the viewer may see, in parts that share no record; everything when there are none.
    parts: Vec<Filter>,
    filters: Vec<Filter>,
    /// The folded words to search for, the longest first.
    words: Vec<String>,
    /// How many matches are few.
    few: usize,
}

impl List {
    pub(crate) const fn of(table: &'static Table) -> Self {
        Self { table, parts: Vec::new(), filters: Vec::new(), words: Vec::new(), few: FEW }
    }

    /// Adds a part of what the viewer may see; the parts must share no record.
    pub(crate) fn see(
        &mut self,
        condition: &'static str,
        value: impl Into<Value>,
        indexes: &'static [Index],
    ) {
        self.parts.push(Filter { conditions: vec![(condition, value.into())], indexes, is_range: false });
    }

    /// Narrows by `condition`, in which every `?` stands for `value`, when there is one.
    pub(crate) fn only(
        &mut self,
        condition: &'static str,
        value: Option<impl Into<Value>>,
        indexes: &'static [Index],
    ) {
        if let Some(value) = value {
            let conditions = vec![(condition, value.into())];
            self.filters.push(Filter { conditions, indexes, is_range: false });
        }
    }

    /// Narrows by the bounds of a range that have a value; `indexes` are ordered by the column that they bound.
    pub(crate) fn between<const BOUNDS: usize>(
        &mut self,
        bounds: [(&'static str, Option<impl Into<Value>>); BOUNDS],
        indexes: &'static [Index],
    ) {
        let given = bounds.into_iter().filter_map(|(condition, value)| Some((condition, value?.into())));
        let conditions: Vec<_> = given.collect();
        if !conditions.is_empty() {
            self.filters.push(Filter { conditions, indexes, is_range: true });
        }
    }

    /// Narrows to records with words that begin with those of `q`.
    pub(crate) fn search(&mut self, q: Option<&str>) {
        self.words = words_of(&[q]).split_whitespace().map(str::to_owned).collect();
        self.words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        self.words.dedup();
    }

    /// What may lead to few records: every filter with an index, but not the bounds of the order, within which it is
    /// walked anyway; and some of the words.
    fn doors(&self, order: Option<&str>) -> Vec<Path<'_>> {
        let is_walked =
            |filter: &Filter| filter.is_range && order.is_some_and(|order| filter.index_in(order).is_some());
        let filters = self.filters.iter().filter(|filter| !filter.indexes.is_empty() && !is_walked(filter));
        let words = self.words.iter().take(WORDS_LOOKED_UP).map(|word| Path::AmongWords(word));
        filters.map(Path::AmongFew).chain(words).collect()
    }

    /// How many records lie behind each door, counted up to one more than are few, unless there lately were as many.
    async fn look(&self, connection: &mut OrgConnection, doors: &[Path<'_>]) -> Result<Vec<usize>> {
        let (crowds, org) = (connection.crowds.clone(), connection.org_id());
        let keys: Vec<u64> =
            doors.iter().map(|door| crowds.key(org, self.table.name, (self.few, door))).collect();
        let mut counts = vec![self.few + 1; doors.len()];
        let uncounted: Vec<usize> = (0..doors.len()).filter(|door| !crowds.has(keys[*door])).collect();
        if uncounted.is_empty() {
            return Ok(counts);
        }
        let asked: Vec<Path<'_>> = uncounted.iter().map(|door| doors[*door]).collect();
        let rows = connection.composed(self.look_text(connection.engine(), &asked)).await?;
        let row = rows.first().ok_or_else(|| Error::internal("a count without its row"))?;
        for (number, door) in uncounted.into_iter().enumerate() {
            let count = row.int(&format!("door_{number}"))?;
            counts[door] = usize::try_from(count).map_err(Error::internal)?;
            if counts[door] > self.few {
                crowds.note(keys[door]);
            }
        }
        Ok(counts)
    }

    fn look_text(&self, engine: Engine, doors: &[Path<'_>]) -> Text {
        let mut text = Text::new(engine);
        for (number, door) in doors.iter().enumerate() {
            text.push(if number == 0 { "SELECT " } else { ",\n    " });
            text.push("(SELECT COUNT(*) FROM (SELECT 1 FROM ");
            match door {
                Path::AmongFew(filter) => {
                    text.table(self.table, filter.indexes.first());
                    text.narrow(filter);
                }
                Path::AmongWords(word) => text.terms(self.table, word),
                Path::InOrder(index) => text.table(self.table, Some(index)),
            }
            text.limit(self.few + 1);
            text.push(&format!(") behind) AS door_{number}"));
        }
        text
    }

    /// The index that gives a page by itself: that of the only filter, where nothing else narrows the list.
    fn straight(&self, by: Index) -> Option<Index> {
        match (self.parts.as_slice(), self.filters.as_slice(), self.words.as_slice()) {
            ([], [filter], []) => filter.index_in(by.order),
            _ => None,
        }
    }

    /// The doors that the way to a page depends on: shared ones first, then the parts that have no such order.
    fn doors_to_look_at(&self, by: Index) -> Vec<Path<'_>> {
        if self.straight(by).is_some() {
            return Vec::new();
        }
        let unordered = self.parts.iter().filter(|part| part.index_in(by.order).is_none());
        self.doors(Some(by.order)).into_iter().chain(unordered.map(Path::AmongFew)).collect()
    }

    /// How to find a page ordered as `by` is: each branch with the parts that it is about.
    async fn branches(&self, connection: &mut OrgConnection, by: Index) -> Result<Vec<Branch<'_>>> {
        if let Some(index) = self.straight(by) {
            return Ok(vec![Branch { parts: Vec::new(), path: Path::InOrder(index) }]);
        }
        let doors = self.doors_to_look_at(by);
        let counts = if doors.is_empty() { Vec::new() } else { self.look(connection, &doors).await? };
        let shared = self.doors(Some(by.order)).len();
        let narrowest = (0..shared).min_by_key(|door| counts[*door]);
        if let Some(door) = narrowest.filter(|door| counts[*door] <= self.few) {
            let path = doors[door].in_order(by, connection.engine());
            return Ok(vec![Branch { parts: self.parts.iter().collect(), path }]);
        }
        if self.parts.is_empty() {
            // Bounds of the order come last: the order of another filter has them too.
            let mut filters: Vec<&Filter> = self.filters.iter().collect();
            filters.sort_by_key(|filter| filter.is_range);
            let index = filters.into_iter().find_map(|filter| filter.index_in(by.order)).unwrap_or(by);
            return Ok(vec![Branch { parts: Vec::new(), path: Path::InOrder(index) }]);
        }
        // Parts with many records and another order are walked together, as they pass over the same records.
        let mut counts = counts.into_iter().skip(shared);
        let (mut branches, mut walked) = (Vec::new(), Vec::new());
        for part in &self.parts {
            match part.index_in(by.order) {
                Some(index) => branches.push(Branch { parts: vec![part], path: Path::InOrder(index) }),
                None if counts.next().is_some_and(|count| count <= self.few) => {
                    branches.push(Branch { parts: vec![part], path: Path::AmongFew(part) });
                }
                None => walked.push(part),
            }
        }
        if !walked.is_empty() {
            branches.push(Branch { parts: walked, path: Path::InOrder(by) });
        }
        Ok(branches)
    }

    /// How to count: among few, if a filter or word has few matches.
    async fn few(&self, connection: &mut OrgConnection) -> Result<Option<Path<'_>>> {
        let doors = self.doors(None);
        if doors.is_empty() {
            return Ok(None);
        }
        let counts = self.look(connection, &doors).await?;
        let narrowest = (0..doors.len()).min_by_key(|door| counts[*door]);
        Ok(narrowest.filter(|door| counts[*door] <= self.few).map(|door| doors[door]))
    }
}

/// Some of a list's records, and the way to them.
#[derive(Debug)]
struct Branch<'a> {
    /// What of the visible; everything when there are none.
    parts: Vec<&'a Filter>,
    path: Path<'a>,
}

impl OrgConnection {
    /// One page of a list, and one row more when there are more; `by` is the index of the sort key.
    pub(crate) async fn page<K: SortKey>(
        &mut self,
        list: &List,
        listing: &Listing<K>,
        by: Index,
    ) -> Result<Vec<Row>> {
        let branches = list.branches(self, by).await?;
        let text = page_text(self.engine(), list, listing, by, &branches);
        self.composed(text).await
    }

    /// How many records a list has.
    pub(crate) async fn total(&mut self, list: &List) -> Result<u64> {
        let few = list.few(self).await?;
        let all: Vec<&Filter> = list.parts.iter().collect();
        let mut text = Text::new(self.engine());
        text.push("SELECT COUNT(*) AS count FROM (\n");
        if few.is_some() || all.len() < 2 {
            text.rows(list, "1 AS one", &all, few);
        } else {
            for (number, part) in all.into_iter().enumerate() {
                text.push(if number == 0 { "" } else { "\nUNION ALL\n" });
                text.rows(list, "1 AS one", &[part], None);
            }
        }
        text.push("\n) listed");
        self.composed(text).await?.first().map_or(Ok(0), |row| row.count("count"))
    }

    async fn composed(&mut self, text: Text) -> Result<Vec<Row>> {
        let org = self.org();
        let Text { sql, mut values, .. } = text;
        values[0] = org;
        self.tx.planned(sql, values).await
    }
}

fn page_text<K: SortKey>(
    engine: Engine,
    list: &List,
    listing: &Listing<K>,
    by: Index,
    branches: &[Branch<'_>],
) -> Text {
    let alias = list.table.alias;
    let mut text = Text::new(engine);
    text.push(&format!("SELECT {}\nFROM (\n", list.table.columns));
    for (number, Branch { parts, path }) in branches.iter().enumerate() {
        text.push(if number == 0 { "SELECT * FROM (\n" } else { "\nUNION ALL\nSELECT * FROM (\n" });
        let is_sorted_apart = !matches!(path, Path::InOrder(_));
        if is_sorted_apart {
            text.push("WITH few AS MATERIALIZED (\n");
        }
        text.rows(list, &format!("{alias}.*"), parts, Some(*path));
        text.behind(listing, by, alias);
        if is_sorted_apart {
            text.push(&format!("\n)\nSELECT {alias}.* FROM few {alias}"));
        }
        text.ordered(listing, by, alias);
        text.push(&format!("\n) branch_{number}"));
    }
    text.push(&format!("\n) {alias} {}", list.table.joins));
    text.ordered(listing, by, alias);
    text
}

/// SQL text with its values; `$1` is the organization.
#[derive(Debug)]
struct Text {
    sql: String,
    values: Vec<Value>,
    engine: Engine,
}

impl Text {
    fn new(engine: Engine) -> Self {
        Self { sql: String::new(), values: vec![Value::Uuid(None)], engine }
    }

    fn push(&mut self, text: &str) {
        self.sql.push_str(text);
    }

    fn placeholder(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// A table of the organization; SQLite is told the index.
    fn table(&mut self, table: &Table, index: Option<&Index>) {
        let Table { name, alias, .. } = table;
        let by = index.filter(|_| self.engine == Engine::Sqlite);
        let by = by.map(|index| format!(" INDEXED BY {}", index.name)).unwrap_or_default();
        self.push(&format!("{name} AS {alias}{by}\nWHERE {alias}.org_id = $1"));
    }

    /// The terms that begin with a word. No word has a character as high as the bound's last one.
    fn terms(&mut self, table: &Table, word: &str) {
        let (from, to) = (self.placeholder(word), self.placeholder(format!("{word}{}", char::MAX)));
        self.push(&format!("{} t\nWHERE t.org_id = $1 AND t.term >= {from} AND t.term < {to}", table.terms));
    }

    /// What a filter demands.
    fn demand(&mut self, filter: &Filter) -> String {
        let mut demands = Vec::new();
        for (condition, value) in &filter.conditions {
            demands.push(condition.replace('?', &self.placeholder(value.clone())));
        }
        demands.join(" AND ")
    }

    fn narrow(&mut self, filter: &Filter) {
        let demand = self.demand(filter);
        self.push(&format!("\n  AND {demand}"));
    }

    /// The rows of one branch: those of any of `parts`, narrowed by every filter and word.
    fn rows(&mut self, list: &List, columns: &str, parts: &[&Filter], path: Option<Path<'_>>) {
        let Table { name, alias, .. } = list.table;
        self.push(&format!("SELECT {columns}\nFROM "));
        match path {
            Some(Path::InOrder(index)) => self.table(list.table, Some(&index)),
            Some(Path::AmongFew(filter)) => self.table(list.table, filter.indexes.first()),
            Some(Path::AmongWords(word)) => {
                // SQLite keeps to the order of a CROSS JOIN.
                self.push("(SELECT DISTINCT t.id FROM ");
                self.terms(list.table, word);
                self.push(&format!(
                    ") found CROSS JOIN {name} {alias}\nWHERE {alias}.org_id = $1 AND {alias}.id = found.id"
                ));
            }
            None => self.table(list.table, None),
        }
        match parts {
            [] => {}
            [part] => self.narrow(part),
            parts => {
                let demands: Vec<String> = parts.iter().map(|part| self.demand(part)).collect();
                self.push(&format!("\n  AND ({})", demands.join(" OR ")));
            }
        }
        list.filters.iter().for_each(|filter| self.narrow(filter));
        for word in &list.words {
            // Not LIKE: its selectivity is guessed, and the guess would keep Postgres from reading in order.
            let word = self.placeholder(format!(" {word}"));
            self.push(&format!("\n  AND REPLACE({alias}.search, {word}, '') <> {alias}.search"));
        }
    }

    /// Begins behind the cursor.
    fn behind<K: SortKey>(&mut self, listing: &Listing<K>, by: Index, alias: &str) {
        if let Some(cursor) = &listing.cursor {
            let value = match &cursor.value {
                SortValue::Time(moment) => Value::from(*moment),
                SortValue::Number(number) => Value::from(*number),
                SortValue::Text(text) => Value::from(text),
            };
            let comparison = if listing.sort.descending { "<" } else { ">" };
            let (value, id) = (self.placeholder(value), self.placeholder(cursor.id));
            self.push(&format!("\n  AND ({}, {alias}.id) {comparison} ({value}, {id})", by.order));
        }
    }

    /// Orders by the sort key and the id, and asks for one row more than the page has.
    fn ordered<K: SortKey>(&mut self, listing: &Listing<K>, by: Index, alias: &str) {
        let direction = if listing.sort.descending { "DESC" } else { "ASC" };
        self.push(&format!("\nORDER BY {} {direction}, {alias}.id {direction}", by.order));
        self.limit(listing.limit + 1);
    }

    fn limit(&mut self, limit: usize) {
        let placeholder = self.placeholder(limit);
        self.push(&format!("\nLIMIT {placeholder}"));
    }
}

#[cfg(test)]
impl List {
    /// The same list, with another idea of how many matches are few.
    pub(crate) fn with_few(mut self, few: usize) -> Self {
        self.few = few;
        self
    }
}

#[cfg(test)]
impl OrgConnection {
    /// Fetches a page and answers what that took: buffers on Postgres, hundreds of steps on SQLite.
    pub(crate) async fn cost_of_page<K: SortKey>(
        &mut self,
        list: &List,
        listing: &Listing<K>,
        by: Index,
    ) -> Result<u64> {
        let steps = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
        if let super::Transaction::Reading(reading) = &mut self.tx {
            let counted = steps.clone();
            reading.connection().lock_handle().await.map_err(super::failure)?.set_progress_handler(
                100,
                move || {
                    counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    true
                },
            );
            self.page(list, listing, by).await?;
            return Ok(steps.load(std::sync::atomic::Ordering::Relaxed));
        }
        let branches = list.branches(self, by).await?;
        let page = page_text(Engine::Postgres, list, listing, by, &branches);
        let mut buffers = self.buffers(page).await?;
        let doors = list.doors_to_look_at(by);
        if !doors.is_empty() {
            buffers += self.buffers(list.look_text(Engine::Postgres, &doors)).await?;
        }
        Ok(buffers)
    }

    async fn buffers(&mut self, mut text: Text) -> Result<u64> {
        text.sql = format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {}", text.sql);
        let plan = self.composed(text).await?[0].json("QUERY PLAN")?;
        if std::env::var_os("FLOWCRM_SHOW_PLANS").is_some() {
            eprintln!("{plan:#}");
        }
        let blocks = |kind: &str| plan[0]["Plan"][kind].as_u64().unwrap_or_default();
        Ok(blocks("Shared Hit Blocks") + blocks("Shared Read Blocks"))
    }
}
