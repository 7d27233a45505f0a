//! The receipts of one commit and integration, as the one compressed row that keeps them.
//!
//! Three columns: what a list shows of each receipt, what became of its alerts, and its body. Bodies of one sender
//! resemble each other, so they are compressed together (LZ4, which costs a fraction of storing them plain).

use std::collections::BTreeMap;

use outbox::Ts;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::DeliveryResult;
use crate::ids::DeliveryId;

/// The bits of a receipt's id that hold its place in its row.
const PLACE: u128 = 0xFFFF;

/// The most receipts of one row.
pub const MOST: usize = PLACE as usize;

/// What a list shows of a receipt, and where the rest of it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Head {
    /// When the request was received.
    pub received_at: Ts,
    /// The sender's address.
    pub remote: String,
    /// The sender's name for itself.
    pub user_agent: String,
    /// The route: `alertmanager`, `prometheus` or `grafana`.
    pub sender: String,
    /// The format that was recognised.
    pub format: Option<String>,
    /// How many alerts it held.
    pub received: i64,
    /// How many alerts the sender says it left out.
    pub truncated: i64,
    /// How many alerts had each outcome.
    pub outcomes: BTreeMap<String, i64>,
    /// What is odd about the body as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<alerts::Flag>,
    /// The receipt this one is a replay of.
    pub replay_of: Option<DeliveryId>,
    /// Bytes of its part of the results.
    results: usize,
    /// Bytes of its part of the bodies.
    body: usize,
}

/// What is known of a request besides its alerts.
#[derive(Clone, Debug)]
pub struct Request {
    /// When it was received.
    pub received_at: Ts,
    /// The sender's address.
    pub remote: String,
    /// The sender's name for itself.
    pub user_agent: String,
    /// The route: `alertmanager`, `prometheus` or `grafana`.
    pub sender: &'static str,
    /// The format that was recognised.
    pub format: &'static str,
    /// How many alerts the sender says it left out.
    pub truncated: i64,
    /// What is odd about the body as a whole.
    pub flags: Vec<alerts::Flag>,
    /// The receipt this one is a replay of.
    pub replay_of: Option<DeliveryId>,
}

/// A new id for a row; its receipts are named after it.
pub fn row_id() -> Uuid {
    Uuid::from_u128(Uuid::now_v7().as_u128() & !PLACE)
}

/// The id of the receipt at `place` in a row.
pub fn id_at(row: Uuid, place: usize) -> DeliveryId {
    DeliveryId(Uuid::from_u128(row.as_u128() | (place as u128 & PLACE)))
}

/// The row that a receipt's id names, and its place there.
pub fn place_of(id: DeliveryId) -> (Uuid, usize) {
    let bits = id.0.as_u128();
    (Uuid::from_u128(bits & !PLACE), (bits & PLACE) as usize)
}

/// The receipts of one row before they are compressed.
#[derive(Debug, Default)]
pub struct Pile {
    heads: Vec<Head>,
    results: Vec<u8>,
    bodies: Vec<u8>,
}

/// The columns of one row.
#[derive(Debug)]
pub struct Packed {
    /// How many receipts it holds.
    pub receipts: i64,
    /// What a list shows of each.
    pub heads: Vec<u8>,
    /// What became of the alerts of each.
    pub results: Vec<u8>,
    /// The body of each.
    pub bodies: Vec<u8>,
}

impl Pile {
    /// Adds a receipt at the next place.
    ///
    /// # Errors
    /// When it can't be written as JSON, which does not happen.
    pub fn add(
        &mut self,
        request: Request,
        results: &[DeliveryResult],
        body: &[u8],
    ) -> serde_json::Result<()> {
        let before = self.results.len();
        serde_json::to_writer(&mut self.results, results)?;
        self.bodies.extend_from_slice(body);
        let mut outcomes: BTreeMap<String, i64> = BTreeMap::new();
        for result in results {
            match outcomes.get_mut(result.outcome.as_str()) {
                Some(count) => *count += 1,
                None => drop(outcomes.insert(result.outcome.as_str().to_owned(), 1)),
            }
        }
        self.heads.push(Head {
            received_at: request.received_at,
            remote: request.remote,
            user_agent: request.user_agent,
            sender: request.sender.to_owned(),
            format: Some(request.format.to_owned()),
            received: results.len() as i64,
            truncated: request.truncated,
            flags: request.flags,
            outcomes,
            replay_of: request.replay_of,
            results: self.results.len() - before,
            body: body.len(),
        });
        Ok(())
    }

    /// When the last of them was received: a replay is as old as its original, and must not age those beside it.
    pub fn received_at(&self) -> Option<Ts> {
        self.heads.iter().map(|head| head.received_at).max()
    }

    /// Compresses them.
    ///
    /// # Errors
    /// When they can't be written as JSON, which does not happen.
    pub fn pack(self) -> serde_json::Result<Packed> {
        Ok(Packed {
            receipts: self.heads.len() as i64,
            heads: lz4_flex::compress_prepend_size(&serde_json::to_vec(&self.heads)?),
            results: lz4_flex::compress_prepend_size(&self.results),
            bodies: lz4_flex::compress_prepend_size(&self.bodies),
        })
    }
}

/// What a row's lists show; empty when the row is damaged.
pub fn heads(packed: &[u8]) -> Vec<Head> {
    let plain = lz4_flex::decompress_size_prepended(packed).unwrap_or_default();
    serde_json::from_slice(&plain).unwrap_or_default()
}

/// What became of the alerts of the receipt at `place`.
pub fn results_at(heads: &[Head], place: usize, packed: &[u8]) -> Vec<DeliveryResult> {
    let part = part(heads, place, packed, |head| head.results);
    serde_json::from_slice(&part).unwrap_or_default()
}

/// The body of the receipt at `place`.
pub fn body_at(heads: &[Head], place: usize, packed: &[u8]) -> Vec<u8> {
    part(heads, place, packed, |head| head.body)
}

fn part(heads: &[Head], place: usize, packed: &[u8], length: impl Fn(&Head) -> usize) -> Vec<u8> {
    let plain = lz4_flex::decompress_size_prepended(packed).unwrap_or_default();
    let start: usize = heads.iter().take(place).map(&length).sum();
    let end = start + heads.get(place).map_or(0, &length);
    plain.get(start..end).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::intake::Outcome;

    fn request(received_at: Ts) -> Request {
        Request {
            received_at,
            remote: "127.0.0.1".to_owned(),
            user_agent: String::new(),
            sender: "prometheus",
            format: "prometheus",
            truncated: 0,
            flags: Vec::new(),
            replay_of: None,
        }
    }

    #[test]
    fn each_receipt_of_a_row_is_found_again_by_its_id() {
        let row = row_id();
        let mut pile = Pile::default();
        for place in 0..300_usize {
            let result = DeliveryResult {
                index: place,
                fingerprint: None,
                name: None,
                outcome: Outcome::Repeated,
                reason: None,
                incident_id: None,
            };
            pile.add(
                request(Ts::from_micros(place as i64)),
                &vec![result; place % 3],
                format!("body {place}").as_bytes(),
            )
            .unwrap();
        }
        let packed = pile.pack().unwrap();
        let heads = heads(&packed.heads);
        assert_eq!(heads.len(), 300);
        for place in 0..300_usize {
            assert_eq!(place_of(id_at(row, place)), (row, place));
            assert_eq!(body_at(&heads, place, &packed.bodies), format!("body {place}").as_bytes());
            let results = results_at(&heads, place, &packed.results);
            assert!(results.len() == place % 3 && results.iter().all(|result| result.index == place));
        }
    }

    #[test]
    fn a_replay_does_not_age_what_is_stored_with_it() {
        let mut pile = Pile::default();
        for received_at in [29, 0, 3].map(|days| Ts::from_micros(0).plus_seconds(-days * 86_400)) {
            pile.add(request(received_at), &[], b"").unwrap();
        }
        assert_eq!(pile.received_at(), Some(Ts::from_micros(0)));
    }

    #[test]
    fn a_damaged_row_is_empty_and_no_panic() {
        assert!(heads(b"\x10\x00\x00\x00\xff").is_empty());
        assert!(body_at(&[], 3, b"").is_empty());
    }
}
