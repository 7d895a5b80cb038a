//! Which answers are compressed, and how.

use http::HeaderMap;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderValue, VARY};
use http_body_util::combinators::BoxBody;
use hyper::body::Body as _;
use poem::web::{Compress, CompressionAlgo, CompressionLevel};
use poem::{IntoResponse, Response};

/// Below this a compressed answer is hardly smaller.
const WORTHWHILE: u64 = 1024;

/// Compresses an answer with gzip if the client takes that and it is worthwhile. Event streams stay as they are: a
/// compressor would hold events back.
pub(crate) fn compress(takes_gzip: bool, mut response: Response) -> Response {
    if !is_text(response.content_type().unwrap_or_default())
        || response.headers().contains_key(CONTENT_ENCODING)
        || size(&mut response).is_some_and(|size| size < WORTHWHILE)
    {
        return response;
    }
    response.headers_mut().append(VARY, HeaderValue::from_static("accept-encoding"));
    if takes_gzip {
        Compress::new(response, CompressionAlgo::GZIP).with_quality(CompressionLevel::Fastest).into_response()
    } else {
        response
    }
}

/// Whether `Accept-Encoding` takes gzip (RFC 9110, section 12.5.3).
pub(crate) fn takes_gzip(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let named = parts.next().is_some_and(|coding| coding.eq_ignore_ascii_case("gzip") || coding == "*");
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map(str::parse::<f32>);
        named && weight.is_none_or(|weight| weight.is_ok_and(|weight| weight > 0.0))
    })
}

/// The size of an answer, if it is known beforehand.
pub(crate) fn size(response: &mut Response) -> Option<u64> {
    let body: BoxBody<bytes::Bytes, std::io::Error> = response.take_body().into();
    let size = body.size_hint().exact();
    response.set_body(poem::Body::from(body));
    size
}

fn is_text(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let text = essence.starts_with("text/") && essence != "text/event-stream";
    text || essence.ends_with("json")
        || matches!(essence, "application/yaml" | "application/javascript" | "image/svg+xml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_taken_when_it_is_named_and_not_refused() {
        let takes = |line: &'static str| {
            takes_gzip(&HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(line))]))
        };
        assert!(takes("br;q=1.0, GZIP;q=0.5") && takes("*") && takes("gzip"));
        assert!(!takes("br") && !takes("gzip;q=0") && !takes("gzip;q=x") && !takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn small_answers_and_event_streams_stay_as_they_are() {
        let answer = |media_type: &str, size: usize| {
            let response = Response::builder().content_type(media_type).body("x".repeat(size));
            compress(true, response).header(CONTENT_ENCODING).map(str::to_owned)
        };
        assert_eq!(answer("application/json", 5_000).as_deref(), Some("gzip"));
        assert_eq!(answer("application/problem+json", 100), None);
        assert_eq!(answer("text/event-stream", 5_000), None);
        assert_eq!(answer("image/png", 5_000), None);
    }
}
