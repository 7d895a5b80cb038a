//! The frame around every call: request id, log line, problems, CORS and headers.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use flowcrm_core::env::Env;
use flowcrm_core::error::Error;
use flowcrm_core::worker::panic_message;
use futures_util::FutureExt;
use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{Method, StatusCode};
use poem::{Endpoint, EndpointExt, IntoEndpoint, Request, Response};
use tracing::Instrument;

use crate::answer;
use crate::client::TrustedProxies;
use crate::compression;
use crate::extract;
use crate::leftover::Leftover;
use crate::origin::{self, Origins, Sender};
use crate::problem::{self, Failure};
use crate::routes::Routes;

/// What the frame and the extractors need to know; every request carries it.
#[derive(Debug)]
pub struct Settings {
    /// The web pages that may call with credentials.
    pub origins: Origins,
    /// The proxies whose word on the client's address is taken.
    pub trusted_proxies: TrustedProxies,
    /// The described routes.
    pub routes: Routes,
    /// Where request ids come from.
    pub env: Env,
}

/// Puts the frame around all routes. Nothing may stand outside of it.
pub fn framed<E>(endpoint: E, settings: Settings) -> impl Endpoint<Output = Response> + 'static
where
    E: IntoEndpoint,
    E::Endpoint: 'static,
{
    let settings = Arc::new(settings);
    endpoint.into_endpoint().map_to_response().around(move |endpoint, request| {
        let settings = Arc::clone(&settings);
        async move { Ok(log(&settings, &*endpoint, request).await) }
    })
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Answers a request within a span, and writes one line about it.
async fn log(
    settings: &Arc<Settings>,
    endpoint: &impl Endpoint<Output = Response>,
    mut request: Request,
) -> Response {
    let started = Instant::now();
    let id = request_id(&settings.env, &request);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    request.set_data(Arc::clone(settings));

    let span = tracing::info_span!("request", request.id = id);
    async {
        let mut response = answer(settings, endpoint, request, &id).await;
        dress(&mut response, &path, &id);
        tracing::info!(
            http.method = method.as_str(),
            http.path = path,
            http.status = response.status().as_u16(),
            elapsed.ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            "answered"
        );
        response
    }
    .instrument(span)
    .await
}

async fn answer(
    settings: &Settings,
    endpoint: &impl Endpoint<Output = Response>,
    mut request: Request,
    id: &str,
) -> Response {
    let asked = request.original_uri().clone();
    let method = request.method().clone();
    let sender = settings.origins.sender(&request, &settings.trusted_proxies);
    let takes_gzip = compression::takes_gzip(request.headers());
    let leftover = Leftover::of(&mut request);

    let result = if origin::is_preflight(&request) {
        preflight(&sender)
    } else {
        call(settings, endpoint, request).await
    };
    if let Some(leftover) = leftover {
        leftover.drain().await;
    }
    let mut response =
        result.unwrap_or_else(|error| problem::answer(error, id, &settings.routes.methods(asked.path())));

    answer::link_next(&asked, &mut response);
    response = compression::compress(takes_gzip, response);
    if method == Method::HEAD {
        keep_head_only(&mut response);
    }
    origin::allow(&sender, response.headers_mut());
    response
}

fn preflight(sender: &Sender) -> poem::Result<Response> {
    if *sender == Sender::Foreign {
        return Err(Failure::from(origin::foreign()).into());
    }
    let mut response = Response::from(StatusCode::NO_CONTENT);
    origin::answer_preflight(response.headers_mut());
    Ok(response)
}

/// Runs the endpoint; a panic is one more error.
async fn call(
    settings: &Settings,
    endpoint: &impl Endpoint<Output = Response>,
    mut request: Request,
) -> poem::Result<Response> {
    if request.method() == Method::HEAD {
        request.set_method(Method::GET);
    }
    if settings.routes.refuses_query(request.method(), request.uri().path()) {
        extract::refuse_any(request.uri().query().unwrap_or_default()).map_err(Failure::from)?;
    }
    let answered = AssertUnwindSafe(async { endpoint.call(request).await }).catch_unwind().await;
    answered.unwrap_or_else(|panic| Err(Failure::from(Error::internal(panic_message(&*panic))).into()))
}

/// Keeps the client's own id if it is a plain word of at most 100 characters, else makes one.
fn request_id(env: &Env, request: &Request) -> String {
    let is_plain = |id: &&str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        (1..=100).contains(&id.len()) && id.bytes().all(plain)
    };
    request.header(REQUEST_ID).filter(is_plain).map_or_else(|| hexadecimal(env.random_bytes()), str::to_owned)
}

fn hexadecimal(bytes: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(bytes))
}

/// Takes the body off an answer to HEAD, but not what the headers say of it.
fn keep_head_only(response: &mut Response) {
    if let Some(size) = compression::size(response) {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(size));
    }
    response.set_body(());
}

/// Adds the headers that every answer has.
fn dress(response: &mut Response, path: &str, id: &str) {
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, HeaderValue::from_str(id).expect("a request id is a plain word"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if path.starts_with("/api/") {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::ALLOW;

    use crate::testing::{problem, serve};

    #[tokio::test]
    async fn unknown_routes_and_methods_are_problems() {
        let server = serve().await;
        for path in ["/api/nothing", "/nothing", "/api/samples/", "/api"] {
            let (status, body) = problem(server.get(path).await).await;
            assert_eq!((status, body["code"].as_str()), (404, Some("no_such_route")), "{path}");
        }
        let id = "018f2b6a-7c1e-7d3a-9b3e-2f1c5a6b7c8d";
        for (method, path, allowed) in [
            ("DELETE", "/api/samples", "GET, HEAD, POST"),
            ("POST", &format!("/api/samples/{id}"), "GET, HEAD, PUT"),
            ("OPTIONS", "/api/samples/cookie", "POST"),
            ("HEAD", "/api/samples/cookie", "POST"),
            ("POST", "/docs", "GET, HEAD"),
        ] {
            let response = server.request(method, path).send().await.unwrap();
            assert_eq!(response.status(), 405, "{method} {path}");
            assert_eq!(response.headers()[ALLOW], allowed, "{method} {path}");
        }
        let (_, body) = problem(server.request("DELETE", "/api/samples").send().await.unwrap()).await;
        assert_eq!(body["code"], "method_not_allowed");
    }

    #[tokio::test]
    async fn a_parameter_that_nobody_reads_is_refused_by_name() {
        let server = serve().await;
        let id = "018f2b6a-7c1e-7d3a-9b3e-2f1c5a6b7c8d";
        for (path, field) in [
            ("/api/samples?colour=red", "colour"),
            ("/api/samples?limit=0", "limit"),
            ("/api/samples?limit=2&limit=3", "limit"),
            ("/api/samples?q=%ff", "q"),
            (&format!("/api/samples/{id}?include=all"), "include"),
        ] {
            let (status, body) = problem(server.get(path).await).await;
            assert_eq!((status, body["errors"][0]["field"].as_str()), (400, Some(field)), "{path}");
        }
        assert_eq!(server.get(&format!("/api/samples/{id}?")).await.status(), 200);
    }

    #[tokio::test]
    async fn every_answer_wears_the_same_headers() {
        let server = serve().await;
        for path in ["/api/samples", "/api/nothing", "/docs"] {
            let response =
                server.request("GET", path).header("x-request-id", "not plain").send().await.unwrap();
            let headers = response.headers();
            assert_eq!(headers["x-request-id"].len(), 32);
            assert_eq!(headers["x-content-type-options"], "nosniff");
            assert_eq!(headers["referrer-policy"], "no-referrer");
            assert_eq!(headers.contains_key("cache-control"), path.starts_with("/api/"));
        }
    }

    #[tokio::test]
    async fn head_answers_what_get_would_without_the_body() {
        let server = serve().await;
        let got = server.get("/api/samples?q=a").await;
        let head = server.request("HEAD", "/api/samples?q=a").send().await.unwrap();
        assert_eq!(head.status(), 200);
        assert_eq!(head.headers()["content-length"], got.headers()["content-length"]);
        assert_eq!(head.headers()["x-total-count"], "7");
        assert_eq!(head.text().await.unwrap(), "");
    }

    #[tokio::test]
    async fn large_answers_are_compressed_for_who_takes_it() {
        let server = serve().await;
        let plain = server.get("/api/samples").await;
        assert_eq!(plain.headers().get("content-encoding"), None);
        assert!(plain.headers().get_all("vary").iter().any(|vary| vary == "accept-encoding"));
        let request = server.request("GET", "/api/samples").header("accept-encoding", "gzip");
        let packed = request.send().await.unwrap();
        assert_eq!(packed.headers()["content-encoding"], "gzip");
        assert!(packed.bytes().await.unwrap().len() < plain.bytes().await.unwrap().len() / 4);
    }

    #[tokio::test]
    async fn a_version_goes_out_as_etag_and_comes_back_as_if_match() {
        let server = serve().await;
        let path = "/api/samples/018f2b6a-7c1e-7d3a-9b3e-2f1c5a6b7c8d";
        assert_eq!(server.get(path).await.headers()["etag"], "\"3\"");
        let changed = server.request("PUT", path).header("if-match", "\"3\"").send().await.unwrap();
        assert_eq!(changed.headers()["etag"], "\"4\"");
        let (_, body) =
            problem(server.request("PUT", path).header("if-match", "3").send().await.unwrap()).await;
        assert_eq!(body["errors"][0]["field"], "If-Match");
    }

    #[tokio::test]
    async fn a_trusted_proxy_says_who_the_client_is() {
        let server = serve().await;
        let request = server.request("GET", "/api/samples/client").header("x-forwarded-for", "192.0.2.7");
        assert_eq!(request.send().await.unwrap().text().await.unwrap(), "\"192.0.2.7\"");
    }

    #[tokio::test]
    async fn a_listed_page_may_call_and_read() {
        let server = serve().await;
        let listed = "http://listed.example";
        for path in ["/api/samples", "/api/nothing"] {
            let response = server.request("GET", path).header("origin", listed).send().await.unwrap();
            assert_eq!(response.headers()["access-control-allow-origin"], listed);
            assert_eq!(response.headers()["access-control-allow-credentials"], "true");
            assert!(
                response.headers()["access-control-expose-headers"]
                    .to_str()
                    .unwrap()
                    .contains("x-request-id")
            );
        }
        let preflight = server
            .request("OPTIONS", "/api/samples")
            .header("origin", listed)
            .header("access-control-request-method", "PUT")
            .header("access-control-request-headers", "authorization, content-type");
        let response = preflight.send().await.unwrap();
        assert_eq!(response.status(), 204);
        assert!(response.headers()["access-control-allow-methods"].to_str().unwrap().contains("PUT"));
        assert!(response.headers()["access-control-allow-headers"].to_str().unwrap().contains("if-match"));
    }

    #[tokio::test]
    async fn a_foreign_page_may_not() {
        let server = serve().await;
        let foreign = "http://foreign.example";
        let read = server.request("GET", "/api/samples").header("origin", foreign).send().await.unwrap();
        assert_eq!(read.headers().get("access-control-allow-origin"), None);

        let preflight = server.request("OPTIONS", "/api/samples").header("origin", foreign);
        let preflight = preflight.header("access-control-request-method", "POST").send().await.unwrap();
        let (status, body) = problem(preflight).await;
        assert_eq!((status, body["code"].as_str()), (403, Some("foreign_origin")));
    }

    #[tokio::test]
    async fn the_cookie_counts_for_our_own_pages_only() {
        let server = serve().await;
        let call = || server.request("POST", "/api/samples/cookie").header("cookie", "a=b; refreshToken=t-1");
        let own = format!("http://{}", server.address);
        for request in [call(), call().header("origin", &own)] {
            assert_eq!(request.send().await.unwrap().text().await.unwrap(), "\"t-1\"");
        }
        // The proxy says that the client uses TLS: a page without is another one.
        let without_tls = call().header("origin", own).header("x-forwarded-proto", "https");
        assert_eq!(without_tls.send().await.unwrap().status(), 403);
        let (status, body) = problem(call().header("origin", "null").send().await.unwrap()).await;
        assert_eq!((status, body["code"].as_str()), (403, Some("foreign_origin")));
    }
}
