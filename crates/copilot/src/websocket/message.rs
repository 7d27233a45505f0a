//! What the server says on a socket.

use axum::extract::ws::Utf8Bytes;
use outbox::{Event, Stream, StreamHead};
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::event::Channel;

/// The longest frame in either direction, in bytes.
pub(super) const MAX_FRAME: usize = 64 * 1024;

/// Text that still fits into an event which is sent as a reference, in bytes.
const MAX_REFERENCE: usize = 128;

/// An event as it travels: serialised once, however many sockets it goes to.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// Its number in the project.
    pub(super) seq: i64,
    /// The channel that carries it; without one it goes to everybody.
    pub(super) channel: Option<Channel>,
    /// The JSON text.
    pub(super) text: Utf8Bytes,
}

#[derive(Serialize)]
struct Envelope<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    seq: i64,
    tenant_id: Uuid,
    project_id: Uuid,
    data: &'a Value,
    timestamp: outbox::Ts,
}

impl Message {
    /// The message that announces `event` of `stream`.
    pub(super) fn new(stream: Stream, event: &Event) -> Self {
        let mut text = envelope(stream, event, &event.data.0);
        if text.len() > MAX_FRAME {
            text = envelope(stream, event, &reference(&event.data.0));
        }
        Self { seq: event.seq, channel: Channel::of(&event.kind), text: text.into() }
    }
}

fn envelope(stream: Stream, event: &Event, data: &Value) -> String {
    let envelope = Envelope {
        kind: &event.kind,
        seq: event.seq,
        tenant_id: stream.owner,
        project_id: stream.id,
        data,
        timestamp: event.at,
    };
    serde_json::to_string(&envelope).unwrap_or_default()
}

/// The parts of `data` that say where to look; a cut text would look like the whole one.
fn reference(data: &Value) -> Value {
    let short = |value: &Value| match value {
        Value::String(text) => text.len() <= MAX_REFERENCE,
        Value::Array(_) | Value::Object(_) => false,
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    };
    let fields = data.as_object().into_iter().flatten();
    let mut kept: Map<String, Value> =
        fields.filter(|(_, value)| short(value)).map(|(key, value)| (key.clone(), value.clone())).collect();
    kept.insert("reference".to_owned(), Value::Bool(true));
    Value::Object(kept)
}

/// The first message: where the stream stands that follows.
pub(super) fn hello(head: StreamHead) -> Utf8Bytes {
    place("hello", head)
}

/// Says that what the client knows is not to be built upon: look again, events go on after `head`.
pub(super) fn resync(head: StreamHead) -> Utf8Bytes {
    place("resync", head)
}

fn place(kind: &str, head: StreamHead) -> Utf8Bytes {
    json!({"type": kind, "epoch": head.epoch, "seq": head.seq}).to_string().into()
}

/// The answer to a client's ping.
pub(super) fn pong() -> Utf8Bytes {
    Utf8Bytes::from_static(r#"{"type":"pong"}"#)
}

/// Says why a client's message was not obeyed.
pub(super) fn error(reason: &str) -> Utf8Bytes {
    json!({"type": "error", "error": reason}).to_string().into()
}

#[cfg(test)]
mod tests {
    use sqlx::types::Json;

    use super::*;

    fn message(data: Value) -> (Message, Value) {
        let stream = Stream { owner: Uuid::from_u128(1), id: Uuid::from_u128(2) };
        let at = outbox::Ts::from_micros(1_769_256_000_000_000);
        let event = Event { seq: 1042, kind: "incident.created".to_owned(), data: Json(data), at };
        let message = Message::new(stream, &event);
        let value = serde_json::from_str(message.text.as_str()).unwrap();
        (message, value)
    }

    #[test]
    fn an_event_has_the_form_of_the_contract() {
        let (message, value) = message(json!({"id": "x", "title": "</script>\u{2028}"}));
        assert_eq!(
            value,
            json!({
                "type": "incident.created", "seq": 1042,
                "tenant_id": "00000000-0000-0000-0000-000000000001",
                "project_id": "00000000-0000-0000-0000-000000000002",
                "data": {"id": "x", "title": "</script>\u{2028}"}, "timestamp": "2026-01-24T12:00:00Z",
            })
        );
        assert_eq!(message.channel, Some(Channel::Incidents));
    }

    #[test]
    fn a_huge_event_is_sent_as_a_reference() {
        let (message, value) = message(json!({"id": "x", "number": 7, "title": "t".repeat(MAX_FRAME)}));
        assert!(message.text.len() < MAX_FRAME);
        assert_eq!(value["data"], json!({"id": "x", "number": 7, "reference": true}));
    }
}
