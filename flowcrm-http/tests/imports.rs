//! A file as an older spreadsheet writes it goes in, and its rejected rows come back as a file.
mod support;

use reqwest::header::ACCEPT;
use serde_json::json;
use support::TestServer;

#[tokio::test]
async fn rejected_rows_come_as_a_file_that_can_be_put_right() {
    for server in TestServer::on_each_engine().await {
        let owner = server.register("engines").await;
        let text =
            "Name;E-Mail;Value;secret\r\nZoë;zoe@x.org;1.234,50 $;hidden\r\nJürgen;j @x.org;5;hidden\r\n";
        let utf_16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let accepted = owner.upload("leads", &json!({"values": {}}), utf_16).await;
        assert_eq!(accepted.status, 202, "{:?}", accepted.body);
        let id = accepted.body["id"].as_str().expect("an id").to_owned();
        let done = owner.finished_import(&id).await;
        assert_eq!((&done["created"], &done["rejected"]), (&json!(1), &json!(1)));
        let leads = owner.get("/api/leads").await.body;
        assert_eq!((&leads[0]["name"], &leads[0]["value"]), (&json!("Zoë"), &json!(1234.5)));

        let path = format!("/api/imports/{id}/rejected");
        let listed = owner.get(&path).await.body;
        assert_eq!((&listed[0]["line"], &listed[0]["column"]), (&json!(3), &json!("E-Mail")));
        assert!(listed[0].get("cells").is_none());
        let request = owner.request(reqwest::Method::GET, &path).header(ACCEPT, "text/csv");
        let answer = request.send().await.expect("an answer");
        assert!(answer.headers()["content-type"].to_str().expect("text").starts_with("text/csv"));
        let file = answer.text().await.expect("text");
        assert!(file.contains("Jürgen;j @x.org;5;3;") && !file.contains("hidden"), "{file}");

        let right = file.replace("j @x", "j@x").into_bytes();
        let again = owner.upload("leads", &json!({"values": {}}), right).await;
        let done = owner.finished_import(again.body["id"].as_str().expect("an id")).await;
        assert_eq!((&done["created"], &done["rejected"]), (&json!(1), &json!(0)));

        let refused = owner.upload("leads", &json!({}), b"name,created\nAda,01/02/2024\n".to_vec()).await;
        assert_eq!((refused.status, refused.bad_fields()), (400, vec!["options.dateOrder"]));
        let strangers = server.register("looms").await;
        let hidden = strangers.request(reqwest::Method::GET, &path).header(ACCEPT, "text/csv");
        assert_eq!(strangers.send(hidden).await.status, 404);
    }
}

#[tokio::test]
async fn an_upload_is_imported_once_per_idempotency_key() {
    for server in TestServer::on_each_engine().await {
        let owner = server.register("once").await;
        let upload = async |file: &'static str| {
            let part = reqwest::multipart::Part::bytes(file.as_bytes()).file_name("leads.csv");
            let form = reqwest::multipart::Form::new().part("file", part);
            let request = owner.request(reqwest::Method::POST, "/api/leads/import");
            owner.send(request.header("Idempotency-Key", "leads-1").multipart(form)).await
        };
        let first = upload("name\nAda\n").await;
        assert_eq!(first.status, 202, "{:?}", first.body);
        owner.finished_import(first.body["id"].as_str().expect("an id")).await;
        let again = upload("name\nAda\n").await;
        assert_eq!((again.status, &again.body["id"]), (202, &first.body["id"]));
        assert_eq!(upload("name\nGrace\n").await.status, 409);
        assert_eq!(owner.walk("/api/imports").await.len(), 1);
        assert_eq!(owner.walk("/api/leads").await.len(), 1);
    }
}

#[tokio::test]
async fn an_import_is_watched_and_undone() {
    for server in TestServer::on_each_engine().await {
        let owner = server.register("undone").await;
        let mut file = "name,email\n".to_owned();
        (0..3_000).for_each(|number| file.push_str(&format!("Lead {number},l{number}@x.org\n")));
        let accepted = owner.upload("leads", &json!({}), file.into_bytes()).await;
        let path = format!("/api/imports/{}", accepted.body["id"].as_str().expect("an id"));
        let events = watched(&owner, &path).await;
        let states: Vec<&str> = events.iter().filter_map(|import| import["state"].as_str()).collect();
        assert_eq!(states.last(), Some(&"DONE"));
        let created: Vec<i64> = events.iter().filter_map(|import| import["created"].as_i64()).collect();
        assert!(created.is_sorted() && created.len() > 1, "{created:?}");
        assert_eq!(created.last(), Some(&3_000));

        let lead = owner.get("/api/leads?q=l2999").await.body[0]["id"].as_str().expect("an id").to_owned();
        assert_eq!(owner.put(&format!("/api/leads/{lead}"), json!({"phone": "1"})).await.status, 200);
        let undoing = owner.delete(&path).await;
        assert_eq!((undoing.status, &undoing.body["state"]), (202, &json!("UNDOING")), "{:?}", undoing.body);
        let undone = watched(&owner, &path).await.pop().expect("an event");
        assert_eq!(
            [&undone["state"], &undone["removed"], &undone["kept"]],
            [&json!("UNDONE"), &json!(2_999), &json!(1)]
        );
        let kept = owner.get(&format!("{path}/kept")).await.body;
        let expected = json!([{
            "line": 3_001, "recordId": lead, "wasCreated": true, "reason": "was changed since",
        }]);
        assert_eq!((&kept, owner.walk("/api/leads").await.len()), (&expected, 1));

        let strangers = server.register("strangers").await;
        let request = strangers.request(reqwest::Method::GET, &path).header(ACCEPT, "text/event-stream");
        assert_eq!(strangers.send(request).await.status, 404);
    }
}

/// What a watched import tells until it ends.
async fn watched(client: &support::Client, path: &str) -> Vec<serde_json::Value> {
    let request = client.request(reqwest::Method::GET, path).header(ACCEPT, "text/event-stream");
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let text = answer.text().await.expect("a stream that ends");
    let events = text.split("\n\n").filter(|event| event.starts_with("event: progress\n"));
    let data = events.map(|event| event.split_once("data: ").expect("data").1);
    data.map(|data| serde_json::from_str(data).expect("JSON")).collect()
}
