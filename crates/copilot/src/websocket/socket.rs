//! One client, from its hello to its close.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::mpsc;

use super::hub::Hub;
use super::reader::Reader;
use super::request::Place;
use super::session::Session;
use super::writer::Writer;
use crate::event;

/// Messages of a client that wait to be obeyed.
const REQUESTS: usize = 16;

/// How long a client may take to answer a close.
const FAREWELL: Duration = Duration::from_secs(1);

/// Why a socket ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The client said goodbye, or the connection is gone.
    Left,
    /// The client broke RFC 6455.
    Protocol,
    /// A message was not text.
    Binary,
    /// A text was not UTF-8.
    NotText,
    /// A message was longer than 64 KiB.
    TooLarge,
    /// The process stops.
    Restart,
    /// The database does not answer.
    Unavailable,
    /// Too many messages that mean nothing.
    Invalid,
    /// The session or the key ended.
    SignedOut,
    /// The caller may no longer read the project.
    Barred,
    /// The client does not take what it is sent.
    Slow,
    /// Too many sockets or messages.
    TooMany,
}

impl End {
    /// The close code and its reason; none when there is nobody to tell.
    fn frame(self) -> Option<(u16, &'static str)> {
        Some(match self {
            Self::Left => return None,
            Self::Protocol => (1002, "protocol error"),
            Self::Binary => (1003, "text messages only"),
            Self::NotText => (1007, "not UTF-8"),
            Self::TooLarge => (1009, "more than 64 KiB"),
            Self::Restart => (1012, "restarting"),
            Self::Unavailable => (1013, "try again"),
            Self::Invalid => (4400, "too many invalid messages"),
            Self::SignedOut => (4401, "signed out"),
            Self::Barred => (4403, "no longer in this project"),
            Self::Slow => (4408, "too slow"),
            Self::TooMany => (4429, "too many"),
        })
    }

    /// What a failed read means.
    pub(super) fn of(error: &axum::Error) -> Self {
        // The library's error type is not ours to name, but its first words are fixed and a test holds them.
        let text = error.to_string();
        match text.split_once(':').map(|(class, _)| class) {
            Some("Space limit exceeded") => Self::TooLarge,
            Some("UTF-8 encoding error") => Self::NotText,
            Some("WebSocket protocol error") if !text.contains("Connection reset") => Self::Protocol,
            _ => Self::Left,
        }
    }
}

/// Serves `socket` to `session` until one of them ends.
pub(super) async fn run(hub: &Hub, session: &Arc<Session>, place: Option<Place>, socket: WebSocket) {
    let (mut sink, mut stream) = socket.split();
    let end = serve(hub, session, place, &mut sink, &mut stream).await;
    tracing::debug!(?end, "a socket ended");
    let farewell = async {
        match end.frame() {
            Some((code, reason)) => {
                let frame = CloseFrame { code, reason: reason.into() };
                if sink.send(Frame::Close(Some(frame))).await.is_err() {
                    return;
                }
                while let Some(Ok(_)) = stream.next().await {}
                if end == End::TooLarge {
                    // The rest of the frame is not read, and closing on unread bytes resets the connection:
                    // the client is given time to see why.
                    std::future::pending().await
                }
            }
            None => drop(sink.close().await),
        }
    };
    let _ = tokio::time::timeout(FAREWELL, farewell).await;
}

async fn serve(
    hub: &Hub,
    session: &Arc<Session>,
    place: Option<Place>,
    sink: &mut SplitSink<WebSocket, Frame>,
    stream: &mut SplitStream<WebSocket>,
) -> End {
    let member = session.member();
    let Some(_seat) = hub.sit(member) else { return End::TooMany };
    let standing = hub.standing(session);
    let project = event::stream(member.tenant, member.project);
    let (ask, asked) = mpsc::channel(REQUESTS);
    let writer = Writer::new(hub, project, sink).run(place, asked);
    let reader = Reader::new(hub.limits(), project, stream).run(ask);
    // Each of them may wait for the client; none of them waits for another to notice the end.
    tokio::select! {
        end = writer => end,
        end = reader => end,
        end = standing.ended() => end,
        () = hub.stop().cancelled() => End::Restart,
    }
}
