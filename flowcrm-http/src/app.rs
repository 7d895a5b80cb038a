//! The frame around every call: request id, log line, problems, CORS and headers.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use flowcrm_core::env::Env;
use flowcrm_core::error::Error;
use futures_util::FutureExt;
use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{Method, StatusCode};
use poem::{Endpoint, EndpointExt, IntoEndpoint, IntoResponse, Request, Response};
use tracing::Instrument;

use crate::client::TrustedProxies;
use crate::compression;
use crate::answer;
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
async fn log(settings: &Arc<Settings>, endpoint: &impl Endpoint<Output = Response>, mut request: Request) -> Response {
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
    let sender = settings.origins.sender(&request);
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
    answered.unwrap_or_else(|panic| Err(Failure::from(Error::internal(message(&*panic))).into()))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panic: {}", text.unwrap_or("without a message"))
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
