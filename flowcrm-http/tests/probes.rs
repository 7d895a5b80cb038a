//! What the probes say while the database is silent.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod support;

use std::time::{Duration, Instant};

use support::{Reply, TestDatabase, TestServer};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A way to a database that can be made silent: connections stay open, but nothing goes through.
struct Wire {
    /// The database's URL by this way.
    url: String,
    is_silent: watch::Sender<bool>,
}

impl Wire {
    async fn to(url: &str) -> Self {
        let (head, address) = url.split_once('@').unwrap();
        let (address, name) = address.split_once('/').unwrap();
        let address = address.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{head}@{}/{name}", listener.local_addr().unwrap());
        let (is_silent, silence) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect(&address).await.unwrap();
                tokio::spawn(carry(near, far, silence.clone()));
            }
        });
        Self { url, is_silent }
    }
}

async fn carry(mut near: TcpStream, mut far: TcpStream, mut silence: watch::Receiver<bool>) {
    while silence.wait_for(|is_silent| !is_silent).await.is_ok() {
        let mut falls_silent = silence.clone();
        tokio::select! {
            _ = copy_bidirectional(&mut near, &mut far) => return,
            heard = falls_silent.wait_for(|is_silent| *is_silent) => {
                if heard.is_err() {
                    return;
                }
            }
        }
    }
}

async fn probe(server: &TestServer, path: &str) -> (Reply, Duration) {
    let began = Instant::now();
    let reply = server.client().get(path).await;
    (reply, began.elapsed())
}

#[tokio::test]
async fn the_probes_answer_while_the_database_is_silent() {
    let Some(mut database) = TestDatabase::postgres().await else { return };
    let wire = Wire::to(&database.url).await;
    database.url.clone_from(&wire.url);
    let server = TestServer::on(database).await;
    let (ready, _) = probe(&server, "/health/ready").await;
    assert_eq!((ready.status, &ready.body["database"]), (200, &"ok".into()));

    wire.is_silent.send_replace(true);
    let (live, elapsed) = probe(&server, "/health/live").await;
    assert_eq!((live.status, &live.body["status"]), (200, &"ok".into()));
    assert!(elapsed < Duration::from_millis(500), "{elapsed:?}");
    let (ready, elapsed) = probe(&server, "/health/ready").await;
    assert_eq!((ready.status, &ready.body["database"]), (503, &"unavailable".into()));
    assert!(elapsed < Duration::from_millis(2_500), "{elapsed:?}");
    let (live, _) = probe(&server, "/health/live").await;
    assert_eq!((live.status, &live.body["database"]), (200, &"unavailable".into()));

    wire.is_silent.send_replace(false);
    while probe(&server, "/health/ready").await.0.status != 200 {}
    let (live, _) = probe(&server, "/health/live").await;
    assert_eq!((live.status, &live.body["database"]), (200, &"ok".into()));
}
