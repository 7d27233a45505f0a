//! A redis-server of a test's own, ended with it.

use std::process::{Child, Command, Stdio};

use futures_util::StreamExt as _;
use redis::aio::MultiplexedConnection;
use tempfile::TempDir;

use super::{PATIENCE, until};

/// A running redis-server that keeps nothing.
pub struct RedisServer {
    child: Child,
    port: u16,
    arguments: Vec<String>,
    folder: TempDir,
}

impl RedisServer {
    pub async fn start(arguments: &[&str]) -> Self {
        let port = free_port();
        let folder = tempfile::tempdir().unwrap();
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let child = spawn(port, &arguments, folder.path());
        let server = Self { child, port, arguments, folder };
        server.answering().await;
        server
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again where it was.
    pub async fn restart(&mut self) {
        self.child = spawn(self.port, &self.arguments, self.folder.path());
        self.answering().await;
    }

    /// Stops it without ending it: connections stay open, and nothing is answered.
    pub fn stall(&self) {
        self.signal("STOP");
    }

    pub fn go_on(&self) {
        self.signal("CONT");
    }

    /// A connection of the test's own.
    pub async fn connect(&self) -> MultiplexedConnection {
        let client = redis::Client::open(self.url()).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }

    /// Listens on channels from now on.
    pub async fn listen(&self, channels: &[&str]) -> Listener {
        let client = redis::Client::open(self.url()).unwrap();
        let mut listener = client.get_async_pubsub().await.unwrap();
        listener.subscribe(channels).await.unwrap();
        Listener(listener)
    }

    async fn answering(&self) {
        let client = redis::Client::open(self.url()).unwrap();
        until("redis-server answers", async || {
            let Ok(mut connection) = client.get_multiplexed_async_connection().await else { return false };
            redis::cmd("PING").query_async::<String>(&mut connection).await.is_ok()
        })
        .await;
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").arg(format!("-{signal}")).arg(self.child.id().to_string()).status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // It may have been killed by the test already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is published on some channels.
pub struct Listener(redis::aio::PubSub);

impl Listener {
    /// The next message: its channel and its text.
    pub async fn next(&mut self) -> (String, String) {
        let next = tokio::time::timeout(PATIENCE, self.0.on_message().next()).await;
        let message = next.expect("nothing was published").expect("redis-server ended");
        (message.get_channel_name().to_owned(), message.get_payload().unwrap())
    }
}

fn spawn(port: u16, arguments: &[String], folder: &std::path::Path) -> Child {
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port.to_string()]);
    command.args(arguments).arg("--dir").arg(folder).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("redis-server is needed: `scripts/need redis-server=redis-server` installs it")
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
