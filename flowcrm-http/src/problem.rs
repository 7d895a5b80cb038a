//! Every error as RFC 9457 says: `application/problem+json`, with our code and all bad fields.

use std::error::Error as StdError;
use std::fmt;

use flowcrm_core::error::{Error, ErrorCode, FieldError};
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Method, StatusCode};
use poem::Response;
use poem::error::{NotFoundError, ResponseError};
use poem_openapi::error::{ParseParamError, ParsePathError};
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiResponse, Object};
use serde::Serialize;

/// What an endpoint answers, or why it failed.
pub type Result<T> = std::result::Result<T, Failure>;

/// An error as every call answers it (RFC 9457).
#[derive(Debug, Serialize, Object)]
#[serde(rename_all = "camelCase")]
#[oai(rename_all = "camelCase")]
pub struct Problem {
    /// Names the kind of problem; relative to this server.
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    kind: String,
    /// A short summary of the kind.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What went wrong this time.
    detail: String,
    /// A stable word to match on.
    code: String,
    /// The same as `detail`.
    message: String,
    /// All bad fields; empty when the problem is not about fields.
    errors: Vec<BadField>,
    /// Finds the request in the server's log.
    request_id: String,
    /// After how many seconds to try again, when that may help.
    retry_after: Option<u64>,
}

/// What is wrong with one field or parameter.
#[derive(Debug, Serialize, Object)]
struct BadField {
    /// The name as it was sent; of a nested field with dots.
    field: String,
    /// A sentence without its subject: "must be at most 200 characters".
    message: String,
}

/// The core's error on its way out of an endpoint.
#[derive(Debug)]
pub struct Failure(Error);

impl Failure {
    /// The core's error.
    pub const fn error(&self) -> &Error {
        &self.0
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl StdError for Failure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

impl ResponseError for Failure {
    fn status(&self) -> StatusCode {
        status_of(self.0.code())
    }
}

impl ApiResponse for Failure {
    fn meta() -> MetaResponses {
        let content = MetaMediaType { content_type: MEDIA_TYPE, schema: Problem::schema_ref() };
        MetaResponses {
            responses: vec![MetaResponse {
                description: "A problem (RFC 9457).",
                status: None,
                status_range: None,
                content: vec![content],
                headers: vec![],
            }],
        }
    }

    fn register(registry: &mut Registry) {
        Problem::register(registry);
    }
}

const MEDIA_TYPE: &str = "application/problem+json";

/// How long a client should wait before it repeats what was refused with 503.
const UNAVAILABLE_SECONDS: u64 = 1;

/// Answers an error; `allowed` are the methods of the route, for 405.
///
/// This is the one place that logs what went wrong on our side.
pub(crate) fn answer(error: poem::Error, request_id: &str, allowed: &[Method]) -> Response {
    if error.is_from_response() {
        return error.into_response();
    }
    let Shown { status, code, title, detail, errors } = shown(&error);
    if status.is_server_error() {
        tracing::error!(
            request.id = request_id,
            error.code = code,
            error.cause = causes(&error),
            "request failed"
        );
    }
    let retry_after = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(UNAVAILABLE_SECONDS);
    let problem = Problem {
        kind: format!("/docs/problems#{code}"),
        title,
        status: status.as_u16(),
        message: detail.clone(),
        detail,
        code,
        errors,
        request_id: request_id.to_owned(),
        retry_after,
    };
    let body = serde_json::to_vec(&problem).expect("a problem is strings and numbers");
    let mut response = Response::builder().status(status).body(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if status == StatusCode::METHOD_NOT_ALLOWED {
        let names: Vec<&str> = allowed.iter().map(Method::as_str).collect();
        headers.insert(ALLOW, HeaderValue::from_str(&names.join(", ")).expect("methods are tokens"));
    }
    if let Some(seconds) = retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// What an error shows of itself.
struct Shown {
    status: StatusCode,
    code: String,
    title: String,
    detail: String,
    errors: Vec<BadField>,
}

impl From<&Error> for Shown {
    fn from(error: &Error) -> Self {
        let bad_field =
            |error: &FieldError| BadField { field: error.field.clone(), message: error.message.clone() };
        Self {
            status: status_of(error.code()),
            code: error.code().slug().to_owned(),
            title: error.code().title().to_owned(),
            detail: error.detail().to_owned(),
            errors: error.fields().iter().map(bad_field).collect(),
        }
    }
}

fn status_of(code: ErrorCode) -> StatusCode {
    StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn shown(error: &poem::Error) -> Shown {
    if let Some(Failure(error)) = error.downcast_ref() {
        return error.into();
    }
    if let Some(ParseParamError { name, .. }) = error.downcast_ref() {
        return (&Error::field(*name, "is not valid")).into();
    }
    let (code, detail) = if error.is::<NotFoundError>() {
        (ErrorCode::NoRoute, "There is nothing at this path.")
    } else if error.is::<ParsePathError>() || error.is::<poem::error::ParsePathError>() {
        // What cannot be an id names nothing.
        (ErrorCode::NotFound, NOT_FOUND)
    } else {
        match error.status() {
            StatusCode::BAD_REQUEST => (ErrorCode::Malformed, "The request could not be read."),
            StatusCode::UNAUTHORIZED => (ErrorCode::Unauthenticated, "Sign in first."),
            StatusCode::FORBIDDEN => (ErrorCode::Forbidden, "This is not allowed."),
            StatusCode::NOT_FOUND => (ErrorCode::NotFound, NOT_FOUND),
            StatusCode::METHOD_NOT_ALLOWED => {
                (ErrorCode::MethodNotAllowed, "This path does not take this method.")
            }
            StatusCode::PAYLOAD_TOO_LARGE => {
                (ErrorCode::TooLarge, "The body is larger than this call takes.")
            }
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                (ErrorCode::UnsupportedMediaType, "This call does not take a body of this type.")
            }
            StatusCode::SERVICE_UNAVAILABLE => (ErrorCode::Unavailable, "Try again shortly."),
            status if status.is_server_error() => {
                (ErrorCode::Internal, "The server could not do this. The failure is in its log.")
            }
            status => return in_its_own_words(status),
        }
    };
    (&Error::new(code, detail)).into()
}

const NOT_FOUND: &str = "There is no such record, or you may not see it.";

/// A status that no code of ours has.
fn in_its_own_words(status: StatusCode) -> Shown {
    let title = status.canonical_reason().unwrap_or("Refused");
    Shown {
        status,
        code: title.to_lowercase().replace([' ', '-'], "_"),
        title: title.to_owned(),
        detail: format!("{title}."),
        errors: Vec::new(),
    }
}

/// What caused an error, for the log.
fn causes(error: &poem::Error) -> String {
    let mut links = vec![error.to_string()];
    // The first source is what was printed already.
    let mut cause = error.source().and_then(StdError::source);
    while let Some(error) = cause {
        links.push(error.to_string());
        cause = error.source();
    }
    links.join(": ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{problem, serve};

    #[tokio::test]
    async fn a_problem_has_all_that_clients_look_for() {
        let server = serve().await;
        let request = server.request("POST", "/api/samples").header("x-request-id", "req-7");
        let (status, body) = problem(
            request.body("{\"colour\": 1}").header("content-type", "application/json").send().await.unwrap(),
        )
        .await;
        let expected = json!({
            "type": "/docs/problems#validation_failed",
            "title": "Some fields are not valid",
            "status": 400,
            "detail": "Not valid: name, colour",
            "code": "validation_failed",
            "message": "Not valid: name, colour",
            "errors": [
                {"field": "name", "message": "is required"},
                {"field": "colour", "message": "is not a field here"},
            ],
            "requestId": "req-7",
            "retryAfter": null,
        });
        assert_eq!((status, body), (400, expected));
    }

    #[tokio::test]
    async fn failures_of_ours_show_nothing() {
        let server = serve().await;
        for (kind, status, code) in [
            ("panic", 500, "internal_error"),
            ("internal", 500, "internal_error"),
            ("unavailable", 503, "unavailable"),
        ] {
            let response = server.get(&format!("/api/samples/failures/{kind}")).await;
            let retry_after = response.headers().get("retry-after").cloned();
            let (answered, body) = problem(response).await;
            assert_eq!((answered, body["code"].as_str()), (status, Some(code)));
            assert!(!body.to_string().contains("secret"));
            assert_eq!(retry_after.is_some(), status == 503);
        }
    }

    #[tokio::test]
    async fn a_refusal_keeps_its_reason() {
        let (status, body) = problem(serve().await.get("/api/samples/failures/forbidden").await).await;
        assert_eq!((status, body["detail"].as_str()), (403, Some("Not yours.")));
    }

    #[tokio::test]
    async fn no_token_is_a_401_that_says_how() {
        let response = serve().await.request("POST", "/api/samples/signed").send().await.unwrap();
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
        let (status, body) = problem(response).await;
        assert_eq!((status, body["code"].as_str()), (401, Some("unauthenticated")));
    }

    #[tokio::test]
    async fn what_is_no_id_is_not_there() {
        let server = serve().await;
        for id in ["7", "018f2b6a7c1e7d3a9b3e2f1c5a6b7c8d", "%00", "%ff", "%zz"] {
            let (status, body) = problem(server.get(&format!("/api/samples/{id}")).await).await;
            assert_eq!((status, body["code"].as_str()), (404, Some("not_found")), "{id}");
        }
    }
}
