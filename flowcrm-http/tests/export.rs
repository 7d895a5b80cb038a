//! Exports: everything that one may list, harmless in a spreadsheet, and what our importer takes back.
mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use reqwest::Method;
use serde_json::{Value, json};
use support::{Client, TestDatabase, TestServer};

/// A CSV file, read by its header.
struct Csv {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// Reads CSV (RFC 4180) as strictly as it can be: every row ends with CRLF and is as wide as the header.
fn read(text: &str) -> Csv {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if cell.is_empty() => loop {
                match characters.next().expect("a closing quote") {
                    '"' if characters.peek() == Some(&'"') => cell.push(characters.next().expect("a quote")),
                    '"' => break,
                    inside => cell.push(inside),
                }
            },
            ',' => row.push(std::mem::take(&mut cell)),
            '\r' => {
                assert_eq!(characters.next(), Some('\n'));
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            '"' | '\n' => panic!("{character:?} outside of quotes"),
            plain => cell.push(plain),
        }
    }
    assert!(row.is_empty() && cell.is_empty(), "the last row ends");
    let header = rows.remove(0);
    assert!(rows.iter().all(|row: &Vec<String>| row.len() == header.len()), "all rows are of one width");
    Csv { header, rows }
}

impl Csv {
    fn column(&self, name: &str) -> Vec<&str> {
        let index =
            self.header.iter().position(|column| column == name).unwrap_or_else(|| panic!("no {name}"));
        self.rows.iter().map(|row| row[index].as_str()).collect()
    }

    /// The rows without some columns, sorted.
    fn without(&self, columns: &[&str]) -> Vec<BTreeMap<&str, &str>> {
        let cells = |row| {
            let named = self.header.iter().zip(row).filter(|(name, _)| !columns.contains(&name.as_str()));
            named.map(|(name, cell): (&String, &String)| (name.as_str(), cell.as_str())).collect()
        };
        let mut rows: Vec<BTreeMap<_, _>> = self.rows.iter().map(cells).collect();
        rows.sort();
        rows
    }
}

async fn export_text(client: &Client, path: &str) -> String {
    let response = client.request(Method::GET, path).send().await.expect("an answer");
    assert_eq!(response.status(), 200, "{path}");
    assert_eq!(response.headers()["content-type"], "text/csv; charset=utf-8");
    let kind = path.split('/').nth(2).expect("a kind");
    let disposition = format!("attachment; filename=\"{kind}.csv\"");
    assert_eq!(response.headers()["content-disposition"], disposition.as_str());
    response.text().await.expect("a whole body")
}

async fn export(client: &Client, path: &str) -> Csv {
    read(&export_text(client, path).await)
}

fn ids(records: &[Value]) -> Vec<&str> {
    let mut ids: Vec<&str> = records.iter().map(|record| record["id"].as_str().expect("an id")).collect();
    ids.sort_unstable();
    ids
}

fn sorted(mut cells: Vec<&str>) -> Vec<&str> {
    cells.sort_unstable();
    cells
}

/// An owner with a manager and a salesperson, whose emails are the same in every deployment.
async fn team(server: &TestServer) -> (Client, Client, Client) {
    let owner = server.register("engines").await;
    let manager = owner.add_user("MANAGER", "manager@engines.example").await;
    let sales = owner.add_user("SALES", "sales@engines.example").await;
    (owner, manager, sales)
}

#[tokio::test]
async fn what_is_exported_comes_back_through_the_importer() {
    for (server, database) in
        TestServer::on_each_engine().await.into_iter().zip(TestDatabase::on_each_engine().await)
    {
        let (owner, _, sales) = team(&server).await;
        let plain = owner.create("/api/leads", json!({"name": "Plain"})).await;
        let notes = "a \"quote\", a comma,\na line\n\nand '=1";
        let odd = json!({
            "name": "=cmd|' /C calc'!A0", "email": "Ada+Test@Example.org", "phone": "+49 30 1234",
            "company": "@home, Söhne & \"Co\"", "source": "-", "status": "PROPOSAL", "value": 1_234_567.89,
            "notes": notes, "externalId": "'+7", "ownerId": sales.id(), "assignedToId": owner.id(),
        });
        let odd = owner.create("/api/leads", odd).await;
        // Emails are not unique: who has no other id must not be taken for somebody else.
        owner.create("/api/leads", json!({"name": "Twin", "email": "ada+test@example.org"})).await;
        owner.create("/api/leads", json!({"name": "Twin", "email": "ada+test@example.org"})).await;
        let deals = [
            json!({"title": "Open", "leadId": plain["id"], "value": 0.1, "probability": 33,
                "expectedClose": "2026-07-01T12:34:56.789Z", "assignedToId": sales.id()}),
            json!({"title": "+Lost", "leadId": odd["id"], "stage": "CLOSED_LOST", "lostReason": "@price",
                "externalId": "D, 1", "notes": "\"", "ownerId": sales.id()}),
            json!({"title": "Won", "stage": "CLOSED_WON", "value": 10_000_000_000_i64}),
        ];
        for deal in deals {
            owner.create("/api/deals", deal).await;
        }

        let empty = TestServer::on(database).await;
        let (other, ..) = team(&empty).await;
        for kind in ["leads", "deals"] {
            let path = format!("/api/{kind}/export");
            let first = export_text(&owner, &path).await;
            let imported = other.import(kind, &json!({}), first.clone().into_bytes()).await;
            assert_eq!(imported["rejected"], 0, "{imported} on {}", server.database.engine);
            assert_eq!(imported["created"], imported["total"], "{imported}");
            let second = export_text(&other, &path).await;
            let ours = ["id", "updatedAt"];
            assert_eq!(
                read(&first).without(&ours),
                read(&second).without(&ours),
                "{}",
                server.database.engine
            );
            // Once more adds nothing, as every row has an id of its own.
            let again = other.import(kind, &json!({}), first.into_bytes()).await;
            assert_eq!((&again["created"], &again["skipped"]), (&json!(0), &imported["total"]), "{again}");
        }
        let back = other.walk("/api/leads").await;
        let back = back.iter().find(|lead| lead["externalId"] == "'+7").expect("the odd lead");
        for field in ["name", "email", "phone", "company", "source", "status", "value", "notes", "createdAt"]
        {
            assert_eq!(back[field], odd[field], "{field}");
        }
    }
}

#[tokio::test]
async fn what_is_exported_finds_its_records_again() {
    for server in TestServer::on_each_engine().await {
        let (owner, ..) = team(&server).await;
        let lead = owner.create("/api/leads", json!({"name": "Ada", "email": "ada@example.org"})).await;
        owner.create("/api/leads", json!({"name": "Nameless"})).await;
        let deal =
            json!({"title": "Engine", "leadId": lead["id"], "expectedClose": "2026-07-01T12:34:56.789123Z"});
        owner.create("/api/deals", deal).await;
        let leads = export_text(&owner, "/api/leads/export").await;
        let deals = export_text(&owner, "/api/deals/export").await;
        for (kind, file, count) in [("leads", &leads, 2), ("deals", &deals, 1)] {
            for on_duplicate in ["skip", "update"] {
                let options = json!({"onDuplicate": on_duplicate});
                let import = owner.import(kind, &options, file.clone().into_bytes()).await;
                let nothing = (&json!(0), &json!(0), &json!(0), &json!(count));
                let said = (&import["created"], &import["updated"], &import["rejected"], &import["skipped"]);
                assert_eq!(said, nothing, "{on_duplicate} {kind} on {}", server.database.engine);
            }
        }
        for (kind, file) in
            [("leads", leads.replace("Nameless", "Named")), ("deals", deals.replace("Engine", "Loom"))]
        {
            let options = json!({"onDuplicate": "update"});
            let import = owner.import(kind, &options, file.clone().into_bytes()).await;
            assert_eq!((&import["created"], &import["updated"]), (&json!(0), &json!(1)), "{import}");
        }
        let leads = owner.walk("/api/leads").await;
        assert_eq!(leads.len(), 2);
        assert!(leads.iter().any(|lead| lead["name"] == "Named"));
        assert!(leads.iter().all(|lead| lead["externalId"].is_null()), "an own id is no external one");
        let deals = owner.walk("/api/deals").await;
        assert_eq!((deals.len(), &deals[0]["title"], &deals[0]["leadId"]), (1, &json!("Loom"), &lead["id"]));
    }
}

#[tokio::test]
async fn no_cell_begins_like_a_formula() {
    let server = TestServer::on(TestDatabase::sqlite()).await;
    let owner = server.register("engines").await;
    for start in ["=", "+", "-", "@", "'=", "''@"] {
        let text = format!("{start}HYPERLINK(1)");
        let lead = json!({"name": text, "company": text, "notes": text, "externalId": text, "phone": start});
        owner.create("/api/leads", lead).await;
        owner.create("/api/deals", json!({"title": text, "notes": text})).await;
        owner.create("/api/tasks", json!({"title": text, "assignedToId": owner.id()})).await;
    }
    for kind in ["leads", "deals", "tasks"] {
        let csv = export(&owner, &format!("/api/{kind}/export")).await;
        assert_eq!(csv.rows.len(), 6);
        let bad = csv.rows.iter().flatten().find(|cell| cell.starts_with(['=', '+', '-', '@', '\t', '\r']));
        assert_eq!(bad, None, "{kind}");
    }
    let names = export(&owner, "/api/leads/export").await;
    let apostrophes: usize =
        names.column("name").iter().map(|name| name.len() - name.trim_start_matches('\'').len()).sum();
    assert_eq!(apostrophes, 4 + 2 + 3);
}

#[tokio::test]
async fn filters_select_and_pages_are_refused() {
    for server in TestServer::on_each_engine().await {
        let (owner, _, sales) = team(&server).await;
        for (number, status) in ["NEW", "WON", "NEW", "LOST"].into_iter().enumerate() {
            let lead = json!({"name": format!("Lead {number}"), "status": status, "value": number * 100});
            let lead = owner.create("/api/leads", lead).await;
            let stage = ["PROPOSAL", "CLOSED_WON"][number % 2];
            owner.create("/api/deals", json!({"title": "Deal", "stage": stage, "leadId": lead["id"]})).await;
            let due = ["2020-01-01", "2999-01-01"][number % 2];
            let task =
                json!({"title": "Task", "dueDate": due, "assignedToId": sales.id(), "leadId": lead["id"]});
            owner.create("/api/tasks", task).await;
        }
        for (kind, filter, count) in [
            ("leads", "status=NEW", 2),
            ("leads", "q=lead%203", 1),
            ("leads", "minValue=100&maxValue=200", 2),
            ("leads", "createdTo=2020-01-01", 0),
            ("deals", "stage=CLOSED_WON", 2),
            ("tasks", "overdue=true", 2),
            ("tasks", "dueFrom=2990-01-01&status=TODO", 2),
        ] {
            let csv = export(&owner, &format!("/api/{kind}/export?{filter}")).await;
            let listed = owner.walk(&format!("/api/{kind}?{filter}")).await;
            assert_eq!(sorted(csv.column("id")), ids(&listed), "{kind}?{filter}");
            assert_eq!(csv.rows.len(), count, "{kind}?{filter}");
        }
        for (path, fields) in [
            (
                "/api/leads/export?limit=5&cursor=x&sort=name&count=true",
                &["limit", "sort", "cursor", "count"][..],
            ),
            ("/api/deals/export?stage=Open&colour=red", &["stage", "colour"]),
            ("/api/tasks/export?overdue=maybe&limit=200", &["limit", "overdue"]),
        ] {
            let refused = owner.get(path).await;
            assert_eq!((refused.status, refused.bad_fields().as_slice()), (400, fields), "{path}");
        }
        assert_eq!(server.client().get("/api/leads/export").await.status, 401);
    }
}

#[tokio::test]
async fn everyone_exports_what_they_may_list_and_no_more() {
    for server in TestServer::on_each_engine().await {
        let (owner, manager, sales) = team(&server).await;
        for (name, person) in [("Hers", &sales), ("His", &manager)] {
            let lead = json!({"name": name, "externalId": name, "ownerId": person.id()});
            let lead = owner.create("/api/leads", lead).await;
            owner.create("/api/deals", json!({"title": name, "leadId": lead["id"]})).await;
            owner.create("/api/tasks", json!({"title": name, "assignedToId": person.id()})).await;
        }
        for client in [&owner, &manager, &sales] {
            for kind in ["leads", "deals", "tasks"] {
                let csv = export(client, &format!("/api/{kind}/export")).await;
                let listed = client.walk(&format!("/api/{kind}")).await;
                assert_eq!(sorted(csv.column("id")), ids(&listed), "{kind}");
            }
        }
        let owners = |csv: &Csv| csv.column("owner").into_iter().map(str::to_owned).collect::<Vec<_>>();
        let all = export(&owner, "/api/leads/export").await;
        assert_eq!(owners(&all), ["sales@engines.example", "manager@engines.example"]);
        // Who may not read the emails of others does not find them here.
        let named = export(&manager, "/api/leads/export").await;
        assert_eq!(owners(&named), ["SALES sales@engines.example", "MANAGER manager@engines.example"]);
        let own = export(&sales, "/api/leads/export").await;
        assert_eq!(own.column("name"), ["Hers"]);
        // The deals of an unreadable lead show which lead it is, not what it is called elsewhere.
        let deals = export(&sales, "/api/deals/export").await;
        let his = owner.walk("/api/leads?q=His").await[0]["id"].clone();
        assert_eq!(deals.column("leadExternalId"), ["Hers", his.as_str().expect("an id")]);
        // Another organization sees nothing of this one.
        let stranger = server.register("looms").await;
        assert_eq!(export(&stranger, "/api/leads/export").await.rows.len(), 0);
    }
}

/// A file of so many leads, each with long notes.
fn many_leads(count: usize, notes: usize) -> Vec<u8> {
    let mut file = "name,externalId,notes\n".to_owned();
    let notes = "n".repeat(notes);
    for number in 0..count {
        writeln!(file, "Lead {number},{number},{notes}").expect("a text takes everything");
    }
    file.into_bytes()
}

#[tokio::test]
async fn many_pages_hold_each_record_once_while_others_write() {
    for server in TestServer::on_each_engine().await {
        let (owner, ..) = team(&server).await;
        let imported = owner.import("leads", &json!({}), many_leads(3_500, 10)).await;
        assert_eq!(imported["created"], 3_500, "{imported}");
        let path = "/api/leads/export";
        let mut response = owner.request(Method::GET, path).send().await.expect("an answer");
        assert_eq!(response.headers().get("content-length"), None, "it is streamed");
        let mut bytes = response.chunk().await.expect("a chunk").expect("a chunk").to_vec();
        for number in 0..20 {
            owner.create("/api/leads", json!({"name": format!("New {number}")})).await;
        }
        while let Some(chunk) = response.chunk().await.expect("a whole body") {
            bytes.extend_from_slice(&chunk);
        }
        let csv = read(str::from_utf8(&bytes).expect("UTF-8"));
        let mut known = csv.column("externalId");
        known.retain(|id| id.parse::<usize>().is_ok());
        known.sort_unstable();
        known.dedup();
        assert_eq!(known.len(), 3_500, "{}", server.database.engine);
        let mut all = csv.column("id");
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), csv.rows.len(), "none comes twice");
        let created = csv.column("createdAt");
        assert!(created.is_sorted(), "by creation");
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_finished_is_cut_off() {
    for server in TestServer::on_each_engine().await {
        let (owner, manager, _) = team(&server).await;
        // More than the buffers between the two ends hold.
        let imported = owner.import("leads", &json!({}), many_leads(4_000, 5_000)).await;
        assert_eq!(imported["created"], 4_000, "{imported}");
        let mut response = manager.request(Method::GET, "/api/leads/export").send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        response.chunk().await.expect("the beginning");
        let gone = owner.delete(&format!("/api/users/{}", manager.id())).await;
        assert_eq!(gone.status, 200, "{:?}", gone.body);
        let cut = loop {
            match response.chunk().await {
                Ok(Some(_)) => {}
                Ok(None) => break false,
                Err(_) => break true,
            }
        };
        assert!(cut, "a part looks like the whole on {}", server.database.engine);
        assert_eq!(manager.get("/api/leads/export").await.status, 401);
    }
}
