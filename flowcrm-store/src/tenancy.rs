//! Two organizations with records of every kind, and the two walls between them, each proven with the other one down.

mod first_wall;
mod pool;
mod second_wall;

use flowcrm_core::access::Role;
use flowcrm_core::activities::{Activity, ActivityType, NewActivity};
use flowcrm_core::auth::{Password, Register, TokenKeys};
use flowcrm_core::deals::{Deal, NewDeal};
use flowcrm_core::env::Env;
use flowcrm_core::ids::{ImportId, NotificationId, OrgId, SessionId};
use flowcrm_core::imports::{Import, ImportKind, ImportOptions};
use flowcrm_core::input::Body;
use flowcrm_core::leads::{Lead, NewLead};
use flowcrm_core::notifications::{Announce, NotificationQuery};
use flowcrm_core::tasks::{NewTask, Task};
use flowcrm_core::users::{NewUser, User};
use flowcrm_core::{Caller, Crm, Origin};

use crate::repo::support::{SECRET, TestDatabase};
use crate::store::SqlStore;

/// An organization with records of every kind; each text in it holds the organization's name.
struct Tenant {
    name: &'static str,
    org: OrgId,
    /// Rules it, in a session.
    owner: Caller,
    session: SessionId,
    owner_user: User,
    /// Owns and works on everything.
    sales: Caller,
    sales_user: User,
    lead: Lead,
    activity: Activity,
    deal: Deal,
    task: Task,
    notification: NotificationId,
    /// Came to its end, and rejected a row.
    import: ImportId,
}

impl Tenant {
    async fn found(crm: &Crm, name: &'static str) -> Self {
        let register = Register {
            name: format!("Owner of {name}"),
            email: format!("owner@{name}.example").parse().unwrap(),
            password: Password::from("correct horse"),
            org_name: name.to_owned(),
        };
        let signed_in = crm.register(register, &Origin::default()).await.unwrap();
        let owner = crm.authenticate(signed_in.access_token.as_str()).unwrap();
        let new = NewUser {
            name: format!("Sales of {name}"),
            email: format!("sales@{name}.example").parse().unwrap(),
            role: Some(Role::Sales),
            password: "correct horse".into(),
        };
        let sales_user = owner.users().create(new).await.unwrap();
        let sales = crm.as_user(sales_user.id).await.unwrap();

        let new = NewLead {
            name: format!("Lead of {name}"),
            email: format!("lead@{name}.example").parse().ok(),
            source: Some(format!("Source of {name}")),
            value: "12.5".parse().ok(),
            external_id: Some("one for all".to_owned()),
            owner_id: Some(sales_user.id),
            assigned_to_id: Some(sales_user.id),
            ..NewLead::default()
        };
        let keyed = owner.clone().with_idempotency_key("one for all").unwrap();
        let lead = keyed.leads().create(new).await.unwrap();
        let new = NewActivity { kind: ActivityType::Note, content: format!("Note of {name}") };
        let activity = sales.leads().add_activity(lead.id, new).await.unwrap();
        let new = NewDeal {
            title: format!("Deal of {name}"),
            value: "125".parse().ok(),
            lead_id: Some(lead.id),
            external_id: Some("one for all".to_owned()),
            owner_id: Some(sales_user.id),
            assigned_to_id: Some(sales_user.id),
            ..NewDeal::default()
        };
        let deal = owner.deals().create(new).await.unwrap();
        let new = NewTask {
            lead_id: Some(lead.id),
            deal_id: Some(deal.id),
            due_date: "2020-01-01".parse().ok(),
            ..NewTask::new(format!("Task of {name}"), sales_user.id)
        };
        let task = owner.tasks().create(new).await.unwrap();
        let announce = Announce { message: format!("News of {name}"), link: None };
        owner.notifications().announce(announce).await.unwrap();
        let notification =
            owner.notifications().list(NotificationQuery::default()).await.unwrap().page.items[0].id;
        let import = upload(&owner, name).await.id;
        assert_eq!(crm.run_waiting_imports().await.unwrap(), 1);
        let session = owner.session_id().unwrap();
        let (org, owner_user) = (signed_in.user.org_id, signed_in.user);
        Self {
            name,
            org,
            owner,
            session,
            owner_user,
            sales,
            sales_user,
            lead,
            activity,
            deal,
            task,
            notification,
            import,
        }
    }

    /// What is in it, by id.
    fn ids(&self) -> Vec<String> {
        let ids = [
            self.org.to_string(),
            self.session.to_string(),
            self.owner_user.id.to_string(),
            self.sales_user.id.to_string(),
            self.lead.id.to_string(),
            self.activity.id.to_string(),
            self.deal.id.to_string(),
            self.task.id.to_string(),
            self.notification.to_string(),
            self.import.to_string(),
        ];
        ids.to_vec()
    }
}

/// Uploads a file of leads, one row of which cannot be imported.
async fn upload(owner: &Caller, name: &str) -> Import {
    let options = ImportOptions::default();
    let mut staging = owner.imports().begin(ImportKind::Leads, options, format!("{name}.csv")).await.unwrap();
    let file =
        format!("name,email\nImported by {name},imported@{name}.example\nRejected by {name},no email\n");
    staging.push(file.as_bytes()).await.unwrap();
    staging.finish().await.unwrap()
}

/// What a client might send.
fn ask(body: serde_json::Value) -> Body {
    Body::try_from(body).unwrap()
}

/// A CRM in a database, with or without the wall that Postgres puts up.
async fn crm(database: &TestDatabase, has_row_security: bool) -> (Crm, SqlStore) {
    let store = SqlStore::connect(&database.url).await.unwrap();
    store.migrate().await.unwrap();
    let walled = if has_row_security { store.clone() } else { store.clone().without_row_security() };
    (Crm::new(walled, TokenKeys::new(SECRET, &[]).unwrap(), Env::system()), store)
}
