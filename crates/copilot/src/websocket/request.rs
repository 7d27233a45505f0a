//! What a client may say: one JSON object a message.

use outbox::Stream;
use serde_json::{Map, Value};

use crate::event::Channel;

/// Entries a list of channels may have.
const MAX_CHANNELS: usize = 16;

/// Channels a client follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Filter {
    incidents: bool,
    hypotheses: bool,
    alerts: bool,
}

impl Filter {
    /// Every channel, as before the client said anything.
    pub(super) const ALL: Self = Self { incidents: true, hypotheses: true, alerts: true };
    const NONE: Self = Self { incidents: false, hypotheses: false, alerts: false };

    fn of(channels: &[Channel]) -> Self {
        channels.iter().fold(Self::NONE, |mut filter, channel| {
            *filter.slot(*channel) = true;
            filter
        })
    }

    fn slot(&mut self, channel: Channel) -> &mut bool {
        match channel {
            Channel::Incidents => &mut self.incidents,
            Channel::Hypotheses => &mut self.hypotheses,
            Channel::Alerts => &mut self.alerts,
        }
    }

    /// The channels of this filter that are not in `other`.
    pub(super) fn without(self, other: Self) -> Self {
        Self {
            incidents: self.incidents && !other.incidents,
            hypotheses: self.hypotheses && !other.hypotheses,
            alerts: self.alerts && !other.alerts,
        }
    }

    /// Whether a message of `channel` is wanted; one that belongs to none always is.
    pub(super) fn admits(mut self, channel: Option<Channel>) -> bool {
        channel.is_none_or(|channel| *self.slot(channel))
    }
}

/// The last event that a client knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The epoch it was numbered in, as the client wrote it.
    pub(super) epoch: String,
    /// Its number; one beyond our range is as far ahead as any.
    pub(super) seq: i64,
}

/// A message that can be obeyed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// Follow these channels and no others.
    Subscribe(Filter),
    /// Follow these channels no longer.
    Unsubscribe(Filter),
    /// Start the stream again after this place.
    Resume(Place),
    /// Are you there?
    Ping,
}

/// Why a message is not obeyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is not an object of the known forms.
    Invalid,
    /// Its type is not known.
    UnknownType,
    /// There is too much of it, or too many of them.
    Limit,
    /// It names a project that this socket does not follow.
    NotFound,
}

impl Fault {
    /// The reason as the client reads it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid-message",
            Self::UnknownType => "unknown-type",
            Self::Limit => "limit",
            Self::NotFound => "not-found",
        }
    }
}

/// Reads a client's message on a socket that follows `stream`.
pub(super) fn parse(text: &str, stream: Stream) -> Result<Request, Fault> {
    let message: Map<String, Value> = serde_json::from_str(text).map_err(|_| Fault::Invalid)?;
    let kind = message.get("type").ok_or(Fault::Invalid)?.as_str().ok_or(Fault::UnknownType)?;
    let request = match kind {
        "subscribe" => Request::Subscribe(channels(&message)?),
        "unsubscribe" => Request::Unsubscribe(channels(&message)?),
        "resume" => Request::Resume(place(&message)?),
        "ping" => Request::Ping,
        _ => return Err(Fault::UnknownType),
    };
    for (key, ours) in [("project_id", stream.id), ("tenant_id", stream.owner)] {
        if message.get(key).is_some_and(|named| named.as_str() != Some(&ours.to_string())) {
            return Err(Fault::NotFound);
        }
    }
    Ok(request)
}

fn channels(message: &Map<String, Value>) -> Result<Filter, Fault> {
    let Some(named) = message.get("channels") else { return Ok(Filter::ALL) };
    let named = named.as_array().ok_or(Fault::Invalid)?;
    if named.len() > MAX_CHANNELS {
        return Err(Fault::Limit);
    }
    let known = [Channel::Incidents, Channel::Hypotheses, Channel::Alerts];
    let channel = |value: &Value| known.into_iter().find(|channel| value.as_str() == Some(channel.name()));
    let channels: Option<Vec<Channel>> = named.iter().map(channel).collect();
    channels.map(|channels| Filter::of(&channels)).ok_or(Fault::Invalid)
}

fn place(message: &Map<String, Value>) -> Result<Place, Fault> {
    let epoch = message.get("epoch").and_then(Value::as_str).ok_or(Fault::Invalid)?.to_owned();
    let seq = message.get("seq").and_then(Value::as_u64).ok_or(Fault::Invalid)?;
    Ok(Place { epoch, seq: i64::try_from(seq).unwrap_or(i64::MAX) })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn check(text: &str, expected: Result<Request, Fault>) {
        let stream = Stream { owner: Uuid::from_u128(1), id: Uuid::from_u128(2) };
        assert_eq!(parse(text, stream), expected, "{text}");
    }

    #[test]
    fn what_is_obeyed() {
        let alerts = Filter::of(&[Channel::Alerts]);
        let place = |seq| Request::Resume(Place { epoch: "e".to_owned(), seq });
        check(r#"{"type":"ping","__proto__":{"x":1},"constructor":2}"#, Ok(Request::Ping));
        check(r#"{"type":"subscribe"}"#, Ok(Request::Subscribe(Filter::ALL)));
        check(r#"{"type":"subscribe","channels":["alerts"]}"#, Ok(Request::Subscribe(alerts)));
        check(r#"{"type":"subscribe","channels":[]}"#, Ok(Request::Subscribe(Filter::NONE)));
        check(r#"{"type":"unsubscribe","channels":["alerts"]}"#, Ok(Request::Unsubscribe(alerts)));
        check(r#"{"type":"resume","epoch":"e","seq":0}"#, Ok(place(0)));
        check(r#"{"type":"resume","epoch":"e","seq":9223372036854775808}"#, Ok(place(i64::MAX)));
        let ours = r#"{"type":"ping","project_id":"00000000-0000-0000-0000-000000000002"}"#;
        check(ours, Ok(Request::Ping));
    }

    #[test]
    fn what_is_not() {
        for text in ["", "  ", "null", "[]", "42", "\"x\"", "{", "{}", r#"{"typ":"ping"}"#] {
            check(text, Err(Fault::Invalid));
        }
        for seq in ["-1", "1.5", "\"7\"", "null", "1e400", "[]"] {
            check(&format!(r#"{{"type":"resume","epoch":"e","seq":{seq}}}"#), Err(Fault::Invalid));
        }
        check(r#"{"type":"resume","seq":1}"#, Err(Fault::Invalid));
        for name in ["incident", "INCIDENTS", "a\\r\\nb", "\\u0000", "[a-z]", "*"] {
            check(&format!(r#"{{"type":"subscribe","channels":["{name}"]}}"#), Err(Fault::Invalid));
        }
        check(r#"{"type":"subscribe","channels":"alerts"}"#, Err(Fault::Invalid));
        check(r#"{"type":7}"#, Err(Fault::UnknownType));
        check(r#"{"type":"shout"}"#, Err(Fault::UnknownType));
        let many = format!(r#"{{"type":"subscribe","channels":[{}]}}"#, ["\"alerts\""; 17].join(","));
        check(&many, Err(Fault::Limit));
        let foreign = Uuid::from_u128(3);
        check(
            &format!(r#"{{"type":"subscribe","channels":["incidents"],"project_id":"{foreign}"}}"#),
            Err(Fault::NotFound),
        );
        check(&format!(r#"{{"type":"ping","tenant_id":"{foreign}"}}"#), Err(Fault::NotFound));
    }

    #[test]
    fn a_filter_admits_its_channels_and_what_has_none() {
        let filter = Filter::ALL.without(Filter::of(&[Channel::Incidents, Channel::Alerts]));
        assert!(filter.admits(Some(Channel::Hypotheses)));
        assert!(!filter.admits(Some(Channel::Incidents)));
        assert!(filter.admits(None));
    }
}
