//! Imports, from the file to the records, on each engine.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "support/importing.rs"]
mod importing;
mod support;

use std::fmt::Write as _;
use std::io;
use std::mem;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use flowcrm_core::access::Role;
use flowcrm_core::deals::{Deal, DealStage};
use flowcrm_core::env::{Env, FixedClock};
use flowcrm_core::imports::{Import, ImportKind, ImportState};
use flowcrm_core::input::Body;
use flowcrm_core::users::UpdateUser;
use flowcrm_core::{Caller, ErrorCode};
use futures_util::FutureExt as _;
use importing::{body, import, member, owner, send};
use serde_json::json;
use support::TestDatabase;

fn counts(import: &Import) -> (i64, i64, i64, i64) {
    assert_eq!((import.state, import.error.as_deref()), (ImportState::Done, None));
    (import.total, import.created, import.skipped, import.rejected)
}

async fn every_deal(caller: &Caller) -> Vec<Deal> {
    let (mut deals, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let mut query = json!({"limit": "200"});
        if let Some(cursor) = &cursor {
            query["cursor"] = json!(cursor);
        }
        let page = caller.deals().list(body(query)).await.unwrap();
        deals.extend(page.items);
        match page.next {
            Some(next) => cursor = Some(next.to_string()),
            None => return deals,
        }
    }
}

async fn count_leads(caller: &Caller) -> u64 {
    caller.leads().list(body(json!({"count": "true", "limit": "1"}))).await.unwrap().total.unwrap()
}

/// Deals 1 to `count`, each with its external id.
fn many_deals(count: usize) -> String {
    let mut file = "id,deal stage,amount,close date\n".to_owned();
    for number in 1..=count {
        let (stage, closed) = if number % 2 == 0 { ("Closed won", "2024-02-29") } else { ("", "") };
        writeln!(file, "D{number},{stage},{number}.5,{closed}").unwrap();
    }
    file
}

#[tokio::test]
async fn a_dry_run_foretells_what_the_import_does() {
    for database in TestDatabase::on_each_engine().await {
        let crm = database.crm().await;
        let ada = owner(&crm).await;
        let mut file = "\u{feff}Name,E-Mail,External ID,Created,Lead Status,Owner\r\n".to_owned();
        for number in 1..=4_800 {
            // The second half says the first again: some by external id, some by email.
            let number = if number > 2_400 { number - 2_400 } else { number };
            let id = if number % 2 == 0 { format!("X{number}") } else { String::new() };
            write!(file, "\"Lead, {number}\",L{number}@x.org,{id},2024-01-31 10:00:00,new,\r\n").unwrap();
        }
        file.push_str("Bad mail,a b@x.org,,,,\r\nBad date,,,31/13/2024,,\r\n,no@name.org,,,,\r\n");
        file.push_str("\"Two\nlines\",,,,,\r\nNobody,,,,,Bob\r\nOwned,,,,,ADA byron\r\n");
        let dry = json!({"dryRun": true, "onDuplicate": "skip"});
        let (foretold, _) = import(&ada, ImportKind::Leads, dry, file.as_bytes()).await;
        assert_eq!(
            (counts(&foretold), count_leads(&ada).await),
            ((4_806, 2_402, 2_400, 4), 0),
            "{}",
            database.engine
        );
        let (done, rejected) = import(&ada, ImportKind::Leads, json!({}), file.as_bytes()).await;
        assert_eq!((counts(&done), count_leads(&ada).await), (counts(&foretold), 2_402));
        let rejected: Vec<_> =
            rejected.iter().map(|row| (row.line, row.column.as_deref(), row.value.as_deref())).collect();
        let expected = [
            (4_802, Some("E-Mail"), Some("a b@x.org")),
            (4_803, Some("Created"), Some("31/13/2024")),
            (4_804, Some("Name"), None),
            (4_807, Some("Owner"), Some("Bob")),
        ];
        assert_eq!(rejected, expected);
        let lead = ada.leads().list(body(json!({"q": "l2399"}))).await.unwrap().items.pop().unwrap();
        assert_eq!((lead.name.as_str(), lead.version), ("Lead, 2399", 1));
        assert_eq!(lead.created_at.to_string(), "2024-01-31T10:00:00.000Z");

        let inbox = ada.notifications().list(Body::default()).await.unwrap();
        let told: Vec<&str> =
            inbox.page.items.iter().map(|notification| notification.message.as_str()).collect();
        let expected = [
            "Import of file.csv finished: 2402 created, 4 rejected",
            "Dry run of file.csv finished: 2402 would be created, 4 rejected",
        ];
        assert_eq!(told[..2], expected);
        let events = ada.events().list(body(json!({"limit": "1000"}))).await.unwrap();
        let completed = events.iter().filter(|event| event.kind == "import:completed");
        assert_eq!(
            (completed.count(), events.iter().filter(|event| event.kind.starts_with("lead:")).count()),
            (2, 0)
        );
        let audited = ada.audit().list(body(json!({"action": "import:completed"}))).await.unwrap().items;
        assert_eq!(
            (&audited[0].details["created"], &audited[1].details["dryRun"]),
            (&json!(2402), &json!(true))
        );
    }
}

#[tokio::test]
async fn an_import_that_workers_abandon_again_and_again_ends_with_right_counts() {
    for database in TestDatabase::on_each_engine().await {
        let crm = database.crm().await;
        let ada = owner(&crm).await;
        let sent = send(&ada, ImportKind::Deals, json!({}), many_deals(12_000).as_bytes()).await.unwrap();
        let mut abandoned = 0;
        for pause in (0..).map(|round| Duration::from_millis(10).mul_f64(1.2_f64.powi(round))) {
            if tokio::time::timeout(pause, crm.run_waiting_imports()).await.is_ok() {
                let state = ada.imports().get(sent.id).await.unwrap().state;
                if state == ImportState::Done {
                    break;
                }
            }
            abandoned += 1;
            expire_leases(&database).await;
        }
        let done = ada.imports().get(sent.id).await.unwrap();
        assert_eq!(counts(&done), (12_000, 12_000, 0, 0), "{}, abandoned {abandoned} times", database.engine);
        assert!(abandoned > 1);
        let deals = every_deal(&ada).await;
        assert_eq!(deals.len(), 12_000);
        let won: Vec<&Deal> = deals.iter().filter(|deal| deal.stage == DealStage::ClosedWon).collect();
        let closed =
            |deal: &&Deal| deal.closed_at.is_some_and(|moment| moment.to_string().starts_with("2024-02-29"));
        assert_eq!((won.len(), won.iter().all(closed), won[0].probability), (6_000, true, 100));
        let cents: i64 = deals.iter().map(|deal| deal.value.minor()).sum();
        assert_eq!(cents, (1..=12_000).map(|number| number * 100 + 50).sum::<i64>());
    }
}

/// As if a minute had passed for the database.
async fn expire_leases(database: &TestDatabase) {
    support::run_sql(database, "UPDATE imports SET lease_until = NULL").await;
}

#[tokio::test]
async fn a_file_that_never_arrives_in_full_is_forgotten_after_an_hour() {
    for database in TestDatabase::on_each_engine().await {
        let clock = FixedClock::at("2026-01-31".parse().unwrap());
        let crm = database.crm_in(Env::seeded(clock.clone(), 7)).await;
        let ada = owner(&crm).await;
        let mut staging =
            ada.imports().begin(ImportKind::Deals, Body::default(), "a.csv".to_owned()).await.unwrap();
        staging.push(many_deals(5_000).as_bytes()).await.unwrap();
        drop(staging);
        clock.advance(TimeDelta::minutes(59));
        assert_eq!(crm.run_waiting_imports().await.unwrap(), 0);
        assert_ne!(support::run_sql(&database, "UPDATE import_batches SET line = line").await, 0);
        assert!(ada.imports().list(Body::default()).await.unwrap().items.is_empty());
        clock.advance(TimeDelta::minutes(2));
        assert_eq!(crm.run_waiting_imports().await.unwrap(), 0);
        assert_eq!(support::run_sql(&database, "UPDATE import_batches SET line = line").await, 0);
        assert_eq!(support::run_sql(&database, "UPDATE imports SET total = 0").await, 0);
    }
}

#[tokio::test]
async fn a_file_that_has_arrived_is_imported_when_nobody_waits_for_it() {
    for database in TestDatabase::on_each_engine().await {
        let ada = owner(&database.crm().await).await;
        let mut staging =
            ada.imports().begin(ImportKind::Leads, body(json!({})), "file.csv".into()).await.unwrap();
        staging.push(b"name\nGrace\n").await.unwrap();
        assert!(staging.run().now_or_never().is_none());
        let imported = async {
            while count_leads(&ada).await == 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), imported).await.expect(database.engine);
    }
}

/// What is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        io::Write::write(&mut *self.0.lock().unwrap(), line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn what_fails_when_nobody_waits_for_it_is_logged() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    // The tasks of a test run on its thread.
    let _logging = tracing::subscriber::set_default(subscriber);
    for database in TestDatabase::on_each_engine().await {
        let ada = owner(&database.crm().await).await;
        let imports = ada.imports();
        let begin = || imports.begin(ImportKind::Leads, Body::default(), "file.csv".into());
        let mut empty = begin().await.unwrap();
        empty.push(b"name\n").await.unwrap();
        assert!(empty.run().now_or_never().is_none());
        let mut full = begin().await.unwrap();
        full.push(b"name\nGrace\n").await.unwrap();
        drop(full.run().await.unwrap());
        ada.crm().close().await;
        let told = async {
            loop {
                let told = String::from_utf8(mem::take(&mut *log.0.lock().unwrap())).unwrap();
                if told.contains("imports wait") {
                    break told;
                }
                log.0.lock().unwrap().extend(told.bytes());
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let told = tokio::time::timeout(Duration::from_secs(20), told).await.expect(database.engine);
        assert!(told.contains("a file that nobody waits for is not imported"), "{told}");
        assert!(told.contains("has no rows below its header"), "{told}");
    }
}

#[tokio::test]
async fn a_file_of_which_a_piece_was_given_up_is_not_imported_and_leaves_nothing() {
    for database in TestDatabase::on_each_engine().await {
        let ada = owner(&database.crm().await).await;
        let mut given_up = 0;
        for milliseconds in [0, 3, 10, 30] {
            let mut staging =
                ada.imports().begin(ImportKind::Deals, Body::default(), "a.csv".to_owned()).await.unwrap();
            let file = many_deals(20_000);
            let pause = Duration::from_millis(milliseconds);
            if tokio::time::timeout(pause, staging.push(file.as_bytes())).await.is_ok() {
                staging.abandon().await;
                continue;
            }
            given_up += 1;
            assert_eq!(staging.push(b"x\n").await.unwrap_err().code(), ErrorCode::Conflict);
            if milliseconds == 3 {
                assert_eq!(staging.finish().await.unwrap_err().code(), ErrorCode::Conflict);
            } else {
                // Nor does anybody wait until what is there has gone.
                let _ = staging.abandon().now_or_never();
            }
            let gone = async {
                while support::run_sql(&database, "UPDATE imports SET total = total").await != 0 {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            tokio::time::timeout(Duration::from_secs(20), gone).await.expect(database.engine);
        }
        assert_ne!(given_up, 0);
    }
}

#[tokio::test]
async fn deals_find_their_leads_and_people() {
    for database in TestDatabase::on_each_engine().await {
        let crm = database.crm().await;
        let ada = owner(&crm).await;
        let max = member(&ada, "Max", Role::Manager).await;
        let sally = member(&ada, "Sally", Role::Sales).await;
        let (leads, _) = import(&max, ImportKind::Leads, json!({}), b"name,external_id\nAcme,L1\n").await;
        assert_eq!(counts(&leads), (1, 1, 0, 0));
        let lead = max.leads().list(Body::default()).await.unwrap().items.pop().unwrap();
        let file = format!(
            "title,lead external id,agent,lost reason,stage\n\
             One,L1,sally@EXAMPLE.com,,\nTwo,L2,,,\nThree,,Ada Byron,,\nFour,,,too dear,CLOSED_LOST\nFive,{},,x,\n",
            lead.id
        );
        let mapping = json!({
            "mapping": {
                "title": "title", "leadExternalId": 1, "assignedTo": "agent", "lostReason": "Lost Reason", "stage": 4,
            },
        });
        let (deals, rejected) = import(&max, ImportKind::Deals, mapping, file.as_bytes()).await;
        assert_eq!(counts(&deals), (5, 3, 0, 2), "{rejected:?}");
        let lines: Vec<i64> = rejected.iter().map(|row| row.line).collect();
        assert_eq!(lines, [3, 4], "a lead that is not there, a person MANAGER may not name");
        let deals = every_deal(&max).await;
        let one = deals.iter().find(|deal| deal.title == "One").unwrap();
        assert_eq!((one.lead_id, one.assigned_to_id), (Some(lead.id), Some(sally.user_id())));
        // An export names a lead by its own id where it has no other.
        assert_eq!(deals.iter().find(|deal| deal.title == "Five").unwrap().lead_id, Some(lead.id));
        let four = deals.iter().find(|deal| deal.title == "Four").unwrap();
        assert_eq!((four.lost_reason.as_deref(), four.owner_id), (Some("too dear"), max.user_id()));
    }
}

#[tokio::test]
async fn whoever_may_not_import_does_not() {
    for database in TestDatabase::on_each_engine().await {
        let crm = database.crm().await;
        let ada = owner(&crm).await;
        let max = member(&ada, "Max", Role::Manager).await;
        let sally = member(&ada, "Sally", Role::Sales).await;
        let refused = send(&sally, ImportKind::Leads, json!({}), b"name\nAcme\n").await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Forbidden);
        assert_eq!(sally.imports().list(Body::default()).await.unwrap_err().code(), ErrorCode::Forbidden);
        let sent = send(&max, ImportKind::Leads, json!({}), b"name\nAcme\n").await.unwrap();
        let demote = UpdateUser { role: Some(Role::Sales), ..UpdateUser::default() };
        ada.users().update(max.user_id(), demote, None).await.unwrap();
        assert_eq!(crm.run_waiting_imports().await.unwrap(), 1);
        let failed = ada.imports().get(sent.id).await.unwrap();
        assert_eq!((failed.state, failed.created), (ImportState::Failed, 0));
        assert!(failed.error.unwrap().contains("may no longer import"));
        assert_eq!((count_leads(&ada).await, crm.run_waiting_imports().await.unwrap()), (0, 0));
    }
}

#[tokio::test]
async fn a_refused_file_leaves_nothing() {
    for database in TestDatabase::on_each_engine().await {
        let crm = database.crm().await;
        let ada = owner(&crm).await;
        let mut late = many_deals(20_000).replacen("D1,,", "D1é,,", 1).into_bytes();
        late.extend_from_slice(b"caf\xe9,,,\n");
        let mut unclear = many_deals(20_000).replace("2024-02-29", "01/02/2024").into_bytes();
        unclear.extend_from_slice(b"Last,,,\n");
        let files: [(&[u8], &str); 8] = [
            (b"", "file"),
            (b"title\n", "file"),
            (b"%PDF-1.7\n", "file"),
            (b"Row Labels,Sum of Amount\nAda,5\n", "file"),
            (b"colour\nred\n", "options.mapping.title"),
            (&late, "file"),
            (&unclear, "options.dateOrder"),
            (b"title,amount\nOne,\"1,500\"\n", "options.decimalMark"),
        ];
        for (file, field) in files {
            let refused = send(&ada, ImportKind::Deals, json!({}), file).await.unwrap_err();
            let file = String::from_utf8_lossy(&file[..file.len().min(30)]);
            assert_eq!(refused.fields()[0].field, field, "{refused}: {file}");
        }
        let refused =
            send(&ada, ImportKind::Deals, json!({"currency": "EUR"}), b"title\nx\n").await.unwrap_err();
        assert_eq!(refused.fields()[0].field, "options.currency");
        assert!(ada.imports().list(Body::default()).await.unwrap().items.is_empty());
        assert_eq!((crm.run_waiting_imports().await.unwrap(), every_deal(&ada).await.len()), (0, 0));
    }
}

fn all_counts(import: &Import) -> (i64, i64, i64, i64) {
    assert_eq!((import.state, import.error.as_deref()), (ImportState::Done, None));
    (import.created, import.updated, import.skipped, import.rejected)
}

#[tokio::test]
async fn an_update_takes_over_what_rows_say_and_a_dry_run_foretells_it() {
    for database in TestDatabase::on_each_engine().await {
        let crm = database.crm().await;
        let ada = owner(&crm).await;
        let before = "name,email,external id,phone,notes\nAda,ada@x.org,X1,1,keep\nBob,bob@x.org,,2,keep\n\
                      Twin,twin@x.org,,,\n";
        import(&ada, ImportKind::Leads, json!({}), before.as_bytes()).await;
        import(&ada, ImportKind::Leads, json!({"onDuplicate": "create"}), b"name,email\nTwin,twin@x.org\n")
            .await;
        let mut file = "name,email,external id,phone\n".to_owned();
        // Found by external id and changed; found by email, nothing new; found by email and changed; of two; new; new
        // and changed once more, far below; without a name for a new one.
        file +=
            "Ada Byron,ada@y.org,X1,\n,bob@x.org,,2\nBob,bob@x.org,,3\nTwin,twin@x.org,,9\nNew,new@x.org,,\n";
        for number in 0..2_200 {
            writeln!(file, "Filler {number},f{number}@x.org,F{number},").unwrap();
        }
        file += "New,new@x.org,,4\nNew,new@x.org,,4\n,none@x.org,,\n,ada@y.org,,5\n";
        let options = json!({"onDuplicate": "update"});
        let dry = json!({"onDuplicate": "update", "dryRun": true});
        let (foretold, _) = import(&ada, ImportKind::Leads, dry, file.as_bytes()).await;
        let count = count_leads(&ada).await;
        let (done, rejected) = import(&ada, ImportKind::Leads, options.clone(), file.as_bytes()).await;
        assert_eq!(all_counts(&done), (2_201, 4, 2, 2), "{} {rejected:?}", database.engine);
        assert_eq!((all_counts(&foretold), count), (all_counts(&done), 4));
        let lines: Vec<i64> = rejected.iter().map(|row| row.line).collect();
        assert_eq!(lines, [5, 2_209]);
        let leads = ada.leads().list(body(json!({"q": "ada"}))).await.unwrap().items;
        let lead = &leads[0];
        assert_eq!(
            (lead.name.as_str(), lead.notes.as_deref(), lead.phone.as_deref()),
            ("Ada Byron", Some("keep"), Some("5"))
        );
        assert_eq!((lead.email.as_ref().unwrap().as_str(), lead.version), ("ada@y.org", 3));
        let bob = ada.leads().list(body(json!({"q": "bob"}))).await.unwrap().items.pop().unwrap();
        assert_eq!((bob.phone.as_deref(), bob.version), (Some("3"), 2));
        let (again, _) = import(&ada, ImportKind::Leads, json!({}), file.as_bytes()).await;
        assert_eq!(all_counts(&again).0, 0, "a second run adds nothing");
    }
}

#[tokio::test]
async fn an_email_that_many_have_is_one_leads_once_the_others_have_another() {
    for database in TestDatabase::on_each_engine().await {
        let ada = owner(&database.crm().await).await;
        let leads = "external id,name,email\na,Ada,x@y.example\nb,Ben,x@y.example\n,Cid,x@y.example\n,Dot,o@y.example\n";
        let (created, _) =
            import(&ada, ImportKind::Leads, json!({"onDuplicate": "create"}), leads.as_bytes()).await;
        assert_eq!(created.created, 4);
        let update = json!({"onDuplicate": "update"});
        let of_three = "name,email,company\nCid,x@y.example,Engines\n";
        let (import_of_three, rejected) =
            import(&ada, ImportKind::Leads, update.clone(), of_three.as_bytes()).await;
        assert_eq!(all_counts(&import_of_three), (0, 0, 0, 1));
        assert_eq!(rejected[0].reason, "email is that of several records: give their external ids");
        let of_one = "external id,name,email,company\na,Ada,a@y.example,\nb,Ben,b@y.example,\n,Cid,x@y.example,Engines\n";
        let (import_of_one, _) = import(&ada, ImportKind::Leads, update, of_one.as_bytes()).await;
        assert_eq!(all_counts(&import_of_one), (0, 3, 0, 0));
    }
}

#[tokio::test]
async fn an_update_takes_over_when_a_record_was_created() {
    for database in TestDatabase::on_each_engine().await {
        let crm = database.crm().await;
        let ada = owner(&crm).await;
        import(&ada, ImportKind::Leads, json!({}), b"name,external id\nAda,X1\n").await;
        import(&ada, ImportKind::Deals, json!({}), b"title,external id\nEngine,D1\n").await;
        let options = json!({"onDuplicate": "update"});
        for (kind, file) in [
            (ImportKind::Leads, b"external id,created at\nX1,2020-01-31\n".as_slice()),
            (ImportKind::Deals, b"external id,created at\nD1,2020-01-31\n".as_slice()),
        ] {
            let (done, _) = import(&ada, kind, options.clone(), file).await;
            assert_eq!(all_counts(&done), (0, 1, 0, 0), "{}", database.engine);
            let (again, _) = import(&ada, kind, options.clone(), file).await;
            assert_eq!(all_counts(&again), (0, 0, 1, 0), "{} {kind}", database.engine);
        }
        let lead = ada.leads().list(Body::default()).await.unwrap().items.pop().unwrap();
        let deal = every_deal(&ada).await.pop().unwrap();
        for moment in [lead.created_at, deal.created_at] {
            assert!(moment.to_string().starts_with("2020-01-31"), "{moment}");
        }
    }
}

#[tokio::test]
async fn duplicates_are_created_where_wanted_but_no_external_id_twice() {
    for database in TestDatabase::on_each_engine().await {
        let crm = database.crm().await;
        let ada = owner(&crm).await;
        let file = b"name,email,external id\nAda,ada@x.org,\nAda,ada@x.org,\nBob,,X1\nBob,,X1\n";
        let options = json!({"onDuplicate": "create"});
        let dry = json!({"onDuplicate": "create", "dryRun": true});
        let (foretold, _) = import(&ada, ImportKind::Leads, dry, file).await;
        let (done, _) = import(&ada, ImportKind::Leads, options.clone(), file).await;
        assert_eq!((all_counts(&foretold), all_counts(&done)), ((3, 0, 0, 1), (3, 0, 0, 1)));
        let (again, rejected) = import(&ada, ImportKind::Leads, options, file).await;
        assert_eq!(all_counts(&again), (2, 0, 0, 2), "{rejected:?}");
        assert_eq!(count_leads(&ada).await, 5);
    }
}

async fn rejected_file(caller: &Caller, import: &Import) -> String {
    let mut file = caller.imports().rejected_file(import.id).await.unwrap();
    let mut bytes = Vec::new();
    while let Some(chunk) = file.next_chunk().await.unwrap() {
        bytes.extend(chunk);
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn rejected_rows_are_downloaded_put_right_and_imported_again() {
    for database in TestDatabase::on_each_engine().await {
        let crm = database.crm().await;
        let ada = owner(&crm).await;
        let mut text = "Name,secret,E-Mail,Phone\r\n".to_owned();
        for number in 0..1_500 {
            write!(text, "\"Zoë, {number}\",hidden,z{number} @x.org,+49 {number}\r\n").unwrap();
        }
        text += "Short,row\r\n";
        let (done, _) = import(&ada, ImportKind::Leads, json!({}), text.as_bytes()).await;
        assert_eq!(all_counts(&done), (0, 0, 0, 1_501));
        let file = rejected_file(&ada, &done).await;
        let lines: Vec<&str> = file.lines().collect();
        assert_eq!((lines.len(), lines[0]), (1_502, "\u{feff}Name,E-Mail,Phone,line,reason"));
        assert!(lines[1].starts_with("\"Zoë, 0\",z0 @x.org,'+49 0,2,"), "{}", lines[1]);
        assert!(lines[1_501].starts_with(",,,1502,"), "{}", lines[1_501]);
        assert!(!file.contains("hidden"));
        let right = file.replace(" @x.org", "@x.org");
        let (done, _) = import(&ada, ImportKind::Leads, json!({}), right.as_bytes()).await;
        assert_eq!(all_counts(&done), (1_500, 0, 0, 1));
        let lead = ada.leads().list(body(json!({"q": "z77"}))).await.unwrap().items.pop().unwrap();
        assert_eq!((lead.name.as_str(), lead.phone.as_deref()), ("Zoë, 77", Some("+49 77")));

        let options = json!({"header": false, "mapping": {"email": 2, "name": 0}});
        let (done, _) = import(&ada, ImportKind::Leads, options.clone(), b"Eve,hidden,e @x.org\n").await;
        let file = rejected_file(&ada, &done).await;
        assert!(file.starts_with("\u{feff}Eve,,e @x.org,1,"), "{file}");
        let right = file.replace("e @x", "e@x");
        let (done, _) = import(&ada, ImportKind::Leads, options, right.as_bytes()).await;
        assert_eq!(all_counts(&done), (1, 0, 0, 0));
    }
}
