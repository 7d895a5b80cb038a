//! A JSON object as the body.

use std::marker::PhantomData;
use std::time::Duration;

use flowcrm_core::error::{Error, ErrorCode};
use flowcrm_core::input::Body;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use poem::error::ReadBodyError;
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::problem::Failure;

/// The largest body that a call takes; imports are streamed and have their own limit.
const LIMIT: usize = 1024 * 1024;

/// How long a client may take to send it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The body, described as `T` and not read yet. No body counts as `{}`.
#[derive(Debug)]
pub struct JsonBody<T>(pub Body, PhantomData<fn() -> T>);

impl<'a, T: Type> ApiExtractor<'a> for JsonBody<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = MetaMediaType { content_type: "application/json", schema: T::schema_ref() };
        // Whether it is required depends on its fields: the document says so.
        Some(MetaRequest { description: None, content: vec![content], required: false })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let headers = request.headers();
        if declared_length(headers).is_some_and(|length| length > LIMIT as u64) {
            return Err(ReadBodyError::PayloadTooLarge.into());
        }
        let read = tokio::time::timeout(PATIENCE, body.take()?.into_bytes_limit(LIMIT));
        let bytes = read.await.map_err(|_| Failure::from(stalled()))??;
        if bytes.is_empty() {
            return Ok(Self(Body::default(), PhantomData));
        }
        check_type(headers).map_err(Failure::from)?;
        let body = Body::parse(&bytes).map_err(Failure::from)?;
        Ok(Self(body, PhantomData))
    }
}

fn stalled() -> Error {
    Error::new(ErrorCode::Malformed, "The body did not arrive in full within 30 seconds.")
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Takes `application/json` and `application/…+json`, in UTF-8 and not compressed.
fn check_type(headers: &HeaderMap) -> flowcrm_core::Result<()> {
    let refuse =
        || Error::new(ErrorCode::UnsupportedMediaType, "Send the body as application/json, in UTF-8.");
    let coding = super::single(headers, CONTENT_ENCODING, refuse)?;
    let media_type = super::single(headers, CONTENT_TYPE, refuse)?;
    let plain = coding.is_none_or(|coding| coding.eq_ignore_ascii_case("identity"));
    if plain && media_type.is_some_and(is_json) { Ok(()) } else { Err(refuse()) }
}

fn is_json(media_type: &str) -> bool {
    let lower = media_type.to_ascii_lowercase();
    let mut parts = lower.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let json =
        essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
    let utf8 = |parameter: &str| {
        parameter
            .strip_prefix("charset=")
            .is_none_or(|charset| matches!(charset.trim_matches('"'), "utf-8" | "utf8"))
    };
    json && parts.all(utf8)
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use reqwest::Body;

    use super::{LIMIT, is_json};
    use crate::testing::{TestServer, problem, serve};

    async fn code(server: &TestServer, media_type: &str, body: impl Into<Body>) -> (u16, String) {
        let request = server.request("POST", "/api/samples").header("content-type", media_type).body(body);
        let (status, body) = problem(request.send().await.unwrap()).await;
        (status, body["code"].as_str().unwrap().to_owned())
    }

    #[test]
    fn json_goes_by_several_names() {
        for name in
            ["application/json", "Application/JSON; charset=UTF-8", "application/x+json;charset=\"utf-8\""]
        {
            assert!(is_json(name), "{name}");
        }
        for name in
            ["", "text/json", "application/jsonp", "text/plain", "application/json; charset=latin1", "json"]
        {
            assert!(!is_json(name), "{name}");
        }
    }

    #[tokio::test]
    async fn a_body_is_a_json_object() {
        let server = serve().await;
        for body in [&b"{\"name\": "[..], b"[]", b"nul", b"{\"name\": \"\xff\"}", b" "] {
            assert_eq!(code(&server, "application/json", body).await, (400, "malformed_body".to_owned()));
        }
        for media_type in
            ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"]
        {
            assert_eq!(code(&server, media_type, "{}").await, (415, "unsupported_media_type".to_owned()));
        }
        let packed = server.request("POST", "/api/samples").header("content-type", "application/json");
        let (status, _) =
            problem(packed.header("content-encoding", "gzip").body("x").send().await.unwrap()).await;
        assert_eq!(status, 415);
    }

    #[tokio::test]
    async fn no_body_counts_as_an_empty_object() {
        let server = serve().await;
        let path = "/api/samples/018f2b6a-7c1e-7d3a-9b3e-2f1c5a6b7c8d";
        assert_eq!(server.request("PUT", path).send().await.unwrap().status(), 200);
        let request = server.request("PUT", path).header("content-type", "application/json");
        assert_eq!(request.send().await.unwrap().status(), 200);
        let (status, body) = problem(server.request("POST", "/api/samples").send().await.unwrap()).await;
        assert_eq!((status, body["errors"][0]["field"].as_str()), (400, Some("name")));
    }

    #[tokio::test]
    async fn a_body_of_just_the_limit_is_read() {
        let name = format!("{{\"name\": \"{}\"}}", "x".repeat(LIMIT - 12));
        assert_eq!(name.len(), LIMIT);
        let answer = code(&serve().await, "application/json", name).await;
        assert_eq!(answer, (400, "validation_failed".to_owned()));
    }

    #[tokio::test]
    async fn an_oversized_body_is_refused_and_its_connection_stays() {
        let server = serve().await;
        let too_large = (413, "body_too_large".to_owned());
        let before = server.connection().await;

        let declared = vec![b'x'; 3 * LIMIT];
        assert_eq!(code(&server, "application/json", declared).await, too_large);
        let chunks = std::iter::repeat_with(|| Ok::<_, std::io::Error>(vec![b'x'; 64 * 1024])).take(48);
        assert_eq!(
            code(&server, "application/json", Body::wrap_stream(stream::iter(chunks))).await,
            too_large
        );

        assert_eq!(server.connection().await, before);
    }
}
