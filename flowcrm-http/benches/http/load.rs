//! A load generator that costs little: plain HTTP/1.1 over connections that stay open.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// One request, as it goes over the wire.
pub(crate) type Request = Vec<u8>;

/// Makes the n-th request of a connection; both count from 0.
pub(crate) type Requests = Arc<dyn Fn(usize, usize) -> Request + Send + Sync>;

/// How long each request took, in ascending order, and all of them together.
pub(crate) struct Timing {
    pub(crate) latencies: Vec<Duration>,
    pub(crate) elapsed: Duration,
}

impl Timing {
    pub(crate) fn per_second(&self) -> f64 {
        self.in_thousands() * 1_000.0 / self.elapsed.as_secs_f64()
    }

    pub(crate) fn in_thousands(&self) -> f64 {
        f64::from(u32::try_from(self.latencies.len()).unwrap_or(u32::MAX)) / 1_000.0
    }

    /// The latency in milliseconds that so many percent of the requests kept within.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let index = (self.latencies.len() * percent / 100).min(self.latencies.len() - 1);
        self.latencies[index].as_secs_f64() * 1_000.0
    }
}

/// Writes a request out.
pub(crate) fn request(method: &str, path: &str, token: &str, body: &str) -> Request {
    let body_headers = match body.len() {
        0 => String::new(),
        length => format!("Content-Type: application/json\r\nContent-Length: {length}\r\n"),
    };
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n{body_headers}"
    );
    format!("{head}\r\n{body}").into_bytes()
}

/// Sends requests over so many connections for so long, each as soon as the one before it is answered.
pub(crate) async fn run(address: &str, connections: usize, length: Duration, requests: &Requests) -> Timing {
    let begun = Instant::now();
    let send = |connection: usize| {
        let (address, requests) = (address.to_owned(), Arc::clone(requests));
        tokio::spawn(async move {
            let mut stream = Connection::open(&address).await;
            let mut latencies = Vec::new();
            while begun.elapsed() < length {
                let request = requests(connection, latencies.len());
                let sent = Instant::now();
                stream.exchange(&request).await;
                latencies.push(sent.elapsed());
            }
            latencies
        })
    };
    let tasks: Vec<_> = (0..connections).map(send).collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.expect("a connection without a failure"));
    }
    let elapsed = begun.elapsed();
    latencies.sort_unstable();
    Timing { latencies, elapsed }
}

struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Connection {
    async fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server listens");
        stream.set_nodelay(true).expect("a TCP socket");
        Self { stream, answer: Vec::with_capacity(64 * 1024) }
    }

    /// Sends a request and reads the whole answer, which must be a good one.
    async fn exchange(&mut self, request: &[u8]) {
        self.stream.write_all(request).await.expect("the server listens");
        self.answer.clear();
        while answer_length(&self.answer).is_none_or(|length| self.answer.len() < length) {
            let read = self.stream.read_buf(&mut self.answer).await.expect("the server answers");
            assert!(read > 0, "the server hung up: {}", String::from_utf8_lossy(request));
        }
        let shown =
            || format!("{}\n{}", String::from_utf8_lossy(request), String::from_utf8_lossy(&self.answer));
        assert!(self.answer.starts_with(b"HTTP/1.1 20"), "{}", shown());
    }
}

/// How long an answer is with its head, once the head is there.
fn answer_length(answer: &[u8]) -> Option<usize> {
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let lines = str::from_utf8(&answer[..head]).expect("a head of text").lines();
    let mut headers = lines.filter_map(|line| line.split_once(':'));
    let length = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: usize = length.and_then(|(_, length)| length.trim().parse().ok()).expect("a Content-Length");
    Some(head + 4 + length)
}
