//! What a transaction records, written by its last statements: figures, notifications, events with their positions,
//! and audit entries.

use flowcrm_core::money::Currency;
use flowcrm_core::ports::{Journal, NewAuditEntry, NewEvent};
use flowcrm_core::{Error, Result};
use serde_json::{Value as Json, json};

use crate::repo::figures;
use crate::sql::{Engine, OrgConnection, Row, Sql, Value, args, statements};

statements! {
    /// Everything in one statement, so that the organization's row, which orders its events, is held for one flush.
    FLUSH = Sql::pair(
        "WITH counter AS (
    UPDATE organizations SET position = position + $2 WHERE id = $1 RETURNING position, currency
), logged AS (
    INSERT INTO events (
        org_id, position, type, entity_type, entity_id, user_id, circle, audience_users, payload, created_at
    )
    SELECT $1, counter.position - $2 + event.ordinality, event.value->>'type', event.value->>'entityType',
           (event.value->>'entityId')::uuid, (event.value->>'userId')::uuid, event.value->>'circle',
           event.value->>'users', event.value->'payload', (event.value->>'createdAt')::timestamptz
    FROM counter, jsonb_array_elements($3) WITH ORDINALITY AS event
), audited AS (
    INSERT INTO audit_entries (
        org_id, id, action, entity_type, entity_id, user_id, details, ip_address, created_at
    )
    SELECT $1, (entry->>'id')::uuid, entry->>'action', entry->>'entityType', (entry->>'entityId')::uuid,
           (entry->>'userId')::uuid, entry->'details', entry->>'ip', (entry->>'createdAt')::timestamptz
    FROM jsonb_array_elements($4) AS entry
)
SELECT currency FROM counter",
        "UPDATE organizations SET position = position + $2 WHERE id = $1 RETURNING position, currency",
    );

    /// Where nothing is recorded, the row is not written; a change of the currency is kept out until the commit.
    CURRENCY = Sql::pair(
        "SELECT currency FROM organizations WHERE id = $1 FOR SHARE",
        "SELECT currency FROM organizations WHERE id = $1",
    );
}

const INSERT_NOTIFICATIONS: &str =
    "INSERT INTO notifications (org_id, id, user_id, type, message, link, is_read, created_at)";

const INSERT_EVENTS: &str = "INSERT INTO events (
    org_id, position, type, entity_type, entity_id, user_id, circle, audience_users, payload, created_at
)";

const INSERT_AUDIT_ENTRIES: &str = "INSERT INTO audit_entries (
    org_id, id, action, entity_type, entity_id, user_id, details, ip_address, created_at
)";

/// Writes the journal; what remains is to commit.
///
/// # Errors
///
/// A conflict when the organization's currency is no longer the one that amounts were read in.
pub(crate) async fn flush(connection: &mut OrgConnection, journal: Journal) -> Result<()> {
    figures::flush(connection).await?;
    let currency = journal.currency;
    if journal.events.is_empty() && journal.audit.is_empty() && journal.notifications.is_empty() {
        let row = connection.one(CURRENCY, args![]).await?;
        return still(currency, &row);
    }
    let notifications = journal.notifications.iter().map(|notification| {
        args![
            notification.id,
            notification.user_id,
            notification.kind.as_str(),
            &notification.message,
            &notification.link,
            notification.read,
            notification.created_at,
        ]
    });
    connection.insert_many(INSERT_NOTIFICATIONS, "", notifications.collect::<Vec<_>>()).await?;
    let row = match connection.engine() {
        Engine::Postgres => {
            let events: Vec<Json> = journal.events.iter().map(event_json).collect();
            let audit: Vec<Json> = journal.audit.iter().map(audit_json).collect();
            let values = args![events.len(), Json::Array(events), Json::Array(audit)];
            connection.one(FLUSH, values).await?
        }
        Engine::Sqlite => {
            let count = journal.events.len();
            let row = connection.one(FLUSH, args![count]).await?;
            let first = row.int("position")? - i64::try_from(count).map_err(Error::internal)? + 1;
            let events = journal
                .events
                .into_iter()
                .zip(first..)
                .map(|(event, position)| event_values(event, position));
            connection.insert_many(INSERT_EVENTS, "", events.collect::<Vec<_>>()).await?;
            let audit: Vec<_> = journal.audit.into_iter().map(audit_values).collect();
            connection.insert_many(INSERT_AUDIT_ENTRIES, "", audit).await?;
            row
        }
    };
    still(currency, &row)
}

/// Demands that the organization's currency is the one that amounts were read in.
fn still(currency: Currency, row: &Row) -> Result<()> {
    if row.text("currency")? == currency.code() {
        Ok(())
    } else {
        Err(Error::conflict("The organization's currency has just changed: check the amounts and try again."))
    }
}

fn audience_users(event: &NewEvent) -> String {
    let users: Vec<String> = event.audience.users.iter().map(ToString::to_string).collect();
    users.join(" ")
}

fn event_json(event: &NewEvent) -> Json {
    let rule = event.kind.rule();
    json!({
        "type": rule.name,
        "entityType": rule.entity,
        "entityId": event.entity_id,
        "userId": event.user_id,
        "circle": event.audience.circle,
        "users": audience_users(event),
        "payload": event.payload,
        "createdAt": event.created_at.to_sortable_text(),
    })
}

fn audit_json(entry: &NewAuditEntry) -> Json {
    json!({
        "id": entry.id,
        "action": entry.action,
        "entityType": entry.entity_type,
        "entityId": entry.entity_id,
        "userId": entry.user_id,
        "details": entry.details,
        "ip": entry.ip_address,
        "createdAt": entry.created_at.to_sortable_text(),
    })
}

fn event_values(event: NewEvent, position: i64) -> Vec<Value> {
    let rule = event.kind.rule();
    let users = audience_users(&event);
    args![
        position,
        rule.name,
        rule.entity.as_str(),
        event.entity_id,
        event.user_id,
        event.audience.circle.as_str(),
        users,
        event.payload,
        event.created_at,
    ]
}

fn audit_values(entry: NewAuditEntry) -> Vec<Value> {
    args![
        entry.id,
        entry.action,
        entry.entity_type.as_str(),
        entry.entity_id,
        entry.user_id,
        entry.details,
        entry.ip_address,
        entry.created_at,
    ]
}
