//! What holds for every body, however damaged.

use crate::{
    bodies::{alert, alertmanager, json, received},
    golden::{Fixture, names},
};
use alerts::{Batch, ParseError, Sender, Settings, alert_key, parse};
use proptest::{collection::vec, prelude::*, sample::select};

const SENDERS: [Sender; 3] = [Sender::Alertmanager, Sender::Prometheus, Sender::Grafana];

fn read(sender: Sender, body: &[u8]) -> Result<Batch, ParseError> {
    parse(sender, body, received(), &Settings::default())
}

fn bodies() -> Vec<String> {
    names().map(|name| Fixture::load(name).body.get().to_owned()).collect()
}

/// Pieces of JSON that damage a body in more interesting ways than random bytes.
const PIECES: [&str; 16] = [
    "null",
    "{}",
    "[]",
    "\"\"",
    "1e308",
    "-0",
    "\"\\u0000\"",
    "\"\\ud83d\\ude00\"",
    "\"labels\":",
    "\"alerts\":[",
    "]",
    "}",
    ",",
    "\u{feff}",
    "\"firing\"",
    "{\"a\":{\"a\":{\"a\":[[[",
];

#[test]
fn a_body_cut_at_any_byte_is_malformed() {
    for body in bodies() {
        for end in 0..body.len() {
            let cut = read(Sender::Alertmanager, body.as_bytes().get(..end).unwrap());
            assert!(matches!(cut, Err(ParseError::MalformedJson(_))), "XB07 at byte {end} of {body}");
        }
    }
}

type Pairs = Vec<(String, String)>;

/// The members of a label set in any order, with the same values.
fn permuted_labels() -> impl Strategy<Value = (Pairs, Pairs)> {
    proptest::collection::btree_map("[a-zé😀_]{1,4}", any::<String>(), 1..8)
        .prop_map(|labels| labels.into_iter().collect::<Vec<_>>())
        .prop_flat_map(|labels| (Just(labels.clone()), Just(labels).prop_shuffle()))
}

fn labels_json(labels: &[(String, String)]) -> String {
    let members: Vec<_> =
        labels.iter().map(|(name, value)| format!("{}:{}", json(name), json(value))).collect();
    format!("{{{}}}", members.join(", "))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_panic(body in vec(any::<u8>(), 0..300), sender in select(&SENDERS[..])) {
        let _ = read(sender, &body);
    }

    #[test]
    fn no_damaged_body_panics_and_reading_is_repeatable(
        body in select(bodies()),
        places in vec((any::<prop::sample::Index>(), 0_usize..12, select(&PIECES[..])), 1..5),
        sender in select(&SENDERS[..]),
    ) {
        let mut body = body.into_bytes();
        for (place, length, piece) in places {
            let start = place.index(body.len() + 1);
            let end = (start + length).min(body.len());
            body.splice(start..end, piece.bytes());
        }
        let first = read(sender, &body);
        prop_assert_eq!(&first, &read(sender, &body));
        if let Ok(batch) = first {
            for alert in batch.readable() {
                prop_assert!(alert.ends_at.is_none_or(|end| end >= alert.starts_at));
                prop_assert!(!alert.title.trim().is_empty() && !alert.labels.is_empty());
            }
        }
    }

    #[test]
    fn the_order_of_labels_changes_no_key((one, other) in permuted_labels()) {
        let key = |labels: &[(String, String)]| {
            let body = alertmanager(&[alert(&[("labels", &labels_json(labels)), ("fingerprint", "")])], &[]);
            let batch = read(Sender::Alertmanager, body.as_bytes()).unwrap();
            let key = |alert| alert_key("t", "p", "s", alert, Sender::Alertmanager);
            batch.readable().next().map(|alert| (key(alert), alert.fingerprint.clone()))
        };
        prop_assert_eq!(key(&one), key(&other));
    }
}
