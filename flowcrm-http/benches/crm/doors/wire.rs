//! Calls over HTTP/1.1 on a connection that stays open, at little cost to the machine that the server shares.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::load::Client;
use crate::support::PASSWORD;
use crate::world::{Ask, Call};

/// A connection to the server.
pub(super) struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Client for Connection {
    async fn perform(&mut self, call: &Call<'_>) {
        self.exchange(&request(call)).await;
    }
}

impl Connection {
    pub(super) async fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server listens");
        stream.set_nodelay(true).expect("a TCP socket");
        Self { stream, answer: Vec::with_capacity(64 * 1024) }
    }

    /// Sends a request and reads the whole answer, which must be a good one.
    async fn exchange(&mut self, request: &[u8]) {
        self.stream.write_all(request).await.expect("the server listens");
        self.answer.clear();
        while answer_length(&self.answer).is_none_or(|length| self.answer.len() < length) {
            let read = self.stream.read_buf(&mut self.answer).await.expect("the server answers");
            assert!(read > 0, "the server hung up: {}", String::from_utf8_lossy(request));
        }
        let shown =
            || format!("{}\n{}", String::from_utf8_lossy(request), String::from_utf8_lossy(&self.answer));
        assert!(self.answer.starts_with(b"HTTP/1.1 20"), "{}", shown());
    }
}

/// How long an answer is with its head, once the head is there.
fn answer_length(answer: &[u8]) -> Option<usize> {
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let lines = str::from_utf8(&answer[..head]).expect("a head of text").lines();
    let mut headers = lines.filter_map(|line| line.split_once(':'));
    let length = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: usize = length.and_then(|(_, length)| length.trim().parse().ok()).expect("a Content-Length");
    Some(head + 4 + length)
}

/// A call as it goes over the wire.
fn request(call: &Call<'_>) -> Vec<u8> {
    let get = |path: &str| ("GET", path.to_owned(), String::new());
    let (method, path, body) = match &call.ask {
        Ask::Lead(lead) => get(&format!("/api/leads/{lead}")),
        Ask::Page => get("/api/leads?limit=25"),
        Ask::FilteredPage => get("/api/leads?limit=25&status=QUALIFIED&source=Referral"),
        Ask::Search(word) => get(&format!("/api/leads?limit=25&q={word}")),
        Ask::Create(number) => {
            let lead = json!({
                "name": format!("Jean Bartik {number}"),
                "email": format!("jean.{number}@example.org"),
                "company": "Eckert-Mauchly",
                "source": "Website",
                "value": 1250.5,
            });
            ("POST", "/api/leads".to_owned(), lead.to_string())
        }
        Ask::Move(deal, stage) => {
            ("PUT", format!("/api/deals/{deal}"), json!({"stage": stage.as_str()}).to_string())
        }
        Ask::Bulk(leads, value) => {
            ("POST", "/api/leads/bulk".to_owned(), json!({"ids": leads, "set": {"value": value}}).to_string())
        }
        Ask::Stats => get("/api/dashboard/stats"),
        Ask::Pipeline => get("/api/dashboard/pipeline"),
        Ask::SignIn => {
            let credentials = json!({"email": call.tenant.email, "password": PASSWORD});
            ("POST", "/api/auth/login".to_owned(), credentials.to_string())
        }
    };
    let body_headers = match body.len() {
        0 => String::new(),
        length => format!("Content-Type: application/json\r\nContent-Length: {length}\r\n"),
    };
    let token = &call.tenant.token;
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n{body_headers}"
    );
    format!("{head}\r\n{body}").into_bytes()
}
