//! The second wall: Postgres' row-level security, with statements bound to the wrong organization.

use std::collections::BTreeMap;

use chrono::Duration;
use flowcrm_core::access::{Role, Visibility};
use flowcrm_core::activities::{Activity, ActivityQuery, ActivityRepository};
use flowcrm_core::audit::{AuditQuery, AuditRepository};
use flowcrm_core::auth::{Session, SessionRepository};
use flowcrm_core::dashboard::{DashboardRepository, Period, Periods, Views};
use flowcrm_core::deals::{Deal, DealQuery, DealRepository};
use flowcrm_core::env::Env;
use flowcrm_core::events::{Audience, Circle, EntityType, EventKind, EventViewer};
use flowcrm_core::imports::{
    Change, Foreseen, Import, ImportKind, ImportQuery, ImportRepository, ImportState, KeptQuery, Lease,
    Outcome, Plan, Rejection, RejectionQuery, StagedRow,
};
use flowcrm_core::leads::{Lead, LeadQuery, LeadRepository};
use flowcrm_core::log::LogRepository;
use flowcrm_core::money::Currency;
use flowcrm_core::notifications::{
    Notification, NotificationQuery, NotificationRepository, NotificationType,
};
use flowcrm_core::organizations::{Organization, OrganizationRepository};
use flowcrm_core::ports::{AnswerClaim, AnswerRepository, Journal, NewAuditEntry, NewEvent};
use flowcrm_core::tasks::{Task, TaskQuery, TaskRepository};
use flowcrm_core::time::Timestamp;
use flowcrm_core::users::{User, UserQuery, UserRepository};
use flowcrm_core::{Error, Result};
use serde_json::json;

use super::{Tenant, crm, upload};
use crate::journal;
use crate::repo::support::TestDatabase;
use crate::sql::{Database, OrgConnection, RunAs, Sql, Transaction, args};
use crate::store::SqlStore;

/// Every table that belongs to organizations, and what keeps them apart in it.
const TENANT_TABLES: Sql = Sql::both(
    "SELECT c.relname::text AS name, c.relrowsecurity AND c.relforcerowsecurity AS is_forced,
    EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid) AS has_policy
FROM pg_class c
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace AND (
    c.relname = 'organizations'
    OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'org_id' AND NOT a.attisdropped)
)
ORDER BY c.relname",
);

/// How many rows the present role sees in each table that `flowcrm_app` may read.
const ROWS_SEEN: Sql = Sql::both(
    "SELECT c.relname::text AS name,
    (xpath('/row/rows/text()', query_to_xml(format('SELECT COUNT(*) AS rows FROM %I', c.relname), FALSE, TRUE, '')))[1]
        ::text::bigint AS count
FROM pg_class c
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
  AND has_table_privilege('flowcrm_app', c.oid, 'SELECT')
ORDER BY c.relname",
);

/// A fingerprint of every row of every table.
const FINGERPRINT: Sql = Sql::both(
    "SELECT md5(string_agg(
    query_to_xml(format('SELECT t::text AS row FROM %I t ORDER BY 1', c.relname), TRUE, FALSE, '')::text,
    '' ORDER BY c.relname
)) AS fingerprint
FROM pg_class c
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace",
);

const RESET_ROLE: Sql = Sql::both("RESET ROLE");

const TAKE_ROLE_ALONE: Sql = Sql::both("SET LOCAL ROLE flowcrm_app");

/// What an organization has beside its records: imports in every state, and a session.
struct Prey {
    tenant: Tenant,
    organization: Organization,
    session: Session,
    /// Held by a worker; its plan serves for others too.
    held: Lease,
    plan: Plan,
    /// Its file has not arrived.
    arriving: Import,
    /// Waits for a worker.
    queued: Import,
    now: Timestamp,
    env: Env,
}

/// A transaction that runs as one organization, and whose statements are bound to another.
async fn connection(store: &SqlStore, role: &Tenant, bound: &Tenant) -> OrgConnection {
    let tx = store.database().begin(Some(RunAs::Organization(role.org)), true).await.unwrap();
    OrgConnection::new(tx, bound.org)
}

/// That an import has left the lead as it is, and put the deal back.
fn outcomes_of(tenant: &Tenant, version: i64) -> [Outcome; 2] {
    let line = 2;
    let (lead, kept_because) = (tenant.lead.id.as_uuid(), Some("in use".to_owned()));
    [
        Outcome { record_id: lead, line, version, is_restored: false, kept_because },
        Outcome { record_id: tenant.deal.id.as_uuid(), line, version, is_restored: true, kept_because: None },
    ]
}

impl Prey {
    async fn of(tenant: Tenant, store: &SqlStore) -> Self {
        let env = Env::system();
        let now = env.now();
        let mut own = connection(store, &tenant, &tenant).await;
        let organization = OrganizationRepository::find(&mut own).await.unwrap().unwrap();
        let session = SessionRepository::lock(&mut own, tenant.session).await.unwrap().unwrap();
        let waiting = upload(&tenant.owner, tenant.name).await;
        let held = Lease { import_id: waiting.id, token: env.id() };
        assert!(ImportRepository::claim(&mut own, held, now).await.unwrap());
        let plan = own.hold(held).await.unwrap().unwrap().plan;
        let record_id = tenant.lead.id.as_uuid();
        own.foresee(held.import_id, &[("email somebody".to_owned(), record_id)]).await.unwrap();
        own.foresee_records(held.import_id, &[Foreseen { record_id, record: vec![1] }]).await.unwrap();
        let undone = Import { restored: 1, ..waiting.clone() };
        own.begin_undo(&Import { state: ImportState::Undoing, ..undone.clone() }, tenant.owner_user.id)
            .await
            .unwrap();
        assert!(ImportRepository::claim(&mut own, held, now).await.unwrap());
        own.save_undo(held, &undone, None).await.unwrap();
        own.begin_undo(&Import { state: ImportState::Running, ..undone }, tenant.owner_user.id)
            .await
            .unwrap();
        assert!(ImportRepository::claim(&mut own, held, now).await.unwrap());
        own.note_outcomes(held.import_id, &outcomes_of(&tenant, 1)).await.unwrap();
        let arriving = Import { id: env.id(), ..waiting.clone() };
        ImportRepository::insert(&mut own, &arriving, tenant.owner_user.id, &plan).await.unwrap();
        own.stage(arriving.id, &[StagedRow { line: 2, cells: vec!["a".to_owned()] }]).await.unwrap();
        let queued = Import { id: env.id(), ..waiting.clone() };
        ImportRepository::insert(&mut own, &queued, tenant.owner_user.id, &plan).await.unwrap();
        own.arrived(&queued, &plan, true).await.unwrap();
        own.tx.commit().await.unwrap();
        Self { tenant, organization, session, held, plan, arriving, queued, now, env }
    }

    /// Every way to read, and whether it found anything.
    async fn read(&self, own: &mut OrgConnection) -> Vec<(&'static str, bool)> {
        let Self { tenant, now, .. } = self;
        let (owner, sales) = (tenant.owner_user.id, tenant.sales_user.id);
        let (lead, deal, task) = (tenant.lead.id, tenant.deal.id, tenant.task.id);
        let (import, all, now) = (tenant.import, Visibility::Organization, *now);
        let viewer = EventViewer { user_id: owner, role: Role::Owner };
        let own_keys = ["one for all".to_owned()];
        let period = Period { from: now.plus(Duration::days(-1)), to: now.plus(Duration::days(1)) };
        let periods =
            Periods { this_week: period, last_week: period, this_month: period, last_month: period };
        let views = Views { leads: all, deals: all, tasks: all };
        let days = std::array::from_fn(|day| now.plus(Duration::days(i64::try_from(day).unwrap() - 6)));
        macro_rules! found {
            ($($name:literal $call:expr, |$answer:ident| $is_found:expr;)*) => {
                vec![$(($name, { let $answer = $call.await.expect($name); $is_found }),)*]
            };
        }
        found! {
            "organization" OrganizationRepository::find(own), |answer| answer.is_some();
            "organization, locked" OrganizationRepository::lock(own), |answer| answer.is_some();
            "organization, values" own.has_values(), |answer| answer;
            "actor" own.actor(owner, None, now), |answer| answer.is_some();
            "actor in a session" own.actor(owner, Some(tenant.session), now), |answer| answer.is_some();
            "user" UserRepository::find(own, owner), |answer| answer.is_some();
            "user, locked" UserRepository::lock(own, owner), |answer| answer.is_some();
            "credentials" own.credentials(owner), |answer| answer.is_some();
            "member" own.member(owner), |answer| answer.is_some();
            "names" own.names(&[Some(owner), Some(sales)]), |answer| !answer.is_empty();
            "active users" own.active_ids(), |answer| !answer.is_empty();
            "active owners" own.lock_active_owners(), |answer| answer > 0;
            "users" UserRepository::list(own, &UserQuery::default(), true), |answer| !answer.is_empty();
            "users, counted" UserRepository::count(own, &UserQuery::default(), true), |answer| answer > 0;
            "lead" LeadRepository::find(own, lead), |answer| answer.is_some();
            "lead, locked" LeadRepository::lock(own, lead), |answer| answer.is_some();
            "lead by external id" LeadRepository::find_by_external_id(own, "one for all"), |answer| answer.is_some();
            "leads" LeadRepository::list(own, all, &LeadQuery::default()), |answer| !answer.is_empty();
            "own leads" LeadRepository::list(own, Visibility::Own(sales), &LeadQuery::default()), |answer| !answer.is_empty();
            "leads, counted" LeadRepository::count(own, all, &LeadQuery::default()), |answer| answer > 0;
            "activities, newest" ActivityRepository::newest(own, lead, 20), |answer| !answer.is_empty();
            "activities" ActivityRepository::list(own, lead, &ActivityQuery::default()), |answer| !answer.is_empty();
            "activities, counted" ActivityRepository::count(own, lead), |answer| answer > 0;
            "deal" DealRepository::find(own, deal), |answer| answer.is_some();
            "deal, locked" DealRepository::lock(own, deal), |answer| answer.is_some();
            "deal by external id" DealRepository::find_by_external_id(own, "one for all"), |answer| answer.is_some();
            "deals of a lead" own.of_lead(lead, 20), |answer| !answer.is_empty();
            "deals" DealRepository::list(own, &DealQuery::default()), |answer| !answer.is_empty();
            "deals, counted" DealRepository::count(own, &DealQuery::default()), |answer| answer > 0;
            "task" TaskRepository::find(own, task), |answer| answer.is_some();
            "task, locked" TaskRepository::lock(own, task), |answer| answer.is_some();
            "tasks of a deal" own.of_deal(all, deal, 20), |answer| !answer.is_empty();
            "tasks" TaskRepository::list(own, all, &TaskQuery::default(), now), |answer| !answer.is_empty();
            "tasks, counted" TaskRepository::count(own, all, &TaskQuery::default(), now), |answer| answer > 0;
            "notification" NotificationRepository::find(own, owner, tenant.notification), |answer| answer.is_some();
            "notifications" NotificationRepository::list(own, owner, &NotificationQuery::default()), |answer| !answer.is_empty();
            "notifications, counted" NotificationRepository::count(own, owner, None), |answer| answer > 0;
            "events" LogRepository::after(own, viewer, 0, 100), |answer| !answer.is_empty();
            "events, newest" LogRepository::newest(own, viewer, 100), |answer| !answer.is_empty();
            "audit entries" AuditRepository::list(own, &AuditQuery::default()), |answer| !answer.is_empty();
            "audit entries, counted" AuditRepository::count(own, &AuditQuery::default()), |answer| answer > 0;
            "session" SessionRepository::lock(own, tenant.session), |answer| answer.is_some();
            "sessions" SessionRepository::list(own, owner, now), |answer| !answer.is_empty();
            "import" ImportRepository::find(own, import), |answer| answer.is_some();
            "imports" ImportRepository::list(own, &ImportQuery::default()), |answer| !answer.is_empty();
            "imports, counted" ImportRepository::count(own), |answer| answer > 0;
            "import, held" own.hold(self.held), |answer| answer.is_some();
            "rejected rows" own.rejections(import, &RejectionQuery::default()), |answer| !answer.is_empty();
            "rejected rows, counted" own.count_rejections(import), |answer| answer > 0;
            "staged rows" own.rows_after(self.held.import_id, 0), |answer| !answer.rows.is_empty();
            "foreseen keys" own.foreseen(self.held.import_id, &["email somebody".to_owned()]), |answer| !answer.is_empty();
            "foreseen records" own.foreseen_records(self.held.import_id, &[lead.as_uuid()]), |answer| !answer.is_empty();
            "plan" own.plan(import), |answer| answer.is_some();
            "leads of rows" own.leads_with(&own_keys, &[]), |answer| !answer.is_empty();
            "leads of emails" own.leads_with(&[], &[format!("lead@{}.example", tenant.name)]), |answer| !answer.is_empty();
            "deals of rows" own.deals_with(&own_keys), |answer| !answer.is_empty();
            "members" ImportRepository::members(own), |answer| !answer.is_empty();
            "taken ids of leads" own.taken_external_ids(ImportKind::Leads, &own_keys), |answer| !answer.is_empty();
            "taken ids of deals" own.taken_external_ids(ImportKind::Deals, &own_keys), |answer| !answer.is_empty();
            "taken emails" own.taken_emails(&[format!("lead@{}.example", tenant.name)]), |answer| !answer.is_empty();
            "leads by external ids" own.leads_by_external_id(&own_keys), |answer| !answer.is_empty();
            "leads by ids" own.present_leads(&[lead]), |answer| !answer.is_empty();
            "import, locked" ImportRepository::lock(own, import), |answer| answer.is_some();
            "changes" own.changes_after(self.held.import_id, None, 10), |answer| !answer.is_empty();
            "changes, taken back" own.restorations(&[deal.as_uuid()]), |answer| !answer.is_empty();
            "kept records" own.kept(self.held.import_id, &KeptQuery::default()), |answer| !answer.is_empty();
            "leads in use" own.used(ImportKind::Leads, &[lead.as_uuid()]), |answer| !answer.is_empty();
            "deals in use" own.used(ImportKind::Deals, &[deal.as_uuid()]), |answer| !answer.is_empty();
            "leads, locked" own.lock_leads(&[lead.as_uuid()]), |answer| !answer.is_empty();
            "deals, locked" own.lock_deals(&[deal.as_uuid()]), |answer| !answer.is_empty();
            "totals" own.totals(views, periods), |answer| answer.leads + answer.deals + answer.tasks > 0;
            "week" own.week(views, days), |answer| answer.iter().any(|day| day.leads > 0);
            "pipeline" own.pipeline(all), |answer| !answer.is_empty();
            "lead statuses" own.lead_statuses(all), |answer| !answer.is_empty();
            "lead sources" own.lead_sources(all, 10), |answer| !answer.is_empty();
            "task statuses" own.task_statuses(all), |answer| !answer.is_empty();
            "figures of members" DashboardRepository::members(own, period), |answer| !answer.is_empty();
        }
    }
}

/// Every way to write.
const WRITES: &[&str] = &[
    "organization",
    "user, new",
    "user",
    "password",
    "login",
    "operator",
    "lead, new",
    "lead",
    "lead, deleted",
    "leads, handed over",
    "activity, new",
    "deal, new",
    "deal",
    "deal, deleted",
    "deals, handed over",
    "task, new",
    "task",
    "task, deleted",
    "tasks, handed over",
    "notification, read",
    "notifications, read",
    "session, new",
    "session",
    "session, ended",
    "sessions, ended",
    "import, new",
    "rows, staged",
    "import, arrived",
    "import, discarded",
    "import, claimed",
    "import, saved",
    "rows, deleted",
    "rows, rejected",
    "keys, foreseen",
    "records, foreseen",
    "changes, noted",
    "keys, forgotten",
    "import, to be undone",
    "import, undone",
    "changes, forgotten",
    "changes, taken back",
    "leads, removed",
    "deals, removed",
    "leads, imported",
    "deals, imported",
    "answer, claimed",
    "event",
    "audit entry",
    "notification, new",
];

impl Prey {
    async fn write(&self, what: &str, own: &mut OrgConnection) -> Result<()> {
        let Self { tenant, now, env, .. } = self;
        let (owner, sales, now) = (tenant.owner_user.id, tenant.sales_user.id, *now);
        let lead =
            |version| Lead { version, name: "Changed".to_owned(), external_id: None, ..tenant.lead.clone() };
        let deal =
            |version| Deal { version, title: "Changed".to_owned(), external_id: None, ..tenant.deal.clone() };
        let task = |version| Task { version, title: "Changed".to_owned(), ..tenant.task.clone() };
        let user = |version| User { version, name: "Changed".to_owned(), ..tenant.sales_user.clone() };
        let session = Session { generation: 7, ..self.session.clone() };
        let waiting = self.held.import_id;
        match what {
            "organization" => {
                let version = self.organization.version + 1;
                let changed =
                    Organization { version, name: "Changed".to_owned(), ..self.organization.clone() };
                OrganizationRepository::update(own, &changed).await
            }
            "user, new" => {
                let user = User { id: env.id(), email: "new@everywhere.example".parse().unwrap(), ..user(1) };
                UserRepository::insert(own, &user, "hash").await
            }
            "user" => UserRepository::update(own, &user(tenant.sales_user.version + 1)).await,
            "password" => own.set_password(sales, "hash").await,
            "login" => own.note_login(sales, now).await,
            "operator" => own.set_operator(sales, true).await,
            "lead, new" => LeadRepository::insert(own, &Lead { id: env.id(), ..lead(1) }).await,
            "lead" => LeadRepository::update(own, &lead(tenant.lead.version + 1)).await,
            "lead, deleted" => LeadRepository::delete(own, tenant.lead.id).await,
            "leads, handed over" => LeadRepository::hand_over(own, sales, owner, now).await.map(drop),
            "activity, new" => {
                ActivityRepository::insert(own, &Activity { id: env.id(), ..tenant.activity.clone() }).await
            }
            "deal, new" => DealRepository::insert(own, &Deal { id: env.id(), ..deal(1) }).await,
            "deal" => DealRepository::update(own, &deal(tenant.deal.version + 1)).await,
            "deal, deleted" => DealRepository::delete(own, tenant.deal.id).await,
            "deals, handed over" => DealRepository::hand_over(own, sales, owner, now).await.map(drop),
            "task, new" => TaskRepository::insert(own, &Task { id: env.id(), ..task(1) }).await,
            "task" => TaskRepository::update(own, &task(tenant.task.version + 1)).await,
            "task, deleted" => TaskRepository::delete(own, tenant.task.id).await,
            "tasks, handed over" => TaskRepository::hand_over(own, sales, owner, now).await.map(drop),
            "notification, read" => own.mark_read(owner, tenant.notification).await,
            "notifications, read" => own.mark_all_read(owner).await.map(drop),
            "session, new" => SessionRepository::create(own, &Session { id: env.id(), ..session }).await,
            "session" => SessionRepository::update(own, &session).await,
            "session, ended" => own.revoke(session.id, now).await,
            "sessions, ended" => own.revoke_all(owner, None, now).await.map(drop),
            "import, new" => {
                let import = Import { id: env.id(), ..self.arriving.clone() };
                ImportRepository::insert(own, &import, owner, &self.plan).await
            }
            "rows, staged" => {
                own.stage(self.arriving.id, &[StagedRow { line: 3, cells: vec!["b".to_owned()] }]).await
            }
            "import, arrived" => {
                own.arrived(&Import { total: 9, ..self.arriving.clone() }, &self.plan, true).await
            }
            "import, discarded" => own.discard(self.arriving.id).await,
            "import, claimed" => {
                let lease = Lease { import_id: self.queued.id, token: env.id() };
                ImportRepository::claim(own, lease, now).await.map(drop)
            }
            "import, saved" => {
                let import = Import { id: waiting, state: ImportState::Failed, ..self.queued.clone() };
                own.save(self.held, &import, 3).await
            }
            "rows, deleted" => own.delete_rows(waiting, i64::MAX).await,
            "rows, rejected" => {
                let (column, value, cells) = (None, None, None);
                let rejection = Rejection { line: 9, column, value, reason: "no".to_owned(), cells };
                own.reject(waiting, &[rejection]).await
            }
            "keys, foreseen" => own.foresee(waiting, &[("email another".to_owned(), env.id())]).await,
            "records, foreseen" => {
                own.foresee_records(waiting, &[Foreseen { record_id: env.id(), record: vec![1] }]).await
            }
            "changes, noted" => {
                let change = Change { record_id: env.id(), line: 2, version: 1, previous: None };
                own.note_changes(waiting, &[change]).await
            }
            "keys, forgotten" => own.forget_foreseen(waiting).await,
            "import, to be undone" => {
                own.begin_undo(&Import { id: waiting, ..self.queued.clone() }, owner).await
            }
            "import, undone" => {
                own.save_undo(self.held, &Import { id: waiting, removed: 3, ..self.queued.clone() }, None)
                    .await
            }
            "changes, forgotten" => own.forget_changes(waiting, &[tenant.lead.id.as_uuid()]).await,
            "changes, taken back" => own.note_outcomes(waiting, &outcomes_of(tenant, 2)).await,
            "leads, removed" => {
                TaskRepository::delete(own, tenant.task.id).await?;
                DealRepository::delete(own, tenant.deal.id).await?;
                own.remove_leads(std::slice::from_ref(&tenant.lead)).await
            }
            "deals, removed" => {
                TaskRepository::delete(own, tenant.task.id).await?;
                own.remove_deals(std::slice::from_ref(&tenant.deal)).await
            }
            "leads, imported" => own.insert_leads([Lead { id: env.id(), ..lead(1) }].into()).await,
            "deals, imported" => own.insert_deals([Deal { id: env.id(), ..deal(1) }].into()).await,
            "answer, claimed" => {
                let claim = AnswerClaim {
                    user_id: owner,
                    key: "k".to_owned(),
                    fingerprint: [1; 32],
                    created_at: now,
                };
                AnswerRepository::claim(own, &claim, now.plus(Duration::hours(-24))).await?;
                AnswerRepository::keep(own, &claim, &[1]).await
            }
            "event" => {
                let audience = Audience { circle: Circle::Everyone, users: Vec::new() };
                let (entity_id, user_id, payload) = (env.id(), Some(owner), json!({}));
                let event = NewEvent {
                    kind: EventKind::LeadUpdated,
                    entity_id,
                    user_id,
                    audience,
                    payload,
                    created_at: now,
                };
                journal::flush(own, Journal { events: vec![event], ..nothing_to_record() }).await
            }
            "audit entry" => {
                let entry = NewAuditEntry {
                    id: env.id(),
                    action: "lead:updated",
                    entity_type: EntityType::Lead,
                    entity_id: env.id(),
                    user_id: Some(owner),
                    details: json!({}),
                    ip_address: None,
                    created_at: now,
                };
                journal::flush(own, Journal { audit: vec![entry], ..nothing_to_record() }).await
            }
            "notification, new" => {
                let notification = Notification {
                    id: env.id(),
                    user_id: owner,
                    kind: NotificationType::System,
                    message: "Hello".to_owned(),
                    link: None,
                    read: false,
                    created_at: now,
                };
                journal::flush(own, Journal { notifications: vec![notification], ..nothing_to_record() })
                    .await
            }
            other => panic!("no write {other}"),
        }
    }
}

fn nothing_to_record() -> Journal {
    Journal { currency: Currency::USD, events: Vec::new(), audit: Vec::new(), notifications: Vec::new() }
}

async fn fingerprint(tx: &mut Transaction) -> Result<String> {
    tx.optional(FINGERPRINT, args![])
        .await?
        .ok_or_else(|| Error::internal("no fingerprint"))?
        .text("fingerprint")
}

/// Writes and looks, as the superuser, at what has become of everything; undoes it. None when the write was refused.
async fn outcome(prey: &Prey, what: &str, mut own: OrgConnection) -> Option<String> {
    prey.write(what, &mut own).await.ok()?;
    own.tx.execute(RESET_ROLE, args![]).await.unwrap();
    Some(fingerprint(&mut own.tx).await.unwrap())
}

/// A store on Postgres with both walls up, and two organizations in it.
async fn two_organizations() -> Option<(TestDatabase, SqlStore, Tenant, Tenant)> {
    let database = TestDatabase::postgres().await?;
    let (crm, store) = crm(&database, true).await;
    let (ours, theirs) = (Tenant::found(&crm, "ours").await, Tenant::found(&crm, "theirs").await);
    Some((database, store, ours, theirs))
}

#[tokio::test]
async fn row_security_alone_keeps_every_read_from_another_organization() {
    let Some((_database, store, ours, theirs)) = two_organizations().await else { return };
    let prey = Prey::of(theirs, &store).await;
    let own = prey.read(&mut connection(&store, &prey.tenant, &prey.tenant).await).await;
    let found_nothing: Vec<_> = own.iter().filter(|(_, is_found)| !is_found).collect();
    assert!(found_nothing.is_empty(), "reads that would prove nothing: {found_nothing:?}");

    let foreign = prey.read(&mut connection(&store, &ours, &prey.tenant).await).await;
    let leaks: Vec<_> = foreign.iter().filter(|(_, is_found)| *is_found).collect();
    assert!(leaks.is_empty(), "reads that reach another organization: {leaks:?}");
}

#[tokio::test]
async fn row_security_alone_keeps_every_write_from_another_organization() {
    let Some((_database, store, ours, theirs)) = two_organizations().await else { return };
    let prey = Prey::of(theirs, &store).await;
    let before = fingerprint(&mut store.database().begin(None, false).await.unwrap()).await.unwrap();
    for what in WRITES {
        let own = outcome(&prey, what, connection(&store, &prey.tenant, &prey.tenant).await).await;
        assert!(own.is_some_and(|after| after != before), "{what}: a write that would prove nothing");
        let foreign = outcome(&prey, what, connection(&store, &ours, &prey.tenant).await).await;
        assert!(
            foreign.is_none_or(|after| after == before),
            "{what}: a write that reaches another organization"
        );
    }
}

#[tokio::test]
async fn every_table_of_organizations_forces_row_security() {
    let Some((_database, store, ..)) = two_organizations().await else { return };
    let mut tx = store.database().begin(None, false).await.unwrap();
    let tables = tx.all(TENANT_TABLES, args![]).await.unwrap();
    assert!(tables.len() >= 17, "only {} tables", tables.len());
    for table in tables {
        let name = table.text("name").unwrap();
        assert!(table.flag("is_forced").unwrap() && table.flag("has_policy").unwrap(), "{name}");
    }
}

#[tokio::test]
async fn without_an_organization_nothing_is_visible() {
    let Some((_database, store, ..)) = two_organizations().await else { return };
    let seen = async |mut tx: Transaction| -> BTreeMap<String, i64> {
        let tables = tx.all(ROWS_SEEN, args![]).await.unwrap();
        tables.iter().map(|table| (table.text("name").unwrap(), table.int("count").unwrap())).collect()
    };
    let database: &Database = store.database();
    let of_superuser = seen(database.begin(None, false).await.unwrap()).await;
    let filled = of_superuser.values().filter(|count| **count > 0).count();
    assert!(filled >= 14, "too little to hide: {of_superuser:?}");

    let mut nowhere = database.begin(None, false).await.unwrap();
    nowhere.execute(TAKE_ROLE_ALONE, args![]).await.unwrap();
    let of_nobody = seen(nowhere).await;
    assert_eq!(of_nobody.len(), of_superuser.len());
    assert!(of_nobody.values().all(|count| *count == 0), "{of_nobody:?}");
}
