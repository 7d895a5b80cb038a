//! What endpoints take from a request. Bodies and queries are handed on unread: the core reads them.

mod client;
mod if_match;
mod json_body;
mod query;
mod refresh_cookie;
mod signed;
mod upload;

pub use client::Client;
pub use if_match::IfMatch;
pub use json_body::JsonBody;
pub use query::Query;
pub(crate) use query::{MARKER as QUERY_MARKER, decoded, refuse_any};

pub use refresh_cookie::RefreshCookie;
pub use signed::{MaybeSigned, Signed};
pub use upload::{FileUpload, Upload};

use std::sync::Arc;

use flowcrm_core::error::Result;
use http::header::{AsHeaderName, HeaderMap};
use poem::Request;

use crate::app::Settings;

/// The settings, which the frame puts on every request.
fn settings(request: &Request) -> &Settings {
    request.data::<Arc<Settings>>().expect("every endpoint stands inside the frame")
}

/// A header that may be given once.
///
/// # Errors
///
/// Whatever `refuse` makes of a header that is there twice or is not ASCII.
fn single(
    headers: &HeaderMap,
    name: impl AsHeaderName,
    refuse: impl Fn() -> flowcrm_core::Error,
) -> Result<Option<&str>> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| refuse()),
        (Some(_), Some(_)) => Err(refuse()),
    }
}
