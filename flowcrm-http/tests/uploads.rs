//! Uploads that do not come to their end.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![expect(clippy::disallowed_methods, reason = "a test looks into its own database")]

mod support;

use std::fmt::Write as _;

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use support::{TestDatabase, TestServer};

/// How many imports there are, also such as nobody sees.
async fn imports(database: &TestDatabase) -> i64 {
    let count = "SELECT COUNT(*) FROM imports";
    if database.engine == "postgres" {
        let mut connection = PgConnection::connect(&database.url).await.unwrap();
        sqlx::query_scalar(count).fetch_one(&mut connection).await.unwrap()
    } else {
        let mut connection = SqliteConnection::connect(&database.url).await.unwrap();
        sqlx::query_scalar(count).fetch_one(&mut connection).await.unwrap()
    }
}

#[tokio::test]
async fn nothing_is_left_of_a_form_that_goes_on_behind_its_file() {
    for server in TestServer::on_each_engine().await {
        let owner = server.register("ours").await;
        let mut file = "name,email\n".to_owned();
        for number in 0..20_000 {
            writeln!(file, "Lead {number},lead{number}@example.com").unwrap();
        }
        let file = Part::bytes(file.into_bytes()).file_name("leads.csv");
        let form = Form::new().part("file", file).text("options", "{}");
        let request = owner.request(Method::POST, "/api/leads/import").multipart(form);
        let reply = owner.send(request).await;
        assert_eq!((reply.status, reply.bad_fields()), (400, vec!["options"]), "{:?}", reply.body);
        assert_eq!(imports(&server.database).await, 0, "{}", server.database.engine);
    }
}
