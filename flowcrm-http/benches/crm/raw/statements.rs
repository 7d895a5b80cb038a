//! Calls as SQL.

use uuid::Uuid;

use crate::world::{Ask, Call};

const LEAD: &str = "org_id, id, name, email, phone, company, source, status, value, notes, external_id, owner_id, \
                    assigned_to_id, is_converted, version, created_at, updated_at";

const NEWEST: &str = "ORDER BY created_at DESC, id DESC LIMIT 25";

/// What the engines spell differently.
pub(super) struct Dialect {
    pub(super) id: fn(Uuid) -> String,
    pub(super) new_id: &'static str,
    pub(super) now: &'static str,
    pub(super) no: &'static str,
}

/// One statement that does what a call asks for, on one line; none for what SQL cannot say.
pub(super) fn statement(call: &Call<'_>, dialect: &Dialect) -> Option<String> {
    let Dialect { id, new_id, now, no } = dialect;
    let (org, owner) = (id(call.tenant.org), id(call.tenant.owner));
    let statement = match &call.ask {
        Ask::Lead(lead) => format!("SELECT {LEAD} FROM leads WHERE org_id = {org} AND id = {}", id(*lead)),
        Ask::Page => format!("SELECT {LEAD} FROM leads WHERE org_id = {org} {NEWEST}"),
        Ask::FilteredPage => format!(
            "SELECT {LEAD} FROM leads WHERE org_id = {org} AND status = 'QUALIFIED' AND source = 'Referral' {NEWEST}"
        ),
        // SQLite keeps to the order of a CROSS JOIN.
        Ask::Search(word) => format!(
            "SELECT {LEAD} FROM (SELECT id AS found FROM lead_terms WHERE org_id = {org} AND term >= '{word}' \
             AND term < '{word}{}') f CROSS JOIN leads WHERE org_id = {org} AND id = found {NEWEST}",
            char::MAX
        ),
        Ask::Create(number) => format!(
            "INSERT INTO leads (org_id, id, name, email, email_key, company, source, status, value, owner_id, \
             is_converted, search, version, created_at, updated_at) VALUES ({org}, {new_id}, 'Jean Bartik {number}', \
             'jean.{number}@example.org', 'jean.{number}@example.org', 'Eckert-Mauchly', 'Website', 'NEW', 125050, \
             {owner}, {no}, ' jean bartik {number} jean.{number}@example.org eckert mauchly', 1, {now}, {now})"
        ),
        Ask::Move(deal, stage) => format!(
            "UPDATE deals SET stage = '{stage}', probability = {}, version = version + 1, updated_at = {now} \
             WHERE org_id = {org} AND id = {}",
            stage.probability(),
            id(*deal)
        ),
        Ask::Bulk(leads, value) => {
            let leads: Vec<String> = leads.iter().map(|lead| id(*lead)).collect();
            format!(
                "UPDATE leads SET value = {value}, version = version + 1, updated_at = {now} \
                 WHERE org_id = {org} AND id IN ({})",
                leads.join(", ")
            )
        }
        Ask::Stats => format!(
            "SELECT kind, key, count, value FROM figures WHERE org_id = {org} AND viewer_id = {} \
             AND kind IN ('lead:status', 'lead:created', 'deal:stage', 'deal:won', 'task:status')",
            id(Uuid::nil())
        ),
        Ask::Pipeline => format!(
            "SELECT key, count, value FROM figures WHERE org_id = {org} AND viewer_id = {} AND kind = 'deal:stage'",
            id(Uuid::nil())
        ),
        Ask::SignIn => return None,
    };
    Some(format!("{statement};\n"))
}
