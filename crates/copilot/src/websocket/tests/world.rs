//! A database, a hub and a real server for one test, and a client to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::get;
use futures_util::{SinkExt as _, StreamExt as _};
use outbox::{Clock, Db, NewEvent, StreamHead};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::super::handshake;
use super::super::hub::{Hub, Limits};
use super::super::session::Session;
use crate::auth::{Actor, Member, Role};
use crate::error::Result;
use crate::event;
use crate::ids::{ApiKeyId, ProjectId, TenantId};
use crate::scratch::Scratch;

/// The longest that anything here may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for `future`, but not for ever.
pub(super) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it took too long")
}

/// One test's server.
pub(super) struct World {
    pub(super) db: Db,
    pub(super) hub: Hub,
    pub(super) tasks: TaskTracker,
    pub(super) stop: CancellationToken,
    pub(super) member: Member,
    pub(super) valid: Arc<AtomicBool>,
    address: std::net::SocketAddr,
    folder: tempfile::TempDir,
    database: Scratch,
}

#[derive(Clone)]
struct Door {
    hub: Hub,
    member: Member,
    valid: Arc<AtomicBool>,
}

async fn knock(State(door): State<Door>, mut parts: Parts) -> Result<Response> {
    let wish = handshake::wish(&parts)?;
    let session = Session::Scripted { member: door.member, valid: door.valid };
    handshake::open(&door.hub, session, wish, &mut parts).await
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(Limits::default(), Clock::System).await
    }

    pub(super) async fn with(limits: Limits, clock: Clock) -> Self {
        let (folder, database) = (tempfile::tempdir().unwrap(), Scratch::new().await);
        let db = crate::db::open(&database.url(), folder.path(), clock).await.unwrap();
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let hub = Hub::new(db.clone(), limits, tasks.clone(), stop.clone());
        let member = Member {
            tenant: TenantId::new(),
            project: ProjectId::new(),
            role: Role::Viewer,
            actor: Actor::Key { id: ApiKeyId::new(), name: "test".to_owned() },
        };
        let valid = Arc::new(AtomicBool::new(true));
        let door = Door { hub: hub.clone(), member: member.clone(), valid: Arc::clone(&valid) };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = crate::http::wrap(
            Router::new().route("/ws", get(knock)).with_state(door),
            crate::http::Front::default(),
        );
        // Outside of the tracker, so that a test can wait for the sockets and feeds alone.
        TaskTracker::new().spawn(crate::http::serve(listener, router, stop.clone()));
        Self { db, hub, tasks, stop, member, valid, address, folder, database }
    }

    /// The database as another process sees it: no wake-up of ours reaches it, and none of its reaches us.
    pub(super) async fn other_process(&self) -> Db {
        crate::db::open(&self.database.url(), self.folder.path(), Clock::System).await.unwrap()
    }

    /// Commits `count` events, each with its position and `padding` bytes.
    pub(super) async fn happen(&self, kind: &'static str, count: usize, padding: usize) {
        happen(&self.db, &self.member, kind, count, padding).await;
    }

    pub(super) async fn head(&self) -> StreamHead {
        let stream = event::stream(self.member.tenant, self.member.project);
        let mut tx = self.db.read(stream.owner).await.unwrap();
        outbox::event::head(&mut tx, stream).await.unwrap()
    }

    /// Opens a socket; `query` begins with `?` or is empty.
    pub(super) async fn connect(&self, query: &str) -> Client {
        self.connect_through(TcpSocket::new_v4().unwrap(), query).await
    }

    /// Opens a socket that the operating system holds little for.
    pub(super) async fn connect_narrow(&self) -> Client {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4 * 1024).unwrap();
        self.connect_through(socket, "").await
    }

    async fn connect_through(&self, socket: TcpSocket, query: &str) -> Client {
        let stream = socket.connect(self.address).await.unwrap();
        let request = format!("ws://{}/ws{query}", self.address).into_client_request().unwrap();
        let (socket, _) = soon(tokio_tungstenite::client_async(request, stream)).await.unwrap();
        Client { socket }
    }

    /// Sends bytes as they are and returns what comes back until the server has said enough or closes.
    pub(super) async fn raw(&self, bytes: &[u8]) -> TcpStream {
        use tokio::io::AsyncWriteExt as _;
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream
    }

    pub(super) fn sign_out(&self) {
        self.valid.store(false, Ordering::SeqCst);
    }

    /// Waits until no socket and no feed is left.
    pub(super) async fn quiet(&self) {
        self.tasks.close();
        soon(self.tasks.wait()).await;
    }
}

/// Commits `count` events in one transaction of `db`.
pub(super) async fn happen(db: &Db, member: &Member, kind: &'static str, count: usize, padding: usize) {
    let mut tx = db.begin(member.tenant.0).await.unwrap();
    for position in 0..count {
        let data = json!({"id": position, "pad": "x".repeat(padding)});
        tx.append(event::stream(member.tenant, member.project), NewEvent { kind, data });
    }
    tx.commit().await.unwrap();
}

/// What a client receives.
#[derive(Debug, PartialEq)]
pub(super) enum Heard {
    Text(Value),
    Close(u16),
}

/// One client.
pub(super) struct Client {
    socket: WebSocketStream<TcpStream>,
}

impl Client {
    pub(super) async fn say(&mut self, text: &str) {
        self.send(Frame::text(text)).await;
    }

    pub(super) async fn send(&mut self, frame: Frame) {
        soon(self.socket.send(frame)).await.unwrap();
    }

    pub(super) async fn hear(&mut self) -> Heard {
        loop {
            match soon(self.socket.next()).await {
                Some(Ok(Frame::Text(text))) => return Heard::Text(serde_json::from_str(&text).unwrap()),
                Some(Ok(Frame::Close(frame))) => return Heard::Close(frame.unwrap().code.into()),
                Some(Ok(_)) => {}
                other => panic!("the connection ended without a close: {other:?}"),
            }
        }
    }

    /// The next message, which must be a text.
    pub(super) async fn text(&mut self) -> Value {
        match self.hear().await {
            Heard::Text(text) => text,
            Heard::Close(code) => panic!("closed with {code}"),
        }
    }

    /// The type and number of the next message.
    pub(super) async fn seq(&mut self) -> (String, i64) {
        let text = self.text().await;
        (text["type"].as_str().unwrap().to_owned(), text["seq"].as_i64().unwrap_or(-1))
    }

    /// Expects the event numbers `from..=to` and nothing in between.
    pub(super) async fn events(&mut self, from: i64, to: i64) {
        soon(async {
            for expected in from..=to {
                let (kind, seq) = self.seq().await;
                assert_eq!((seq, kind.contains('.')), (expected, true), "{kind}");
            }
        })
        .await;
    }

    /// The close code, after whatever comes before it.
    pub(super) async fn closed(&mut self) -> u16 {
        loop {
            if let Heard::Close(code) = self.hear().await {
                return code;
            }
        }
    }

    pub(super) async fn leave(mut self) {
        soon(self.socket.close(None)).await.unwrap();
        while soon(self.socket.next()).await.is_some() {}
    }
}
