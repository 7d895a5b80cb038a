//! The real binary, serving in a process of its own.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Client, SECRET, TestDatabase};

/// A process that serves; it is killed when this is dropped.
pub struct ServerProcess {
    /// `http://127.0.0.1:port`
    pub base: String,
    /// When the process was started.
    pub started: Instant,
    child: Child,
    /// Kept open: the process may still say something.
    _said: BufReader<ChildStdout>,
}

impl ServerProcess {
    /// Starts `flowcrm serve` on a database, and waits until it says where it listens.
    pub fn start(database: &TestDatabase) -> Self {
        let started = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_flowcrm"))
            .args(["serve", "--migrate"])
            .env_remove("FLOWCRM_JWT_SECRETS_OLD")
            .env_remove("FLOWCRM_REGISTRATION")
            .env("DATABASE_URL", &database.url)
            .env("JWT_SECRET", str::from_utf8(SECRET).expect("a secret of text"))
            .env("FLOWCRM_BIND", "127.0.0.1:0")
            // Of a statement that takes long, the driver writes all the text, thousands of placeholders.
            .env("RUST_LOG", "warn,sqlx::query=error")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut said = BufReader::new(child.stdout.take().expect("its output is piped"));
        let mut line = String::new();
        said.read_line(&mut line).expect("its output is text");
        let port = line.trim().rsplit_once("http://localhost:").map(|(_, port)| port);
        let port = port.unwrap_or_else(|| panic!("the server says where it is, not: {line:?}"));
        Self { base: format!("http://127.0.0.1:{port}"), started, child, _said: said }
    }

    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Where it listens: `127.0.0.1:port`.
    pub fn address(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// A client that is not signed in.
    pub fn client(&self) -> Client {
        Client::of(&self.base)
    }

    /// Ends the process at once by SIGKILL, which it cannot catch, and waits until it is gone.
    pub fn kill(&mut self) {
        self.child.kill().expect("the process is ours");
        self.child.wait().expect("the process ends");
    }

    /// The seconds from the start of the process to its first good answer.
    pub fn seconds_to_first_answer(&self) -> f64 {
        let url = format!("{}/health/live", self.base);
        let deadline = self.started + Duration::from_secs(30);
        while !answers_well(self.address()) {
            assert!(Instant::now() < deadline, "{url} does not answer");
        }
        self.started.elapsed().as_secs_f64()
    }
}

fn answers_well(address: &str) -> bool {
    use std::io::{Read as _, Write as _};

    let ask = || {
        let mut stream = std::net::TcpStream::connect(address)?;
        stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map(|_| answer)
    };
    ask().is_ok_and(|answer: String| answer.starts_with("HTTP/1.1 200"))
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
