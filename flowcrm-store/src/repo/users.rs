use async_trait::async_trait;
use flowcrm_core::access::{Actor, Role};
use flowcrm_core::auth::Session;
use flowcrm_core::ids::{SessionId, UserId};
use flowcrm_core::organizations::TimeZone;
use flowcrm_core::time::Timestamp;
use flowcrm_core::users::{Credentials, Member, User, UserQuery, UserRef, UserRepository, UserSort};
use flowcrm_core::{Error, Result};

use crate::sql::{OrgConnection, Row, Select, Sql, args, statements, words_of};

macro_rules! columns {
    () => {
        "u.org_id, u.id, u.name, u.email, u.role, u.active, u.two_factor_enabled, u.last_login_at, u.version,
         u.created_at, u.updated_at"
    };
}

const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    "
FROM users u
WHERE u.org_id = $1"
);

const COUNT: &str = "SELECT COUNT(*) AS count
FROM users u
WHERE u.org_id = $1";

/// How many names are looked up at once: more than most records have people.
const NAMES_AT_ONCE: usize = 4;

statements! {
    ACTOR = Sql::both("SELECT u.name, u.role, u.is_operator, o.name AS org_name, o.currency, o.time_zone
FROM users u JOIN organizations o ON o.id = u.org_id
WHERE u.org_id = $1 AND u.id = $2 AND u.active");

    ACTOR_IN_SESSION = Sql::both("SELECT u.name, u.role, u.is_operator, o.name AS org_name, o.currency, o.time_zone
FROM sessions s
JOIN users u ON u.org_id = s.org_id AND u.id = s.user_id
JOIN organizations o ON o.id = u.org_id
WHERE s.org_id = $1 AND s.user_id = $2 AND s.id = $3 AND u.active
  AND s.revoked_at IS NULL AND s.last_used_at > $4 AND s.created_at > $5");

    FIND = Sql::both(concat!("SELECT ", columns!(), "
FROM users u
WHERE u.org_id = $1 AND u.id = $2"));

    /// Holds the user against other changes, not against records that only refer to them.
    LOCK = Sql::pair(
        concat!("SELECT ", columns!(), "
FROM users u
WHERE u.org_id = $1 AND u.id = $2
FOR NO KEY UPDATE"),
        concat!("SELECT ", columns!(), "
FROM users u
WHERE u.org_id = $1 AND u.id = $2"),
    );

    CREDENTIALS = Sql::both(concat!("SELECT ", columns!(), ", u.password_hash
FROM users u
WHERE u.org_id = $1 AND u.id = $2"));

    /// Held against being deactivated until the transaction ends: whoever is named in a record is active when it is
    /// written.
    MEMBER = Sql::pair(
        "SELECT id, name, role, active FROM users WHERE org_id = $1 AND id = $2 FOR SHARE",
        "SELECT id, name, role, active FROM users WHERE org_id = $1 AND id = $2",
    );

    NAMES = Sql::both("SELECT id, name FROM users WHERE org_id = $1 AND id IN ($2, $3, $4, $5)");

    ACTIVE_IDS = Sql::both("SELECT id FROM users WHERE org_id = $1 AND active ORDER BY id");

    LOCK_ACTIVE_OWNERS = Sql::pair(
        "SELECT id FROM users
WHERE org_id = $1 AND role = 'OWNER' AND active
ORDER BY id
FOR NO KEY UPDATE",
        "SELECT id FROM users
WHERE org_id = $1 AND role = 'OWNER' AND active",
    );

    INSERT = Sql::both("INSERT INTO users (
    org_id, id, name, email, email_key, password_hash, role, active, two_factor_enabled, is_operator, search,
    last_login_at, version, created_at, updated_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)");

    /// The one email over all organizations.
    INSERT_ACCOUNT = Sql::both("INSERT INTO accounts (org_id, user_id, email_key)
VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING");

    UPDATE = Sql::both("UPDATE users
SET name = $4, role = $5, active = $6, two_factor_enabled = $7, search = $8, updated_at = $9, version = $3
WHERE org_id = $1 AND id = $2 AND version = $3 - 1");

    SET_PASSWORD = Sql::both("UPDATE users SET password_hash = $3 WHERE org_id = $1 AND id = $2");

    NOTE_LOGIN = Sql::both("UPDATE users SET last_login_at = $3 WHERE org_id = $1 AND id = $2");

    SET_OPERATOR = Sql::both("UPDATE users SET is_operator = $3 WHERE org_id = $1 AND id = $2");
}

fn user(row: &Row) -> Result<User> {
    Ok(User {
        id: row.id("id")?,
        org_id: row.id("org_id")?,
        name: row.text("name")?,
        email: row.spelled("email")?,
        role: row.spelled("role")?,
        active: row.flag("active")?,
        two_factor_enabled: row.flag("two_factor_enabled")?,
        last_login_at: row.optional_time("last_login_at")?,
        version: row.int("version")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

fn member(row: &Row) -> Result<Member> {
    Ok(Member {
        id: row.id("id")?,
        name: row.text("name")?,
        role: row.spelled("role")?,
        active: row.flag("active")?,
    })
}

/// The words of the name, and those of the email behind an `@` each, so that they can be left out of a search.
fn search(user: &User) -> String {
    let email = words_of(&[Some(user.email.as_str())]).replace(' ', " @");
    words_of(&[Some(&user.name)]) + &email
}

fn narrowed(head: &'static str, query: &UserQuery, searches_emails: bool) -> Select {
    let mut select = Select::new(head);
    select.and_some("u.role = ?", query.role.map(Role::as_str));
    select.and_some("u.active = ?", query.active);
    let condition = if searches_emails {
        "(u.search LIKE ? OR u.search LIKE REPLACE(?, ' ', ' @'))"
    } else {
        "u.search LIKE ?"
    };
    select.and_words(condition, query.q.as_deref());
    select
}

fn sort_column(key: UserSort) -> &'static str {
    match key {
        UserSort::CreatedAt => "u.created_at",
        UserSort::UpdatedAt => "u.updated_at",
        UserSort::Name => "u.name",
    }
}

/// Demands that a write by id has found its user.
fn found(rows: u64) -> Result<()> {
    if rows == 1 { Ok(()) } else { Err(Error::not_found("user")) }
}

#[async_trait]
impl UserRepository for OrgConnection {
    async fn actor(
        &mut self,
        id: UserId,
        session: Option<SessionId>,
        now: Timestamp,
    ) -> Result<Option<Actor>> {
        let row = match session {
            None => self.optional(ACTOR, args![id]).await?,
            Some(session) => {
                let (used, created) = Session::living_since(now);
                self.optional(ACTOR_IN_SESSION, args![id, session, used, created]).await?
            }
        };
        let org_id = self.org_id();
        let actor = |row: Row| {
            Ok(Actor {
                org_id,
                user_id: id,
                session_id: session,
                name: row.text("name")?,
                role: row.spelled("role")?,
                is_operator: row.flag("is_operator")?,
                org_name: row.text("org_name")?,
                currency: row.spelled("currency")?,
                time_zone: row.spelled::<TimeZone>("time_zone")?.as_tz(),
            })
        };
        row.map(actor).transpose()
    }

    async fn find(&mut self, id: UserId) -> Result<Option<User>> {
        self.optional(FIND, args![id]).await?.as_ref().map(user).transpose()
    }

    async fn lock(&mut self, id: UserId) -> Result<Option<User>> {
        self.optional(LOCK, args![id]).await?.as_ref().map(user).transpose()
    }

    async fn credentials(&mut self, id: UserId) -> Result<Option<Credentials>> {
        let credentials =
            |row: Row| Ok(Credentials { user: user(&row)?, password_hash: row.text("password_hash")? });
        self.optional(CREDENTIALS, args![id]).await?.map(credentials).transpose()
    }

    async fn member(&mut self, id: UserId) -> Result<Option<Member>> {
        self.optional(MEMBER, args![id]).await?.as_ref().map(member).transpose()
    }

    async fn names(&mut self, ids: &[Option<UserId>]) -> Result<Vec<UserRef>> {
        let mut wanted: Vec<UserId> = ids.iter().copied().flatten().collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut names = Vec::with_capacity(wanted.len());
        for chunk in wanted.chunks(NAMES_AT_ONCE) {
            let values = (0..NAMES_AT_ONCE).map(|index| chunk.get(index).copied().into());
            for row in self.all(NAMES, values.collect()).await? {
                names.push(UserRef { id: row.id("id")?, name: row.text("name")? });
            }
        }
        Ok(names)
    }

    async fn active_ids(&mut self) -> Result<Vec<UserId>> {
        self.all(ACTIVE_IDS, args![]).await?.iter().map(|row| row.id("id")).collect()
    }

    async fn lock_active_owners(&mut self) -> Result<u64> {
        Ok(self.all(LOCK_ACTIVE_OWNERS, args![]).await?.len() as u64)
    }

    async fn list(&mut self, query: &UserQuery, searches_emails: bool) -> Result<Vec<User>> {
        let select = narrowed(LIST, query, searches_emails).page(
            &query.list,
            sort_column(query.list.sort.key),
            "u.id",
        );
        self.select(select).await?.iter().map(user).collect()
    }

    async fn count(&mut self, query: &UserQuery, searches_emails: bool) -> Result<u64> {
        OrgConnection::count(self, narrowed(COUNT, query, searches_emails)).await
    }

    async fn insert(&mut self, user: &User, password_hash: &str) -> Result<()> {
        let values = args![
            user.id,
            &user.name,
            user.email.as_str(),
            user.email.key(),
            password_hash,
            user.role.as_str(),
            user.active,
            user.two_factor_enabled,
            false,
            search(user),
            user.last_login_at,
            user.version,
            user.created_at,
            user.updated_at,
        ];
        self.execute(INSERT, values).await?;
        match self.execute(INSERT_ACCOUNT, args![user.id, user.email.key()]).await? {
            1 => Ok(()),
            _ => Err(Error::field("email", "is what somebody signs in with already")),
        }
    }

    async fn update(&mut self, user: &User) -> Result<()> {
        let values = args![
            user.id,
            user.version,
            &user.name,
            user.role.as_str(),
            user.active,
            user.two_factor_enabled,
            search(user),
            user.updated_at,
        ];
        match self.execute(UPDATE, values).await? {
            1 => Ok(()),
            _ => Err(Error::conflict("Somebody else has just changed this user: read it again.")),
        }
    }

    async fn set_password(&mut self, id: UserId, password_hash: &str) -> Result<()> {
        self.execute(SET_PASSWORD, args![id, password_hash]).await.and_then(found)
    }

    async fn note_login(&mut self, id: UserId, at: Timestamp) -> Result<()> {
        self.execute(NOTE_LOGIN, args![id, at]).await.and_then(found)
    }

    async fn set_operator(&mut self, id: UserId, is_operator: bool) -> Result<()> {
        self.execute(SET_OPERATOR, args![id, is_operator]).await.and_then(found)
    }
}
