//! Imports are undone: what they created goes, what they updated goes back, and what people have touched since stays,
//! on each engine.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "support/importing.rs"]
mod importing;
mod support;
#[path = "undo/world.rs"]
mod world;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use flowcrm_core::access::Role;
use flowcrm_core::imports::{Import, ImportKind, ImportState};
use flowcrm_core::input::Body;
use flowcrm_core::users::{DeactivateUser, UpdateUser};
use flowcrm_core::{Caller, ErrorCode};
use importing::{body, import, member, owner, owner_with_email, send};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::json;
use support::TestDatabase;
use world::{Story, World};

/// Undoes an import, and waits for the end.
async fn undo(caller: &Caller, undone: &Import) -> Import {
    let begun = caller.imports().undo(undone.id).await.unwrap();
    assert_eq!((begun.state, caller.crm().run_waiting_imports().await.unwrap()), (ImportState::Undoing, 1));
    let done = caller.imports().get(undone.id).await.unwrap();
    assert_eq!((done.state, done.error.as_deref()), (ImportState::Undone, None));
    done
}

fn counts(import: &Import) -> (i64, i64, i64) {
    (import.removed, import.restored, import.kept)
}

/// What was kept, as line and reason.
async fn kept(caller: &Caller, import: &Import) -> Vec<(i64, String)> {
    let kept = caller.imports().kept(import.id, body(json!({"limit": "200"}))).await.unwrap();
    kept.items.into_iter().map(|record| (record.line, record.reason)).collect()
}

/// The ids of some leads, by their names.
async fn lead(caller: &Caller, q: &str) -> String {
    let found = caller.leads().list(body(json!({"q": q}))).await.unwrap().items;
    assert_eq!(found.len(), 1, "{q}");
    found[0].id.to_string()
}

#[tokio::test]
async fn what_people_have_touched_since_stays_and_is_listed() {
    for database in TestDatabase::on_each_engine().await {
        let crm = database.crm().await;
        let ada = owner(&crm).await;
        let sally = member(&ada, "Sally", Role::Sales).await;
        let old = b"name,email,value,owner\nOld,old@x.org,5,\nGone,gone@x.org,6,\nLeft,left@x.org,7,sally@example.com\n";
        import(&ada, ImportKind::Leads, json!({}), old).await;
        let before = World::seen_by(&ada).await;

        let mut file = "name,email,value,owner\n".to_owned();
        for (name, email) in [
            ("Old renamed", "old@x.org"),
            ("Gone renamed", "gone@x.org"),
            ("Left renamed", "left@x.org"),
            ("Called", "called@x.org"),
            ("Sold", "sold@x.org"),
            ("Planned", "planned@x.org"),
            ("Edited", "edited@x.org"),
            ("Untouched", "untouched@x.org"),
            ("Deleted", "deleted@x.org"),
        ] {
            writeln!(file, "{name},{email},9,ada@example.com").unwrap();
        }
        let (new, _) =
            import(&ada, ImportKind::Leads, json!({"onDuplicate": "update"}), file.as_bytes()).await;
        assert_eq!((new.created, new.updated), (6, 3));

        let (called, sold) = (lead(&ada, "called").await, lead(&ada, "sold").await);
        let activity = body(json!({"type": "CALL", "content": "Hello"}));
        ada.leads().add_activity(called.parse().unwrap(), activity).await.unwrap();
        let deal = body(json!({"title": "First", "leadId": sold}));
        let deal = ada.deals().create(deal).await.unwrap();
        let planned = lead(&ada, "planned").await;
        let task = body(json!({"title": "Call", "leadId": planned, "assignedToId": ada.user_id()}));
        ada.tasks().create(task).await.unwrap();
        let edited = lead(&ada, "edited").await.parse().unwrap();
        ada.leads().update(edited, body(json!({"phone": "1"})), None).await.unwrap();
        for gone in ["gone", "deleted"] {
            ada.leads().delete(lead(&ada, gone).await.parse().unwrap()).await.unwrap();
        }
        let reassign = DeactivateUser { reassign_to: Some(ada.user_id()) };
        ada.users().deactivate(sally.user_id(), reassign).await.unwrap();

        let undone = undo(&ada, &new).await;
        assert_eq!(counts(&undone), (1, 1, 6), "{}", database.engine);
        let listed = kept(&ada, &undone).await;
        let listed: Vec<(i64, &str)> = listed.iter().map(|(line, reason)| (*line, reason.as_str())).collect();
        let expected = [
            (3, "was deleted since"),
            (4, "belonged to a user who is no longer active"),
            (5, "has activities, deals or tasks"),
            (6, "has activities, deals or tasks"),
            (7, "has activities, deals or tasks"),
            (8, "was changed since"),
        ];
        assert_eq!(listed, expected);
        let after = World::seen_by(&ada).await;
        let of_old = |world: &World| world.leads.values().find(|lead| lead.name == "Old").unwrap().clone();
        assert_eq!(
            (of_old(&after).version, of_old(&before).version),
            (3, 1),
            "what it was, as a version of its own"
        );
        assert_eq!(World::content_of(of_old(&after)), World::content_of(of_old(&before)));

        // Once the deal is gone, its lead can go too.
        ada.deals().delete(deal.id).await.unwrap();
        let again = undo(&ada, &new).await;
        assert_eq!((counts(&again), kept(&ada, &again).await.len()), ((2, 1, 5), 5));

        let inbox = ada.notifications().list(Body::default()).await.unwrap();
        let told: Vec<&str> =
            inbox.page.items.iter().map(|notification| notification.message.as_str()).collect();
        assert_eq!(told[0], "Import of file.csv undone: 2 removed, 1 restored, 5 kept");
        let audited = ada.audit().list(body(json!({"action": "import:undone"}))).await.unwrap().items;
        assert_eq!((audited.len(), &audited[0].details["removed"]), (2, &json!(2)));
        let page = ada.imports().kept(new.id, body(json!({"limit": "2", "count": "true"}))).await.unwrap();
        assert_eq!((page.items.len(), page.total, page.next.is_some()), (2, Some(5), true));
    }
}

#[tokio::test]
async fn an_undo_that_workers_abandon_again_and_again_ends_with_everything_gone() {
    for database in TestDatabase::on_each_engine().await {
        let crm = database.crm().await;
        let ada = owner(&crm).await;
        let before = World::seen_by(&ada).await;
        let mut file = "name,email,value\n".to_owned();
        (0..7_000).for_each(|number| writeln!(file, "Lead {number},l{number}@x.org,{number}").unwrap());
        let (new, _) = import(&ada, ImportKind::Leads, json!({}), file.as_bytes()).await;
        assert_eq!(new.created, 7_000);
        assert_eq!(ada.imports().undo(new.id).await.unwrap().state, ImportState::Undoing);
        let mut abandoned = 0;
        for pause in (0..).map(|round| Duration::from_millis(10).mul_f64(1.2_f64.powi(round))) {
            if tokio::time::timeout(pause, crm.run_waiting_imports()).await.is_ok()
                && ada.imports().get(new.id).await.unwrap().state == ImportState::Undone
            {
                break;
            }
            abandoned += 1;
            support::run_sql(&database, "UPDATE imports SET lease_until = NULL").await;
        }
        let undone = ada.imports().get(new.id).await.unwrap();
        assert_eq!(counts(&undone), (7_000, 0, 0), "{}, abandoned {abandoned} times", database.engine);
        assert!(abandoned > 1);
        assert_eq!(World::seen_by(&ada).await, before);
        for table in ["lead_terms", "import_changes", "import_batches"] {
            assert_eq!(support::count_rows(&database, table).await, 0, "{table}");
        }
        assert_eq!(
            counts(&ada.imports().undo(new.id).await.unwrap()),
            (7_000, 0, 0),
            "nothing is left to undo"
        );
        assert_eq!(crm.run_waiting_imports().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn what_somebody_changes_between_two_rows_of_an_import_is_not_undone() {
    for database in TestDatabase::on_each_engine().await {
        let crm = database.crm().await;
        let ada = owner(&crm).await;
        import(&ada, ImportKind::Leads, json!({}), b"name,external id\nAda,X1\n").await;
        let mut file = "name,external id,phone\nAda,X1,1\n".to_owned();
        (0..20_000).for_each(|number| writeln!(file, "Filler {number},F{number},").unwrap());
        file += "Ada,X1,2\n";
        let options = json!({"onDuplicate": "update"});
        let running = send(&ada, ImportKind::Leads, options, file.as_bytes()).await.unwrap();
        let worker = tokio::spawn({
            let crm = crm.clone();
            async move { crm.run_waiting_imports().await }
        });
        let mut progress = ada.imports().progress(running.id).await.unwrap();
        while progress.next().await.unwrap().unwrap().created == 0 {}
        let id = lead(&ada, "ada").await.parse().unwrap();
        ada.leads().update(id, body(json!({"notes": "Call her."})), None).await.unwrap();
        worker.await.unwrap().unwrap();
        let done = ada.imports().get(running.id).await.unwrap();
        assert_eq!((done.created, done.updated), (20_000, 2), "{}", database.engine);
        let undone = undo(&ada, &done).await;
        assert_eq!(counts(&undone), (20_000, 0, 1));
        let kept = ada.leads().get(id).await.unwrap();
        assert_eq!((kept.lead.phone.as_deref(), kept.lead.notes.as_deref()), (Some("2"), Some("Call her.")));
    }
}

#[tokio::test]
async fn an_import_is_stopped_by_undoing_it_and_a_dry_run_is_not_undone() {
    for database in TestDatabase::on_each_engine().await {
        let crm = database.crm().await;
        let ada = owner(&crm).await;
        let max = member(&ada, "Max", Role::Manager).await;
        let before = World::seen_by(&ada).await;
        let (dry, _) = import(&ada, ImportKind::Leads, json!({"dryRun": true}), b"name\nAda\n").await;
        let refused = ada.imports().undo(dry.id).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Conflict);

        let mut file = "name,email\n".to_owned();
        (0..20_000).for_each(|number| writeln!(file, "Lead {number},l{number}@x.org").unwrap());
        let running = send(&ada, ImportKind::Leads, json!({}), file.as_bytes()).await.unwrap();
        let worker = tokio::spawn({
            let crm = crm.clone();
            async move { crm.run_waiting_imports().await }
        });
        let mut progress = ada.imports().progress(running.id).await.unwrap();
        while progress.next().await.unwrap().unwrap().created == 0 {}
        max.imports().undo(running.id).await.unwrap();
        worker.await.unwrap().unwrap();
        crm.run_waiting_imports().await.unwrap();
        let undone = ada.imports().get(running.id).await.unwrap();
        assert_eq!((undone.state, undone.finished_at), (ImportState::Undone, None), "{}", database.engine);
        assert!(undone.removed == undone.created && (1..20_000).contains(&undone.removed), "{undone:?}");
        assert_eq!(World::seen_by(&ada).await, before);
        assert_eq!(support::count_rows(&database, "import_batches").await, 0);

        // Whoever asks must be allowed to until the end; somebody else may ask again then.
        let (new, _) = import(&ada, ImportKind::Leads, json!({}), b"name\nAda\n").await;
        max.imports().undo(new.id).await.unwrap();
        let demote = UpdateUser { role: Some(Role::Sales), ..UpdateUser::default() };
        ada.users().update(max.user_id(), demote, None).await.unwrap();
        assert_eq!(max.imports().undo(new.id).await.unwrap_err().code(), ErrorCode::Forbidden);
        assert_eq!(crm.run_waiting_imports().await.unwrap(), 1);
        let failed = ada.imports().get(new.id).await.unwrap();
        assert_eq!((failed.state, failed.removed), (ImportState::Failed, 0));
        assert!(failed.error.unwrap().contains("may no longer import"));
        assert_eq!(counts(&undo(&ada, &new).await), (1, 0, 0));
    }
}

/// Whatever the file and whatever people do in between: what nobody has touched is exactly what it was, and what
/// somebody has touched is exactly what they made of it.
#[tokio::test(flavor = "multi_thread")]
async fn undoing_restores_the_exact_state_before() {
    for database in TestDatabase::on_each_engine().await {
        let crm = database.crm().await;
        let config = Config { cases: 40, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(
            config,
            proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
        );
        let (stories, told) = (Cell::new(0), RefCell::new(BTreeSet::new()));
        let runtime = tokio::runtime::Handle::current();
        let result = tokio::task::block_in_place(|| {
            runner.run(&world::stories(), |story| {
                runtime.block_on(async {
                    let number = stories.replace(stories.get() + 1);
                    let owner = owner_with_email(&crm, &format!("owner{number}@example.com")).await;
                    let happened = play(&owner, &story).await?;
                    told.borrow_mut().extend(happened);
                    Ok(())
                })
            })
        });
        result.unwrap_or_else(|failure| panic!("{}: {failure}", database.engine));
        let told = told.into_inner();
        assert!(told.len() >= 5, "the stories are too tame: {told:?}");
    }
}

/// Plays a story and compares; answers what happened, in words.
async fn play(owner: &Caller, story: &Story) -> Result<Vec<String>, TestCaseError> {
    world::begin(owner, story).await;
    let before = World::seen_by(owner).await;
    let (imported, _) = import(owner, story.kind, story.options(), story.file().as_bytes()).await;
    let after_import = World::seen_by(owner).await;
    for edit in &story.edits {
        edit.play(owner, story).await;
    }
    let edited = World::seen_by(owner).await;
    let undone = undo(owner, &imported).await;
    let after = World::seen_by(owner).await;
    let expected = World::expected(story.kind, &before, &after_import, &edited);
    proptest::prop_assert_eq!(&after, &expected);
    after.check_figures(owner).await?;
    after.check_search(owner).await?;
    let mut happened: Vec<String> =
        kept(owner, &undone).await.into_iter().map(|(_, reason)| reason).collect();
    proptest::prop_assert_eq!(i64::try_from(happened.len()).unwrap(), undone.kept);
    happened.extend((undone.removed > 0).then(|| "removed".to_owned()));
    happened.extend((undone.restored > 0).then(|| "restored".to_owned()));
    Ok(happened)
}
