//! A sample service behind the real frame and the real server.
#![expect(clippy::unused_async, reason = "poem describes async operations only")]

use std::net::SocketAddr;

use flowcrm_core::env::Env;
use flowcrm_core::error::Error;
use flowcrm_core::ids::LeadId;
use flowcrm_core::input::{Command, Fields, in_query, integer, text};
use flowcrm_core::page::Page;
use hyper_util::client::legacy::connect::HttpInfo;
use poem::Route;
use poem_openapi::param::Path;
use poem_openapi::{Enum, Object, OpenApi, OpenApiService};
use reqwest::{RequestBuilder, Response};
use serde::Serialize;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::answer::{Answer, Created, ListAnswer, Versioned};
use crate::app::{Settings, framed};
use crate::document::Document;
use crate::extract::{Client, IfMatch, JsonBody, Query, RefreshCookie, Signed};
use crate::problem::Result;
use crate::reference;
use crate::routes::Routes;
use crate::server::{Limits, Server};

/// A running server; it ends with the test's runtime.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    client: reqwest::Client,
}

pub(crate) async fn serve() -> TestServer {
    serve_with(Limits::default()).await
}

pub(crate) async fn serve_with(limits: Limits) -> TestServer {
    let service = service();
    let document = Document::of(&service);
    let settings = Settings {
        origins: "http://listed.example".parse().unwrap(),
        trusted_proxies: "127.0.0.1".parse().unwrap(),
        routes: Routes::of(&document),
        env: Env::system(),
    };
    let endpoint = framed(reference::mount(Route::new().nest_no_strip("/api", service), &document), settings);
    let server = Server::bind("127.0.0.1:0").await.unwrap().with_limits(limits);
    let address = server.local_addr().unwrap();
    tokio::spawn(server.serve(endpoint, std::future::pending()));
    TestServer { address, client: reqwest::Client::builder().pool_max_idle_per_host(1).build().unwrap() }
}

impl TestServer {
    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request("GET", path).send().await.unwrap()
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.client.request(method.parse().unwrap(), format!("http://{}{path}", self.address))
    }

    /// The client's side of the connection that a call goes over.
    pub(crate) async fn connection(&self) -> SocketAddr {
        let response = self.get("/api/samples").await;
        let connection = response.extensions().get::<HttpInfo>().unwrap().local_addr();
        response.bytes().await.unwrap();
        connection
    }

    /// Sends raw bytes and gives back all that comes until the server closes the connection.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    }
}

/// The status and body of an answer, which must be a problem.
pub(crate) async fn problem(response: Response) -> (u16, Value) {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let (status, id) = (response.status(), response.headers()["x-request-id"].to_str().unwrap().to_owned());
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["status"], status.as_u16());
    assert_eq!(body["requestId"], id);
    assert_eq!(body["message"], body["detail"]);
    (status.as_u16(), body)
}

pub(crate) fn service() -> OpenApiService<Samples, ()> {
    OpenApiService::new(Samples, "Samples", "1")
}

#[derive(Debug, Serialize, Object)]
struct Sample {
    id: String,
    name: String,
    notes: Option<String>,
    /// What it looks like.
    color: Option<Color>,
}

#[derive(Debug, Clone, Copy, Serialize, Enum)]
enum Color {
    Red,
}

#[derive(Debug, Object)]
struct NewSample {
    name: String,
    notes: Option<String>,
}

impl Command for NewSample {
    fn decode(fields: &mut Fields) -> Self {
        Self {
            name: fields.required("name", text(1..=10)).unwrap_or_default(),
            notes: fields.optional_text("notes", 10),
        }
    }
}

#[derive(Debug, Object)]
struct SampleChange {
    name: Option<String>,
}

impl Command for SampleChange {
    fn decode(fields: &mut Fields) -> Self {
        Self { name: fields.change("name", text(1..=10)) }
    }
}

#[derive(Debug, Object)]
struct ListSamples {
    /// Words of the name.
    q: Option<String>,
    #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
    limit: Option<i64>,
}

impl Command for ListSamples {
    fn decode(fields: &mut Fields) -> Self {
        Self {
            q: fields.optional("q", text(0..=100)),
            limit: fields.optional("limit", in_query(integer(1..=200))),
        }
    }
}

pub(crate) struct Samples;

#[OpenApi(prefix_path = "/api/samples")]
impl Samples {
    /// Lists samples.
    #[oai(path = "/", method = "get")]
    async fn list(&self, query: Query<ListSamples>) -> Result<ListAnswer<Sample>> {
        let ListSamples { q, limit } = query.0.decode()?;
        let name = q.unwrap_or_else(|| "x".repeat(2_000));
        let items = (0..limit.unwrap_or(1)).map(|_| sample(&name)).collect();
        Ok(ListAnswer(Page { items, next: None, total: Some(7) }))
    }

    /// Creates a sample.
    #[oai(path = "/", method = "post")]
    async fn create(&self, body: JsonBody<NewSample>) -> Result<Created<Sample>> {
        let NewSample { name, notes } = body.0.decode()?;
        Ok(Created(Sample { notes, ..sample(&name) }))
    }

    /// Reads a sample.
    #[oai(path = "/:id", method = "get")]
    async fn read(&self, id: Path<LeadId>) -> Result<Versioned<Sample>> {
        Ok(Versioned { record: sample(&id.0.to_string()), version: Some(3) })
    }

    /// Changes a sample.
    #[oai(path = "/:id", method = "put")]
    async fn change(
        &self,
        id: Path<LeadId>,
        if_match: IfMatch,
        body: JsonBody<SampleChange>,
    ) -> Result<Versioned<Sample>> {
        let SampleChange { name } = body.0.decode()?;
        let name = name.unwrap_or_else(|| id.0.to_string());
        Ok(Versioned { record: sample(&name), version: Some(if_match.0.unwrap_or_default() + 1) })
    }

    /// Creates a sample as somebody.
    #[oai(path = "/signed", method = "post")]
    async fn create_signed(&self, _caller: Signed, body: JsonBody<NewSample>) -> Result<Created<Sample>> {
        let NewSample { name, notes } = body.0.decode()?;
        Ok(Created(Sample { notes, ..sample(&name) }))
    }

    /// Says what the cookie is.
    #[oai(path = "/cookie", method = "post")]
    async fn cookie(&self, cookie: RefreshCookie) -> Result<Answer<String>> {
        Ok(Answer(cookie.0.unwrap_or_default()))
    }

    /// Says who the client is.
    #[oai(path = "/client", method = "get")]
    async fn client(&self, client: Client) -> Result<Answer<String>> {
        Ok(Answer(client.0.ip.map(|ip| ip.to_string()).unwrap_or_default()))
    }

    /// Fails in one way or another.
    #[oai(path = "/failures/:kind", method = "get")]
    async fn fail(&self, kind: Path<String>) -> Result<Answer<String>> {
        match kind.0.as_str() {
            "panic" => panic!("secret"),
            "unavailable" => Err(Error::unavailable("secret").into()),
            "forbidden" => Err(Error::forbidden("Not yours.").into()),
            _ => Err(Error::internal("secret").into()),
        }
    }
}

fn sample(name: &str) -> Sample {
    Sample { id: "1".to_owned(), name: name.to_owned(), notes: None, color: Some(Color::Red) }
}
