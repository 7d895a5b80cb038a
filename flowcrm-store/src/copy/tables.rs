//! What is copied: every table with its columns, those that others refer to first.
//!
//! Left out are `sessions`, as another server signs other tokens, and who works on an import at the moment.

use crate::sql::{Kind, OrgConnection, Row, Select, Sql, Transaction, Value};
use flowcrm_core::Result;

/// How many rows are read and written at once.
const AT_ONCE: usize = 500;

/// The same of a table whose rows may be large: batches of rows, and refused rows as they stood in the file.
const LARGE_AT_ONCE: usize = 20;

/// A table to copy.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// The columns that are written, except for the organization.
    columns: &'static [(&'static str, Kind)],
    /// Columns that no two rows share: of one organization, in a table of organizations.
    key: &'static [(&'static str, Kind)],
    select: &'static str,
    count: Sql,
    pub(super) insert: &'static str,
}

/// Declares the tables of organizations: which column names the organization, the key within it, and all others.
macro_rules! tables {
    ($($name:ident of $org:ident by ($($key:ident $key_kind:ident),*) {
        $($column:ident $kind:ident),+ $(,)?
    })*) => {
        /// The tables of organizations.
        pub(super) const TABLES: &[Table] = &[$(Table {
            name: stringify!($name),
            columns: &[$((stringify!($column), Kind::$kind)),+],
            key: &[$((stringify!($key), Kind::$key_kind)),*],
            select: concat!(
                "SELECT ", stringify!($org), $(", ", stringify!($column)),+,
                "\nFROM ", stringify!($name), "\nWHERE ", stringify!($org), " = $1"
            ),
            count: Sql::both(concat!(
                "SELECT COUNT(*) AS count FROM ", stringify!($name), " WHERE ", stringify!($org), " = $1"
            )),
            insert: concat!(
                "INSERT INTO ", stringify!($name), " (", stringify!($org), $(", ", stringify!($column)),+, ")"
            ),
        }),*];
    };
}

tables! {
    organizations of id by () {
        name Text, time_zone Text, currency Text, require_2fa Text, position Int, version Int, created_at Time,
        updated_at Time,
    }
    users of org_id by (id Uuid) {
        id Uuid, name Text, email Text, email_key Text, password_hash Text, role Text, active Bool,
        two_factor_enabled Bool, is_operator Bool, search Text, last_login_at Time, version Int, created_at Time,
        updated_at Time,
    }
    accounts of org_id by (user_id Uuid) {
        email_key Text, user_id Uuid,
    }
    leads of org_id by (id Uuid) {
        id Uuid, name Text, email Text, email_key Text, phone Text, company Text, source Text, status Text, value Int,
        notes Text, external_id Text, owner_id Uuid, assigned_to_id Uuid, is_converted Bool, search Text, version Int,
        created_at Time, updated_at Time,
    }
    lead_terms of org_id by (term Text, id Uuid) {
        term Text, id Uuid,
    }
    activities of org_id by (id Uuid) {
        id Uuid, lead_id Uuid, user_id Uuid, type Text, content Text, created_at Time,
    }
    deals of org_id by (id Uuid) {
        id Uuid, title Text, value Int, stage Text, probability Int, expected_close Time, closed_at Time, lead_id Uuid,
        owner_id Uuid, assigned_to_id Uuid, notes Text, lost_reason Text, external_id Text, search Text, version Int,
        created_at Time, updated_at Time,
    }
    deal_terms of org_id by (term Text, id Uuid) {
        term Text, id Uuid,
    }
    tasks of org_id by (id Uuid) {
        id Uuid, title Text, description Text, status Text, priority Text, due_date Time, due_key Time, lead_id Uuid,
        deal_id Uuid, assigned_to_id Uuid, created_by_id Uuid, completed_at Time, search Text, version Int,
        created_at Time, updated_at Time,
    }
    task_terms of org_id by (term Text, id Uuid) {
        term Text, id Uuid,
    }
    figures of org_id by (viewer_id Uuid, kind Text, key Text) {
        viewer_id Uuid, kind Text, key Text, count Int, value Int,
    }
    notifications of org_id by (id Uuid) {
        id Uuid, user_id Uuid, type Text, message Text, link Text, is_read Bool, created_at Time,
    }
    events of org_id by (position Int) {
        position Int, type Text, entity_type Text, entity_id Uuid, user_id Uuid, circle Text, audience_users Text,
        payload Json, created_at Time,
    }
    audit_entries of org_id by (id Uuid) {
        id Uuid, action Text, entity_type Text, entity_id Uuid, user_id Uuid, details Json, ip_address Text,
        created_at Time,
    }
    answers of org_id by (user_id Uuid, key Text) {
        user_id Uuid, key Text, fingerprint Bytes, answer Bytes, created_at Time,
    }
    imports of org_id by (id Uuid) {
        id Uuid, user_id Uuid, kind Text, file Text, plan Json, is_staged Bool, state Text, error Text, dry_run Bool,
        total Int, created Int, updated Int, skipped Int, rejected Int, removed Int, restored Int, kept Int,
        checkpoint Int, undo_user_id Uuid, undo_checkpoint Uuid, created_at Time, started_at Time, finished_at Time,
        undone_at Time,
    }
    import_batches of org_id by (import_id Uuid, line Int) {
        import_id Uuid, line Int, count Int, rows Bytes,
    }
    import_rejections of org_id by (import_id Uuid, line Int) {
        import_id Uuid, line Int, column_name Text, value Text, reason Text, cells Json,
    }
    import_keys of org_id by (import_id Uuid, key Text, record_id Uuid) {
        import_id Uuid, key Text, record_id Uuid,
    }
    import_foreseen of org_id by (import_id Uuid, record_id Uuid) {
        import_id Uuid, record_id Uuid, record Bytes,
    }
    import_changes of org_id by (import_id Uuid, record_id Uuid) {
        import_id Uuid, record_id Uuid, line Int, version Int, previous Bytes, is_restored Bool, kept_because Text,
    }
}

/// The logs that belong to no organization; each database numbers the lines of its own.
pub(super) const LOGS: &[Table] = &[
    Table {
        name: "sign_in_log",
        columns: &[("email_key_hash", Kind::Bytes), ("ip", Kind::Text), ("created_at", Kind::Time)],
        key: &[("id", Kind::Int)],
        select: "SELECT id, email_key_hash, ip, created_at
FROM sign_in_log
WHERE TRUE",
        count: Sql::both("SELECT COUNT(*) AS count FROM sign_in_log"),
        insert: "INSERT INTO sign_in_log (email_key_hash, ip, created_at)",
    },
    Table {
        name: "operator_log",
        columns: &[
            ("operator_id", Kind::Uuid),
            ("action", Kind::Text),
            ("org_id", Kind::Uuid),
            ("created_at", Kind::Time),
        ],
        key: &[("id", Kind::Int)],
        select: "SELECT id, operator_id, action, org_id, created_at
FROM operator_log
WHERE TRUE",
        count: Sql::both("SELECT COUNT(*) AS count FROM operator_log"),
        insert: "INSERT INTO operator_log (operator_id, action, org_id, created_at)",
    },
];

/// Some rows of a table, as they are inserted.
pub(super) struct Batch {
    pub(super) rows: Vec<Vec<Value>>,
    /// The key of the last row, when there may be more.
    pub(super) last: Option<Vec<Value>>,
}

impl Table {
    /// How many rows an organization has.
    pub(super) async fn count(&self, source: &mut OrgConnection) -> Result<u64> {
        source.one(self.count, Vec::new()).await?.count("count")
    }

    /// How many lines a log has.
    pub(super) async fn count_log(&self, source: &mut Transaction) -> Result<u64> {
        source.optional(self.count, Vec::new()).await?.map_or(Ok(0), |row| row.count("count"))
    }

    /// The next rows of an organization behind a key.
    pub(super) async fn read(&self, source: &mut OrgConnection, behind: Option<Vec<Value>>) -> Result<Batch> {
        let select = Select::new(self.select).walk(&self.key_columns(), behind, self.at_once());
        self.batch(&source.select(select).await?)
    }

    /// The next lines of a log behind a key.
    pub(super) async fn read_log(
        &self,
        source: &mut Transaction,
        behind: Option<Vec<Value>>,
    ) -> Result<Batch> {
        let select =
            Select::over_all_organizations(self.select).walk(&self.key_columns(), behind, self.at_once());
        self.batch(&source.select(select).await?)
    }

    fn at_once(&self) -> usize {
        if matches!(self.name, "import_batches" | "import_rejections") { LARGE_AT_ONCE } else { AT_ONCE }
    }

    fn key_columns(&self) -> Vec<&'static str> {
        self.key.iter().map(|(name, _)| *name).collect()
    }

    fn batch(&self, rows: &[Row]) -> Result<Batch> {
        let last = rows.last().filter(|_| rows.len() == self.at_once());
        let last = last.map(|row| values(row, self.key)).transpose()?;
        let rows = rows.iter().map(|row| values(row, self.columns)).collect::<Result<_>>()?;
        Ok(Batch { rows, last })
    }
}

fn values(row: &Row, columns: &[(&str, Kind)]) -> Result<Vec<Value>> {
    columns.iter().map(|(name, kind)| row.value(name, *kind)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use sqlx::Row as _;

    use super::*;
    use crate::repo::support::TestDatabase;
    use crate::sql::Database;
    use crate::store::SqlStore;

    /// What no copy has, with the reason in the head of this file, and sqlx's own table.
    const LEFT_OUT: &[&str] = &["sessions", "_sqlx_migrations"];
    const COLUMNS_LEFT_OUT: &[(&str, &str)] = &[
        ("imports", "lease_token"),
        ("imports", "lease_until"),
        ("sign_in_log", "id"),
        ("operator_log", "id"),
    ];

    /// Each table with the types of its columns, as the list has them.
    fn listed() -> BTreeMap<String, BTreeMap<String, String>> {
        let mut listed: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for table in TABLES.iter().chain(LOGS) {
            let columns = listed.entry(table.name.to_owned()).or_default();
            for (name, kind) in table.columns {
                columns.insert((*name).to_owned(), postgres(*kind).to_owned());
            }
            if table.select.ends_with(" = $1") {
                let org = if table.name == "organizations" { "id" } else { "org_id" };
                columns.insert(org.to_owned(), "uuid".to_owned());
            }
        }
        listed
    }

    fn postgres(kind: Kind) -> &'static str {
        match kind {
            Kind::Uuid => "uuid",
            Kind::Text => "text",
            Kind::Int => "bigint",
            Kind::Bool => "boolean",
            Kind::Time => "timestamp with time zone",
            Kind::Json => "jsonb",
            Kind::Bytes => "bytea",
        }
    }

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "asks the database what it has")]
    async fn every_column_of_every_table_is_copied() {
        let Some(database) = TestDatabase::postgres().await else { return };
        let store = SqlStore::connect(&database.url).await.unwrap();
        store.migrate().await.unwrap();
        let Database::Postgres(pool) = store.database() else { panic!("Postgres") };
        let rows = sqlx::query(
            "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns
             WHERE table_schema = current_schema()",
        )
        .fetch_all(pool)
        .await
        .unwrap();
        let mut there: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for row in rows {
            let (table, column): (String, String) = (row.get(0), row.get(1));
            if !LEFT_OUT.contains(&&*table) && !COLUMNS_LEFT_OUT.contains(&(&table, &column)) {
                there.entry(table).or_default().insert(column, row.get(2));
            }
        }
        let listed = listed();
        assert_eq!(there.keys().collect::<Vec<_>>(), listed.keys().collect::<Vec<_>>(), "add the table");
        for (table, columns) in &there {
            assert_eq!(*columns, listed[table], "the columns of {table}");
        }
    }
}
