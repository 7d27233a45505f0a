//! The name a label set goes by among Prometheus and Alertmanager.
//!
//! 64-bit FNV-1a over the labels sorted by the bytes of their names, each as name, byte FF, value, byte FF
//! (prometheus/common, `model/signature.go`). It names the label set and not an occurrence, and it is no proof
//! of identity: two ordinary label sets that collide can be found in minutes.

use std::{collections::BTreeMap, fmt::Write as _};

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;
/// Ends a name and a value; this byte occurs in no UTF-8 text, so the encoding is unambiguous.
const SEPARATOR: u8 = 0xFF;

/// The canonical bytes of a label set: sorted by name, labels with an empty value left out.
///
/// Different label sets have different bytes, whatever characters they contain.
#[must_use]
pub fn canonical(labels: &BTreeMap<String, String>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in labels.iter().filter(|(_, value)| !value.is_empty()) {
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(SEPARATOR);
        bytes.extend_from_slice(value.as_bytes());
        bytes.push(SEPARATOR);
    }
    bytes
}

/// The fingerprint of canonical label bytes, as 16 lower-case hexadecimal digits.
#[must_use]
pub fn fingerprint(canonical: &[u8]) -> String {
    let hash = canonical.iter().fold(OFFSET, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME));
    let mut text = String::with_capacity(16);
    // Writing to a String cannot fail.
    let _ = write!(text, "{hash:016x}");
    text
}

/// Whether a text has the form of a fingerprint: 16 lower-case hexadecimal digits.
#[must_use]
pub fn is_fingerprint(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
