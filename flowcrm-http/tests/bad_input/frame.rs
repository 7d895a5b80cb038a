//! Bodies that cannot be read: broken JSON, other types, other encodings, too many bytes.

use super::row::{Row, Who, long, row};

const JSON: &str = "application/json";

pub(crate) fn rows() -> Vec<Row> {
    [malformed(), types(), sizes()].concat()
}

fn malformed() -> Vec<Row> {
    let send = |name: &str, body: &[u8]| {
        row("POST", "/api/leads", name).body(JSON, body).answers(400, "malformed_body")
    };
    let nested = format!("{{\"name\": {}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let mut rows = vec![
        send("an object that does not end", b"{\"name\": \"Ada\""),
        send("a text that does not end", b"{\"name\": \"Ada"),
        send("a field without a value", b"{\"name\": }"),
        send("a comma too many", b"{\"name\": \"Ada\",}"),
        send("no comma", b"{\"name\": \"Ada\" \"phone\": \"1\"}"),
        send("single quotes", b"{'name': 'Ada'}"),
        send("names without quotes", b"{name: \"Ada\"}"),
        send("a comment", b"{\"name\": \"Ada\"} // ours"),
        send("two objects", b"{\"name\": \"Ada\"}{\"name\": \"Bob\"}"),
        send("half a word", b"nul"),
        send("null", b"null"),
        send("a list", b"[{\"name\": \"Ada\"}]"),
        send("an empty list", b"[]"),
        send("a text", b"\"Ada\""),
        send("a number", b"5"),
        send("true", b"true"),
        send("blanks", b" \n "),
        send("NaN", b"{\"name\": \"Ada\", \"value\": NaN}"),
        send("a number with a leading zero", b"{\"name\": \"Ada\", \"value\": 007}"),
        send("a line end in a text", b"{\"name\": \"A\nda\"}"),
        send("half a surrogate pair", b"{\"name\": \"\\ud800\"}"),
        send("an escape that is none", b"{\"name\": \"\\x41\"}"),
        send("bytes that are no UTF-8", b"{\"name\": \"A\xffda\"}"),
        send("a byte order mark", b"\xef\xbb\xbf{\"name\": \"Ada\"}"),
        send("UTF-16", b"{\0\"\0n\0a\0m\0e\0\"\0:\0\"\0A\0\"\0}\0"),
        send("a form", b"name=Ada"),
        send("too many levels", nested.as_bytes()),
        send("NUL bytes", b"\0\0\0\0"),
        send("a number as the parser keeps it", b"{\"value\": {\"$serde_json::private::Number\": \"one\"}}"),
    ];
    for (method, path) in [
        ("PUT", "/api/leads/{lead}"),
        ("POST", "/api/leads/bulk"),
        ("POST", "/api/leads/{lead}/activities"),
        ("POST", "/api/leads/{lead}/assign"),
        ("POST", "/api/leads/{lead}/convert"),
        ("PUT", "/api/deals/{deal}"),
        ("POST", "/api/tasks"),
        ("POST", "/api/users"),
        ("PUT", "/api/organization"),
        ("PUT", "/api/auth/me"),
        ("POST", "/api/auth/register"),
        ("POST", "/api/auth/login"),
        ("POST", "/api/notifications/announce"),
    ] {
        rows.push(row(method, path, "a list").body(JSON, "[]").answers(400, "malformed_body"));
    }
    rows
}

fn types() -> Vec<Row> {
    let body = "{\"name\": \"Ada\"}";
    let send = |media_type: &str| {
        let row = row("POST", "/api/leads", format!("the type {media_type}")).body(media_type, body);
        row.answers(415, "unsupported_media_type")
    };
    let json =
        |name: &str| row("POST", "/api/leads", name).body(JSON, body).answers(415, "unsupported_media_type");
    vec![
        row("POST", "/api/leads", "no type").untyped(body).answers(415, "unsupported_media_type"),
        send("text/plain"),
        send("text/json"),
        send("application/xml"),
        send("application/x-www-form-urlencoded"),
        send("application/octet-stream"),
        send("application/jsonp"),
        send("multipart/form-data; boundary=frontier"),
        send("json"),
        send("*/*"),
        send("application/json; charset=latin1"),
        send("application/json; charset=utf-16"),
        send("application/json; charset=\"iso-8859-1\""),
        json("gzip").header("content-encoding", "gzip"),
        json("two codings").header("content-encoding", "identity").header("content-encoding", "br"),
        json("two types").header("content-type", "text/plain"),
        row("PUT", "/api/deals/{deal}", "no type")
            .untyped("{\"notes\": \"a\"}")
            .answers(415, "unsupported_media_type"),
        row("POST", "/api/auth/login", "a form")
            .by(Who::Nobody)
            .body("application/x-www-form-urlencoded", "email=owner%40acme.example&password=x")
            .answers(415, "unsupported_media_type"),
    ]
}

/// Bodies of a byte more than 1 MiB, with their length in front and without.
fn sizes() -> Vec<Row> {
    let text = |length: usize| format!("{{\"name\": \"{}\"}}", long(length - 12));
    let large = text(1024 * 1024 + 1);
    let calls = [
        ("POST", "/api/leads", Who::Owner),
        ("PUT", "/api/leads/{lead}", Who::Owner),
        ("POST", "/api/leads/bulk", Who::Owner),
        ("POST", "/api/auth/login", Who::Nobody),
    ];
    let mut rows = Vec::new();
    for (method, path, who) in calls {
        let send = |name: &str| row(method, path, name).by(who).answers(413, "body_too_large");
        rows.push(send("a byte too many").body(JSON, &large));
        rows.push(send("a byte too many, in chunks").chunked(large.clone().into_bytes()));
    }
    let broken =
        row("POST", "/api/leads", "far too many bytes that are no JSON").chunked(vec![b'x'; 8 * 1024 * 1024]);
    rows.push(broken.answers(413, "body_too_large"));
    // As much as may be is read, and found to be bad.
    rows.push(row("POST", "/api/leads", "exactly 1 MiB").body(JSON, text(1024 * 1024)).bad(&["name"]));
    rows
}
