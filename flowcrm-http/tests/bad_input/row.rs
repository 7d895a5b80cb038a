//! A row of the table: a bad request, and the problem that it deserves.

use std::fmt;

use bytes::Bytes;
use futures_util::stream;
use reqwest::RequestBuilder;
use reqwest::header::HeaderValue;
use serde_json::Value;

use super::World;
use crate::support::Reply;

/// Who sends a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Who {
    /// Nobody who is signed in.
    Nobody,
    /// The OWNER of an organization.
    Owner,
    /// One of its SALES.
    Sales,
    /// A platform operator, OWNER of another organization.
    Operator,
}

/// What a request carries.
#[derive(Debug, Clone)]
enum Sent {
    Nothing,
    Json(Value),
    Bytes(Vec<u8>),
    Chunks(Vec<u8>),
}

/// A bad request. In its path, headers and JSON `{lead}` and the like stand for what the [`World`] knows.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    name: String,
    method: &'static str,
    path: String,
    who: Who,
    headers: Vec<(&'static str, Vec<u8>)>,
    sent: Sent,
    status: u16,
    code: &'static str,
    fields: Vec<&'static str>,
}

impl fmt::Display for Row {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?} sends {} {} with {}", self.who, self.method, self.path, self.name)
    }
}

/// A request by the OWNER, without a body.
pub(crate) fn row(method: &'static str, path: impl Into<String>, name: impl Into<String>) -> Row {
    Row {
        name: name.into(),
        method,
        path: path.into(),
        who: Who::Owner,
        headers: Vec::new(),
        sent: Sent::Nothing,
        status: 400,
        code: "validation_failed",
        fields: Vec::new(),
    }
}

impl Row {
    /// Sent by somebody else.
    pub(crate) fn by(self, who: Who) -> Self {
        Self { who, ..self }
    }

    /// With a header, perhaps once more.
    pub(crate) fn header(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name, value.as_ref().to_vec()));
        self
    }

    /// With a JSON body.
    pub(crate) fn json(self, body: Value) -> Self {
        Self { sent: Sent::Json(body), ..self }
    }

    /// With a body of any type.
    pub(crate) fn body(self, content_type: &str, body: impl AsRef<[u8]>) -> Self {
        let sent = Sent::Bytes(body.as_ref().to_vec());
        Self { sent, ..self }.header("content-type", content_type)
    }

    /// With a body that does not say its type.
    pub(crate) fn untyped(self, body: impl AsRef<[u8]>) -> Self {
        Self { sent: Sent::Bytes(body.as_ref().to_vec()), ..self }
    }

    /// With a JSON body that does not say its length.
    pub(crate) fn chunked(self, body: Vec<u8>) -> Self {
        Self { sent: Sent::Chunks(body), ..self }.header("content-type", "application/json")
    }

    /// Deserves 400 with exactly these bad fields.
    pub(crate) fn bad(mut self, fields: &[&'static str]) -> Self {
        self.fields = fields.to_vec();
        self
    }

    /// Deserves another problem.
    pub(crate) fn answers(self, status: u16, code: &'static str) -> Self {
        Self { status, code, ..self }
    }

    /// Sends the request.
    pub(crate) async fn send(&self, world: &World) -> Reply {
        let client = world.client(self.who);
        let method = self.method.parse().expect("a method");
        let mut request = client.request(method, &world.fill(&self.path));
        for (name, value) in &self.headers {
            request = request.header(*name, header_value(value, world));
        }
        client.send(self.with_body(request, world)).await
    }

    fn with_body(&self, request: RequestBuilder, world: &World) -> RequestBuilder {
        match &self.sent {
            Sent::Nothing => request,
            Sent::Json(body) => {
                request.header("content-type", "application/json").body(world.fill(&body.to_string()))
            }
            Sent::Bytes(bytes) => request.body(bytes.clone()),
            Sent::Chunks(bytes) => {
                let pieces: Vec<Result<Bytes, std::io::Error>> =
                    bytes.chunks(64 * 1024).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
                request.body(reqwest::Body::wrap_stream(stream::iter(pieces)))
            }
        }
    }

    /// What is wrong with an answer to this row.
    pub(crate) fn complaints(&self, reply: &Reply) -> Vec<String> {
        let mut complaints = form_of(reply);
        let mut demand = |holds: bool, what: String| {
            if !holds {
                complaints.push(what);
            }
        };
        demand(reply.status == self.status, format!("the status should be {}", self.status));
        demand(reply.body["code"] == self.code, format!("the code should be {}", self.code));
        let errors = reply.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut named: Vec<&str> = errors.iter().filter_map(|error| error["field"].as_str()).collect();
        let mut expected = self.fields.clone();
        named.sort_unstable();
        expected.sort_unstable();
        demand(named == expected, format!("the bad fields should be {expected:?}"));
        complaints
    }
}

fn header_value(value: &[u8], world: &World) -> HeaderValue {
    let filled = std::str::from_utf8(value).map(|text| world.fill(text).into_bytes());
    HeaderValue::from_bytes(filled.as_deref().unwrap_or(value)).expect("a header's value")
}

/// What is wrong with an answer as a problem document (RFC 9457), whatever it is about.
fn form_of(reply: &Reply) -> Vec<String> {
    let header =
        |name: &str| reply.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let body = &reply.body;
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    let members =
        ["code", "detail", "errors", "message", "requestId", "retryAfter", "status", "title", "type"];
    let present: Vec<&String> = body.as_object().into_iter().flat_map(|body| body.keys()).collect();
    let is_error = |error: &Value| {
        error.as_object().is_some_and(|error| error.len() == 2)
            && error["field"].is_string()
            && error["message"].as_str().is_some_and(|message| !message.is_empty())
    };
    let first = body["errors"][0]["field"].as_str().filter(|_| text("code") == "validation_failed");
    let leaks = ["SELECT", "INSERT", "UPDATE", "sqlx", "panicked", "src/"]
        .iter()
        .any(|word| body.to_string().contains(word));
    let demands = [
        (header("content-type") == "application/problem+json", "it is no application/problem+json"),
        (
            present == members,
            "its members should be code, detail, errors, message, requestId, retryAfter, status, title, type",
        ),
        ((400..500).contains(&reply.status), "a bad request is the client's fault"),
        (body["status"] == reply.status, "status should be the status"),
        (text("type") == format!("/docs/problems#{}", text("code")), "type should lead to the code"),
        (!text("title").is_empty(), "title is empty"),
        (!text("detail").is_empty(), "detail is empty"),
        (text("message") == text("detail"), "message should be detail"),
        (!text("requestId").is_empty(), "requestId is empty"),
        (text("requestId") == header("x-request-id"), "requestId should be X-Request-Id"),
        (
            body["errors"].as_array().is_some_and(|all| all.iter().all(is_error)),
            "errors should be {field, message}",
        ),
        (first.is_none_or(|name| text("detail").contains(name)), "detail should name the bad fields"),
        (!leaks, "it shows what is inside"),
        (reply.status != 401 || header("www-authenticate") == "Bearer", "401 needs WWW-Authenticate"),
        (reply.status != 405 || !header("allow").is_empty(), "405 needs Allow"),
    ];
    demands.into_iter().filter(|(holds, _)| !holds).map(|(_, what)| what.to_owned()).collect()
}

/// Text of so many characters.
pub(crate) fn long(length: usize) -> String {
    "x".repeat(length)
}

/// What a row deserves: `[the bad fields]`, or `(status code)`.
macro_rules! deserving {
    ($row:expr, [$($field:expr),* $(,)?]) => { $row.bad(&[$($field),*]) };
    ($row:expr, ($status:literal $code:ident)) => { $row.answers($status, stringify!($code)) };
}

/// Rows that send JSON: for each call `"what is wrong" {the body} => [the bad fields];`.
macro_rules! bodies {
    ($($method:ident $path:literal $(by $who:ident)? {
        $($name:literal $body:tt => $deserved:tt;)*
    })*) => {{
        let mut rows = Vec::new();
        $({
            let row = |name| $crate::table::row::row(stringify!($method), $path, name);
            let group = [$(deserving!(row($name).json(serde_json::json!($body)), $deserved),)*];
            rows.extend(group.map(|row| row$(.by($crate::table::row::Who::$who))?));
        })*
        rows
    }};
}

/// Rows that send nothing but a query: for each path `"the query" => [the bad parameters];`.
macro_rules! queries {
    ($($path:literal $(by $who:ident)? { $($query:expr => $deserved:tt;)* })*) => {{
        let mut rows = Vec::new();
        $({
            let row = |query| $crate::table::row::row("GET", format!("{}?{query}", $path), "its query");
            let group = [$(deserving!(row(String::from($query)), $deserved),)*];
            rows.extend(group.map(|row| row$(.by($crate::table::row::Who::$who))?));
        })*
        rows
    }};
}

/// Rows that send nothing at all: `METHOD "path" => (status code);`.
macro_rules! calls {
    ($($method:ident $path:literal $(by $who:ident)? => $deserved:tt;)*) => {
        vec![$({
            let row = $crate::table::row::row(stringify!($method), $path, "nothing");
            $(let row = row.by($crate::table::row::Who::$who);)?
            deserving!(row, $deserved)
        },)*]
    };
}
