use async_trait::async_trait;
use flowcrm_core::access::Role;
use flowcrm_core::ids::OrgId;
use flowcrm_core::organizations::{
    Organization, OrganizationQuery, OrganizationRepository, OrganizationSort,
};
use flowcrm_core::{Error, Result};

use crate::sql::{OrgConnection, Row, Select, Sql, Transaction, args, statements};

macro_rules! columns {
    () => {
        "o.id, o.name, o.time_zone, o.currency, o.require_2fa, o.version, o.created_at, o.updated_at"
    };
}

const PLATFORM_LIST: &str = concat!(
    "SELECT ",
    columns!(),
    "
FROM organizations o
WHERE TRUE"
);

statements! {
    FIND = Sql::both(concat!("SELECT ", columns!(), "
FROM organizations o
WHERE o.id = $1"));

    /// Waits for those who flush their events, and makes the next ones wait; not those who only refer to the
    /// organization.
    LOCK = Sql::pair(
        concat!("SELECT ", columns!(), "
FROM organizations o
WHERE o.id = $1
FOR NO KEY UPDATE"),
        concat!("SELECT ", columns!(), "
FROM organizations o
WHERE o.id = $1"),
    );

    INSERT = Sql::both("INSERT INTO organizations (
    id, name, time_zone, currency, require_2fa, version, created_at, updated_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");

    UPDATE = Sql::both("UPDATE organizations
SET name = $3, time_zone = $4, currency = $5, require_2fa = $6, updated_at = $7, version = $2
WHERE id = $1 AND version = $2 - 1");

    HAS_VALUES = Sql::both("SELECT
    EXISTS (SELECT 1 FROM leads WHERE org_id = $1 AND value > 0)
    OR EXISTS (SELECT 1 FROM deals WHERE org_id = $1 AND value > 0) AS has_values");
}

/// Reads an organization.
pub(crate) fn organization(row: &Row) -> Result<Organization> {
    let roles = row.text("require_2fa")?;
    let roles: Result<Vec<Role>, String> = roles.split_whitespace().map(str::parse).collect();
    Ok(Organization {
        id: row.id("id")?,
        name: row.text("name")?,
        time_zone: row.spelled("time_zone")?,
        currency: row.spelled("currency")?,
        require_2fa: roles.map_err(Error::internal)?,
        version: row.int("version")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

/// An organization by its id, for the transaction that sees them all.
pub(crate) async fn find_organization(tx: &mut Transaction, org: OrgId) -> Result<Option<Organization>> {
    tx.optional(FIND, args![org]).await?.as_ref().map(organization).transpose()
}

/// A page of all organizations, for the transaction that sees them.
pub(crate) fn platform_page(query: &OrganizationQuery) -> Select {
    let column = match query.list.sort.key {
        OrganizationSort::CreatedAt => "o.created_at",
        OrganizationSort::UpdatedAt => "o.updated_at",
        OrganizationSort::Name => "o.name",
    };
    Select::over_all_organizations(PLATFORM_LIST).page(&query.list, column, "o.id")
}

fn spelled(roles: &[Role]) -> String {
    let words: Vec<&str> = roles.iter().copied().map(Role::as_str).collect();
    words.join(" ")
}

#[async_trait]
impl OrganizationRepository for OrgConnection {
    async fn find(&mut self) -> Result<Option<Organization>> {
        self.optional(FIND, args![]).await?.as_ref().map(organization).transpose()
    }

    async fn lock(&mut self) -> Result<Option<Organization>> {
        self.optional(LOCK, args![]).await?.as_ref().map(organization).transpose()
    }

    async fn insert(&mut self, organization: &Organization) -> Result<()> {
        let values = args![
            &organization.name,
            organization.time_zone.name(),
            organization.currency.code(),
            spelled(&organization.require_2fa),
            organization.version,
            organization.created_at,
            organization.updated_at,
        ];
        self.execute(INSERT, values).await.map(|_| ())
    }

    async fn update(&mut self, organization: &Organization) -> Result<()> {
        let values = args![
            organization.version,
            &organization.name,
            organization.time_zone.name(),
            organization.currency.code(),
            spelled(&organization.require_2fa),
            organization.updated_at,
        ];
        match self.execute(UPDATE, values).await? {
            1 => Ok(()),
            _ => Err(Error::conflict("Somebody else has just changed these settings: read them again.")),
        }
    }

    async fn has_values(&mut self) -> Result<bool> {
        self.one(HAS_VALUES, args![]).await?.flag("has_values")
    }
}
