//! Redis between processes, and what is left when it fails.

mod channels;
mod faults;
mod limits;
pub mod server;
mod signs;
mod wakes;

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::world::{client, read};

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// How long a test waits for what must happen.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// Looks until `found`, for as long as a test has patience.
async fn until(what: &str, mut found: impl AsyncFnMut() -> bool) {
    let looking = async {
        let mut ticks = tokio::time::interval(std::time::Duration::from_millis(20));
        while !found().await {
            ticks.tick().await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, looking).await.is_ok(), "waited in vain until {what}");
}

/// A socket with this key, after its hello.
async fn socket(base: &str, key: &str) -> Socket {
    let url = format!("{}/ws", base.replacen("http", "ws", 1));
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {key}").parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    assert_eq!(frame(&mut socket).await["type"], "hello");
    socket
}

/// The next message on a socket.
async fn frame(socket: &mut Socket) -> Value {
    loop {
        let message = tokio::time::timeout(PATIENCE, socket.next()).await.expect("no message came");
        if let Message::Text(text) = message.unwrap().unwrap() {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

/// Opens an incident by hand.
async fn open(base: &str, key: &str, title: &str) -> Value {
    let body = json!({"title": title, "severity": "high"});
    let sent = client().post(format!("{base}/api/v1/incidents")).bearer_auth(key).json(&body);
    read(sent.send().await.unwrap()).await.expect(201)
}
