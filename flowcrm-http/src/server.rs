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

    async fn answer(&self, request: hyper::Request<Incoming>, remote: SocketAddr) -> hyper::Response<PoemBody> {
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
