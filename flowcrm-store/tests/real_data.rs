//! Files of real businesses, imported exactly: what a correct import must find in them was counted by other means.
//!
//! They are no part of this repository. `FLOWCRM_REAL_DATA` names the folder that has them.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod support;

use std::collections::{BTreeMap, HashSet};

use flowcrm_core::auth::Register;
use flowcrm_core::deals::{Deal, DealStage};
use flowcrm_core::imports::{Import, ImportKind, ImportState, Rejection};
use flowcrm_core::input::Body;
use flowcrm_core::leads::{Lead, LeadStatus};
use flowcrm_core::{Caller, Origin};
use serde_json::{Value, json};
use support::TestDatabase;

/// The bytes of a file, if the folder is there.
fn file(name: &str) -> Option<Vec<u8>> {
    let Ok(folder) = std::env::var("FLOWCRM_REAL_DATA") else {
        eprintln!("SKIPPED: FLOWCRM_REAL_DATA is not set, so {name} is not imported");
        return None;
    };
    Some(std::fs::read(format!("{folder}/{name}")).unwrap())
}

/// An organization of its own on each engine.
async fn on_each_engine() -> Vec<(TestDatabase, Caller)> {
    let mut callers = Vec::new();
    for database in TestDatabase::on_each_engine().await {
        let crm = database.crm().await;
        let register = Register {
            name: "Ada Byron".to_owned(),
            email: "ada@example.com".parse().unwrap(),
            password: "correct horse".into(),
            org_name: "Engines".to_owned(),
        };
        let signed_in = crm.register(register, &Origin::default()).await.unwrap();
        let caller = crm.authenticate(signed_in.access_token.as_str()).unwrap();
        callers.push((database, caller));
    }
    callers
}

fn body(value: Value) -> Body {
    Body::try_from(value).unwrap()
}

async fn run(caller: &Caller, kind: ImportKind, options: Value, file: &[u8]) -> (Import, Vec<Rejection>) {
    let mut staging = caller.imports().begin(kind, body(options), "file.csv".to_owned()).await.unwrap();
    for piece in file.chunks(10_000) {
        staging.push(piece).await.unwrap();
    }
    let sent = staging.finish().await.unwrap();
    caller.crm().run_waiting_imports().await.unwrap();
    let import = caller.imports().get(sent.id).await.unwrap();
    assert_eq!((import.state, import.error.as_deref()), (ImportState::Done, None));
    let rejected = caller.imports().rejected(import.id, body(json!({"limit": "200"}))).await.unwrap();
    (import, rejected.items)
}

/// Imports a file three times, of which the first only tries and the last finds everything there. Answers what was
/// rejected.
async fn import(
    caller: &Caller,
    kind: ImportKind,
    options: Value,
    file: &[u8],
    (created, rejected): (i64, i64),
) -> Vec<Rejection> {
    let mut tried = options.clone();
    tried["dryRun"] = json!(true);
    let counts = |import: &Import| (import.created, import.skipped, import.rejected);
    let (foretold, _) = run(caller, kind, tried, file).await;
    assert_eq!(counts(&foretold), (created, 0, rejected), "the dry run");
    let (done, rejections) = run(caller, kind, options.clone(), file).await;
    assert_eq!(counts(&done), (created, 0, rejected), "{rejections:?}");
    let (again, _) = run(caller, kind, options, file).await;
    assert_eq!(counts(&again), (0, created, rejected), "the second run");
    rejections
}

async fn every_lead(caller: &Caller) -> Vec<Lead> {
    let (mut leads, mut query) = (Vec::new(), json!({"limit": "200"}));
    loop {
        let page = caller.leads().list(body(query.clone())).await.unwrap();
        leads.extend(page.items);
        match page.next {
            Some(next) => query["cursor"] = json!(next.to_string()),
            None => return leads,
        }
    }
}

async fn every_deal(caller: &Caller) -> Vec<Deal> {
    let (mut deals, mut query) = (Vec::new(), json!({"limit": "200"}));
    loop {
        let page = caller.deals().list(body(query.clone())).await.unwrap();
        deals.extend(page.items);
        match page.next {
            Some(next) => query["cursor"] = json!(next.to_string()),
            None => return deals,
        }
    }
}

fn sources(leads: &[Lead]) -> BTreeMap<&str, usize> {
    let mut sources = BTreeMap::new();
    for lead in leads {
        *sources.entry(lead.source.as_deref().unwrap_or_default()).or_default() += 1;
    }
    sources
}

#[tokio::test]
async fn a_pipeline_of_8800_deals() {
    let Some(file) = file("maven-crm-sales/sales_pipeline.csv") else { return };
    let options = json!({
        "mapping": {
            "title": "opportunity_id", "externalId": "opportunity_id", "stage": "deal_stage", "value": "close_value",
            "closedAt": "close_date",
        },
        "values": {"stage": {"Engaging": "DISCOVERY"}},
    });
    for (_database, ada) in on_each_engine().await {
        import(&ada, ImportKind::Deals, options.clone(), &file, (8_800, 0)).await;
        let deals = every_deal(&ada).await;
        let of = |stage| deals.iter().filter(move |deal| deal.stage == stage);
        let stages = [
            (DealStage::ClosedWon, 4_238),
            (DealStage::ClosedLost, 2_473),
            (DealStage::Discovery, 1_589),
            (DealStage::Qualification, 500),
        ];
        for (stage, count) in stages {
            assert_eq!(of(stage).count(), count, "{stage}");
        }
        assert_eq!(of(DealStage::ClosedWon).map(|deal| deal.value.minor()).sum::<i64>(), 1_000_553_400);
        assert_eq!(deals.iter().filter(|deal| deal.closed_at.is_none()).count(), 2_089);
    }
}

#[tokio::test]
async fn a_funnel_of_8000_leads_and_842_deals() {
    let folder = "olist-marketing-funnel";
    let Some(leads) = file(&format!("{folder}/olist_marketing_qualified_leads_dataset.csv")) else { return };
    let Some(deals) = file(&format!("{folder}/olist_closed_deals_dataset.csv")) else { return };
    let of_leads =
        json!({"mapping": {"externalId": "mql_id", "createdAt": "first_contact_date", "source": "origin"}});
    let of_deals = json!({"mapping": {
        "externalId": "mql_id", "leadExternalId": "mql_id", "value": "declared_monthly_revenue", "createdAt": "won_date",
    }});
    for (_database, ada) in on_each_engine().await {
        import(&ada, ImportKind::Leads, of_leads.clone(), &leads, (8_000, 0)).await;
        let leads = every_lead(&ada).await;
        assert!(leads.iter().all(|lead| Some(&lead.name) == lead.external_id.as_ref()));
        let created_in =
            |month: &str| leads.iter().filter(|lead| lead.created_at.to_string().starts_with(month)).count();
        assert_eq!((created_in("2017-06"), created_in("2018-05")), (4, 1_303));
        let sources = sources(&leads);
        assert_eq!(
            ["organic_search", "paid_search", "unknown", ""].map(|source| sources[source]),
            [2_296, 1_586, 1_099, 60]
        );
        import(&ada, ImportKind::Deals, of_deals.clone(), &deals, (842, 0)).await;
        let deals = every_deal(&ada).await;
        let by_id: BTreeMap<_, _> = leads.iter().map(|lead| (lead.id, lead.external_id.as_deref())).collect();
        assert!(deals.iter().all(|deal| by_id[&deal.lead_id.unwrap()] == deal.external_id.as_deref()));
        assert_eq!(deals.iter().map(|deal| deal.value.minor()).sum::<i64>(), 6_178_400_600);
    }
}

#[tokio::test]
async fn leads_of_a_school_that_writes_select_for_nothing() {
    let Some(file) = file("x-education-leads/Leads.csv") else { return };
    let options = json!({
        "mapping": {
            "externalId": "Lead Number", "source": "Lead Source", "status": "Converted",
            "notes": ["How did you hear about X Education", "Lead Profile", "City"],
        },
        "values": {"status": {"1": "WON", "0": "NEW"}},
        "emptyValues": ["Select"],
    });
    for (_database, ada) in on_each_engine().await {
        import(&ada, ImportKind::Leads, options.clone(), &file, (9_191, 0)).await;
        let leads = every_lead(&ada).await;
        let sources = sources(&leads);
        assert_eq!((sources["Google"], sources["Direct Traffic"]), (2_847, 2_533));
        assert_eq!(leads.iter().filter(|lead| lead.status == LeadStatus::Won).count(), 3_542);
        assert!(leads.iter().all(|lead| lead.notes.as_deref() != Some("Select")));
        assert!(leads.iter().any(|lead| lead.notes.is_some()));
        assert!(leads.iter().all(|lead| Some(&lead.name) == lead.external_id.as_ref()));
    }
}

#[tokio::test]
async fn contacts_whose_names_and_emails_are_in_several_columns() {
    let Some(file) = file("atomic-crm/contacts.csv") else { return };
    let options = json!({"mapping": {
        "name": {"join": ["first_name", "last_name"]}, "email": ["email_work", "email_home", "email_other"],
        "externalId": "id", "company": "company", "createdAt": "first_seen", "notes": "tags",
    }});
    for (_database, ada) in on_each_engine().await {
        import(&ada, ImportKind::Leads, options.clone(), &file, (500, 0)).await;
        let leads = every_lead(&ada).await;
        let emails: HashSet<String> =
            leads.iter().map(|lead| lead.email.as_ref().unwrap().to_string()).collect();
        assert_eq!(emails.len(), 500);
        let shelley = leads.iter().find(|lead| lead.external_id.as_deref() == Some("2")).unwrap();
        assert_eq!(
            (shelley.name.as_str(), shelley.company.as_deref()),
            ("Shelley Kerluke", Some("Gottlieb and Sons"))
        );
        assert_eq!(shelley.created_at.to_string(), "2024-08-13T18:04:34.666Z");
        assert!(leads.iter().any(|lead| lead.company.as_ref().is_some_and(|company| company.contains(", "))));
    }
}

#[tokio::test]
async fn malformed_emails_are_rejected_by_line_and_may_be_put_right() {
    let Some(file) = file("react-spreadsheet-import/exampleFile.csv") else { return };
    for (_database, ada) in on_each_engine().await {
        let rejections = import(&ada, ImportKind::Leads, json!({}), &file, (997, 3)).await;
        for rejection in &rejections {
            assert_eq!(rejection.column.as_deref(), Some("email"));
            assert!(rejection.value.as_ref().unwrap().contains(' '), "{rejection:?}");
            let text = String::from_utf8_lossy(&file);
            let line = text.lines().nth(usize::try_from(rejection.line).unwrap() - 1).unwrap();
            assert!(line.contains(rejection.value.as_ref().unwrap()));
        }
    }
}

#[tokio::test]
async fn customers_with_accents_and_literal_nulls() {
    let Some(file) = file("northwind-customers/customers.csv") else { return };
    let options = json!({
        "mapping": {
            "externalId": "customerID", "name": "contactName", "company": "companyName", "phone": "phone",
            "notes": {"join": ["address", "city", "region", "postalCode", "country"]},
        },
        "emptyValues": ["NULL"],
    });
    for (_database, ada) in on_each_engine().await {
        import(&ada, ImportKind::Leads, options.clone(), &file, (91, 0)).await;
        let leads = every_lead(&ada).await;
        let berglund = leads.iter().find(|lead| lead.external_id.as_deref() == Some("BERGS")).unwrap();
        assert_eq!(berglund.company.as_deref(), Some("Berglunds snabbköp"));
        let ana = leads.iter().find(|lead| lead.external_id.as_deref() == Some("ANATR")).unwrap();
        assert_eq!(ana.phone.as_deref(), Some("(5) 555-4729"));
        assert_eq!(ana.notes.as_deref(), Some("Avda. de la Constitución 2222 México D.F. 05021 Mexico"));
        assert!(leads.iter().all(|lead| !lead.notes.as_ref().unwrap().contains("NULL")));
    }
}

#[tokio::test]
async fn templates_with_columns_that_we_do_not_have() {
    let Some(partners) = file("odoo-base-import/res.partner.csv") else { return };
    let Some(contacts) = file("odoo-base-import/o2m_customers_contacts.csv") else { return };
    for (_database, ada) in on_each_engine().await {
        import(&ada, ImportKind::Leads, json!({}), &partners, (6, 0)).await;
        let leads = every_lead(&ada).await;
        let bill = leads.iter().find(|lead| lead.external_id.as_deref() == Some("res_partner_3")).unwrap();
        assert_eq!((bill.name.as_str(), bill.company.as_deref()), ("Bill", Some("Grocery Outlet")));
        assert_eq!(bill.phone.as_deref(), Some("4517864512"), "the mobile, there being no other");
        let (done, _) = run(&ada, ImportKind::Leads, json!({}), &contacts).await;
        assert_eq!((done.created, done.rejected), (8, 0));
    }
}
