//! The accept loop: HTTP/1.1 and HTTP/2 without TLS on one port.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::uri::Scheme;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Addr, Endpoint, Request, Response};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// What a server allows its clients.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long the head of a request may take, and how long a connection may wait for the next one.
    pub head: Duration,
    /// How many connections there may be; more wait to be accepted.
    pub connections: usize,
    /// How long running requests may take to finish when the server stops.
    pub shutdown: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { head: Duration::from_secs(10), connections: 10_000, shutdown: Duration::from_secs(10) }
    }
}

/// A bound server that does not accept yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    limits: Limits,
}

impl Server {
    /// Binds an address; port 0 takes any free port.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub async fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(address).await?, limits: Limits::default() })
    }

    /// The same server with other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The address that is bound.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `shutdown` completes; then lets running requests finish, within the limit.
    ///
    /// # Errors
    ///
    /// What the system says of the listening socket.
    #[expect(clippy::missing_panics_doc, reason = "nobody closes the semaphore")]
    pub async fn serve<E>(self, endpoint: E, shutdown: impl Future<Output = ()>) -> io::Result<()>
    where
        E: Endpoint<Output = Response> + 'static,
    {
        let Self { listener, limits } = self;
        let connection = Arc::new(Connection { endpoint, limits, local: listener.local_addr()? });
        let places = Arc::new(Semaphore::new(limits.connections));
        let graceful = GracefulShutdown::new();
        let mut tasks = JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let accept = async {
                let place = Arc::clone(&places).acquire_owned().await.expect("nobody closes the semaphore");
                (place, accept(&listener).await)
            };
            tokio::select! {
                (place, (stream, remote)) = accept => {
                    let (connection, watcher) = (Arc::clone(&connection), graceful.watcher());
                    tasks.spawn(async move {
                        connection.serve(stream, remote, watcher).await;
                        drop(place);
                    });
                }
                Some(_) = tasks.join_next() => {}
                () = &mut shutdown => break,
            }
        }
        drop(listener);
        if tokio::time::timeout(limits.shutdown, graceful.shutdown()).await.is_err() {
            tracing::warn!(connections = tasks.len(), "requests were cut off at shutdown");
        }
        // Dropping the tasks ends those that are left.
        Ok(())
    }
}

/// The next connection. What one client does wrong, or a lack of file descriptors, does not end the server.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!(error.cause = %error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// What every connection needs.
struct Connection<E> {
    endpoint: E,
    limits: Limits,
    local: SocketAddr,
}

impl<E: Endpoint<Output = Response> + 'static> Connection<E> {
    async fn serve(self: Arc<Self>, stream: TcpStream, remote: SocketAddr, watcher: Watcher) {
        // Without it, small answers wait for the acknowledgement of what went before.
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let begun = Arc::new(AtomicBool::new(false));
        let service = service_fn({
            let (this, begun) = (Arc::clone(&self), Arc::clone(&begun));
            move |request| {
                begun.store(true, Ordering::Relaxed);
                let this = Arc::clone(&this);
                async move { Ok::<_, Infallible>(this.answer(request, remote).await) }
            }
        });
        let builder = protocols(&self.limits);
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
        // hyper's own timeout begins after the first bytes have told HTTP/1.1 from HTTP/2.
        let silence = async {
            tokio::time::sleep(self.limits.head).await;
            if begun.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            result = watcher.watch(connection) => {
                if let Err(error) = result {
                    tracing::debug!(error.cause = %error, "a connection broke");
                }
            }
            () = silence => {}
        }
    }

    async fn answer(
        &self,
        request: hyper::Request<Incoming>,
        remote: SocketAddr,
    ) -> hyper::Response<PoemBody> {
        let local = LocalAddr(Addr::from(self.local));
        let request = Request::from((request, local, RemoteAddr(Addr::from(remote)), Scheme::HTTP));
        self.endpoint.get_response(request).await.into()
    }
}

type PoemBody = http_body_util::combinators::BoxBody<bytes::Bytes, io::Error>;

fn protocols(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.head);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(20))
        .max_concurrent_streams(200)
        .max_header_list_size(16 * 1024);
    builder
}

#[cfg(test)]
mod tests {
    use poem::{Route, endpoint, get};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::{Notify, oneshot};

    use super::*;
    use crate::testing::{serve, serve_with};

    fn impatient() -> Limits {
        Limits { head: Duration::from_millis(300), ..Limits::default() }
    }

    #[tokio::test]
    async fn who_does_not_finish_a_request_head_is_cut_off() {
        let server = serve_with(impatient()).await;
        for begun in ["", "G", "PRI * HT", "GET /api/samples HTTP/1.1\r\nHost: a\r\n"] {
            let answer = server.raw(begun.as_bytes()).await;
            assert!(!answer.contains("200 OK"), "{begun:?}: {answer}");
        }
    }

    #[tokio::test]
    async fn an_idle_connection_is_closed() {
        let server = serve_with(impatient()).await;
        let answer = server.raw(b"GET /api/samples?q=a HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    }

    #[tokio::test]
    async fn a_connection_is_used_again() {
        let server = serve().await;
        assert_eq!(server.connection().await, server.connection().await);
    }

    #[tokio::test]
    async fn http2_is_spoken_without_tls() {
        let mut stream = TcpStream::connect(serve().await.address).await.unwrap();
        // The client's preface and an empty SETTINGS frame (RFC 9113, section 3.4).
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
        let mut frame = [0; 9];
        stream.read_exact(&mut frame).await.unwrap();
        assert_eq!(frame[3], 4, "the server answers its own SETTINGS");
    }

    #[tokio::test]
    async fn a_client_that_waits_to_be_told_is_answered_before_it_sends() {
        let server = serve().await;
        let head = "POST /api/samples HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
                    Content-Length: 9000000\r\nExpect: 100-continue\r\n\r\n";
        let answer = server.raw(head.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    }

    #[tokio::test]
    async fn places_are_limited_and_given_back() {
        let server = serve_with(Limits { connections: 1, ..impatient() }).await;
        for _ in 0..3 {
            let request = b"GET /api/samples?q=a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
            assert!(server.raw(request).await.starts_with("HTTP/1.1 200 OK"));
        }
    }

    /// A server with one call, which begins and then waits; stops when told.
    async fn waiting(
        limits: Limits,
    ) -> (SocketAddr, Arc<Notify>, Arc<Notify>, oneshot::Sender<()>, tokio::task::JoinHandle<io::Result<()>>)
    {
        let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let call = {
            let (begun, go) = (Arc::clone(&begun), Arc::clone(&go));
            endpoint::make(move |_| {
                let (begun, go) = (Arc::clone(&begun), Arc::clone(&go));
                async move {
                    begun.notify_one();
                    go.notified().await;
                    Ok::<_, poem::Error>("done")
                }
            })
        };
        let server = Server::bind("127.0.0.1:0").await.unwrap().with_limits(limits);
        let address = server.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(server.serve(Route::new().at("/", get(call)), async move {
            stopped.await.unwrap();
        }));
        (address, begun, go, stop, running)
    }

    #[tokio::test]
    async fn stopping_lets_running_requests_finish() {
        let (address, begun, go, stop, running) = waiting(Limits::default()).await;
        let request = tokio::spawn(reqwest::get(format!("http://{address}/")));
        begun.notified().await;
        stop.send(()).unwrap();
        go.notify_one();
        assert_eq!(request.await.unwrap().unwrap().text().await.unwrap(), "done");
        running.await.unwrap().unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[tokio::test]
    async fn stopping_does_not_wait_forever() {
        let limits = Limits { shutdown: Duration::from_millis(50), ..Limits::default() };
        let (address, begun, _go, stop, running) = waiting(limits).await;
        let request = tokio::spawn(reqwest::get(format!("http://{address}/")));
        begun.notified().await;
        stop.send(()).unwrap();
        running.await.unwrap().unwrap();
        assert!(request.await.unwrap().is_err());
    }
}
