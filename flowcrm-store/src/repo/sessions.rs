use async_trait::async_trait;
use flowcrm_core::auth::{Session, SessionRepository};
use flowcrm_core::ids::{SessionId, UserId};
use flowcrm_core::time::Timestamp;
use flowcrm_core::{Error, Result};

use crate::sql::{OrgConnection, Row, Sql, args, statements};

statements! {
    CREATE = Sql::both(
        "INSERT INTO sessions (
             org_id, id, user_id, token_hash, successor_hash, generation, rotated_at, created_at, last_used_at,
             revoked_at, ip, user_agent
         )
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    );
    LOCK = Sql::pair(
        "SELECT id, user_id, token_hash, successor_hash, generation, rotated_at, created_at, last_used_at,
                revoked_at, ip, user_agent
         FROM sessions
         WHERE org_id = $1 AND id = $2
         FOR UPDATE",
        "SELECT id, user_id, token_hash, successor_hash, generation, rotated_at, created_at, last_used_at,
                revoked_at, ip, user_agent
         FROM sessions
         WHERE org_id = $1 AND id = $2",
    );
    UPDATE = Sql::both(
        "UPDATE sessions
         SET token_hash = $3, successor_hash = $4, generation = $5, rotated_at = $6, last_used_at = $7
         WHERE org_id = $1 AND id = $2 AND revoked_at IS NULL",
    );
    REVOKE = Sql::both(
        "UPDATE sessions
         SET revoked_at = $3
         WHERE org_id = $1 AND id = $2 AND revoked_at IS NULL",
    );
    REVOKE_ALL = Sql::both(
        "UPDATE sessions
         SET revoked_at = $3
         WHERE org_id = $1 AND user_id = $2 AND revoked_at IS NULL
           AND last_used_at > $4 AND created_at > $5
           AND (id <> $6 OR $6 IS NULL)",
    );
    LIST = Sql::both(
        "SELECT id, user_id, token_hash, successor_hash, generation, rotated_at, created_at, last_used_at,
                revoked_at, ip, user_agent
         FROM sessions
         WHERE org_id = $1 AND user_id = $2 AND revoked_at IS NULL
           AND last_used_at > $3 AND created_at > $4
         ORDER BY last_used_at DESC, id DESC
         LIMIT 200",
    );
}

#[async_trait]
impl SessionRepository for OrgConnection {
    async fn create(&mut self, session: &Session) -> Result<()> {
        let values = args![
            session.id,
            session.user_id,
            &session.token_hash[..],
            &session.successor_hash[..],
            session.generation,
            session.rotated_at,
            session.created_at,
            session.last_used_at,
            session.revoked_at,
            &session.ip,
            &session.user_agent,
        ];
        self.execute(CREATE, values).await.map(|_| ())
    }

    async fn lock(&mut self, id: SessionId) -> Result<Option<Session>> {
        self.optional(LOCK, args![id]).await?.as_ref().map(session).transpose()
    }

    async fn update(&mut self, session: &Session) -> Result<()> {
        let values = args![
            session.id,
            &session.token_hash[..],
            &session.successor_hash[..],
            session.generation,
            session.rotated_at,
            session.last_used_at,
        ];
        match self.execute(UPDATE, values).await? {
            1 => Ok(()),
            _ => Err(Error::conflict("The session has just ended.")),
        }
    }

    async fn revoke(&mut self, id: SessionId, now: Timestamp) -> Result<()> {
        self.execute(REVOKE, args![id, now]).await.map(|_| ())
    }

    async fn revoke_all(&mut self, user: UserId, except: Option<SessionId>, now: Timestamp) -> Result<u64> {
        // Sessions that have run out are dead without being revoked: they are left as they are.
        let (used_after, created_after) = Session::living_since(now);
        self.execute(REVOKE_ALL, args![user, now, used_after, created_after, except]).await
    }

    async fn list(&mut self, user: UserId, now: Timestamp) -> Result<Vec<Session>> {
        let (used_after, created_after) = Session::living_since(now);
        self.all(LIST, args![user, used_after, created_after]).await?.iter().map(session).collect()
    }
}

fn session(row: &Row) -> Result<Session> {
    Ok(Session {
        id: row.id("id")?,
        user_id: row.id("user_id")?,
        token_hash: hash(row, "token_hash")?,
        successor_hash: hash(row, "successor_hash")?,
        generation: row.int("generation")?,
        rotated_at: row.time("rotated_at")?,
        created_at: row.time("created_at")?,
        last_used_at: row.time("last_used_at")?,
        revoked_at: row.optional_time("revoked_at")?,
        ip: row.optional_text("ip")?,
        user_agent: row.optional_text("user_agent")?,
    })
}

fn hash(row: &Row, column: &str) -> Result<[u8; 32]> {
    let unfit = |bytes: Vec<u8>| Error::internal(format!("{column} has {} bytes", bytes.len()));
    row.bytes(column)?.try_into().map_err(unfit)
}
