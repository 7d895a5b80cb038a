//! What an endpoint leaves unread of a request's body.
//!
//! A client that is still sending when the answer comes may never read it, and HTTP/1.1 cannot use the connection
//! again. So the rest is read and thrown away before the answer goes out, within bounds.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::EXPECT;
use http_body_util::combinators::BoxBody;
use hyper::body::{Body, Frame, SizeHint};
use poem::Request;

/// How much is thrown away at most: twice the largest import.
const LIMIT: usize = 128 * 1024 * 1024;

/// How long a client may take for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A handle on a body that an endpoint reads.
pub(crate) struct Leftover(Arc<Mutex<Shared>>);

struct Shared {
    body: BoxBody<Bytes, io::Error>,
    /// Whether the client waits for `100 Continue`, which the first read sends.
    waits: bool,
}

impl Leftover {
    /// Keeps a handle on the body of `request`, if it has one.
    pub(crate) fn of(request: &mut Request) -> Option<Self> {
        let body: BoxBody<Bytes, io::Error> = request.take_body().into();
        if body.is_end_stream() {
            request.set_body(poem::Body::from(body));
            return None;
        }
        let waits = request.headers().contains_key(EXPECT);
        let shared = Arc::new(Mutex::new(Shared { body, waits }));
        request.set_body(poem::Body::from(BoxBody::new(Reader(Arc::clone(&shared)))));
        Some(Self(shared))
    }

    /// Throws away what was not read. A client that was never told to send keeps its body.
    pub(crate) async fn drain(self) {
        if lock(&self.0).waits {
            return;
        }
        let mut reader = Reader(self.0);
        let throw_away = async {
            let mut thrown = 0;
            while thrown < LIMIT {
                match std::future::poll_fn(|context| Pin::new(&mut reader).poll_frame(context)).await {
                    Some(Ok(frame)) => thrown += frame.data_ref().map_or(0, Bytes::len),
                    Some(Err(_)) | None => break,
                }
            }
        };
        // Past the bounds the connection is closed, as it would have been without us.
        drop(tokio::time::timeout(PATIENCE, throw_away).await);
    }
}

/// The body, as the endpoint reads it.
struct Reader(Arc<Mutex<Shared>>);

impl Body for Reader {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let mut shared = lock(&self.0);
        shared.waits = false;
        Pin::new(&mut shared.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        lock(&self.0).body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        lock(&self.0).body.size_hint()
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
