//! The mark of a browser in which somebody has signed in: it gets attempts of its own.
//!
//! Who guesses from the same network, or from behind the same proxy, uses up the attempts of that network, but not those of a
//! browser that its owner has used before (OWASP, "Slow Down Online Guessing Attacks with Device Cookies"). The mark opens
//! nothing, and is good for one account alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use super::master::hmac;

/// How long a browser is remembered, in seconds: 90 days.
pub(super) const LIFETIME_S: i64 = 90 * 24 * 3600;

/// Makes and recognises marks.
pub(super) struct DeviceKey([u8; 32]);

impl DeviceKey {
    /// With a key of its own.
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// A new mark for a browser in which `email` has signed in.
    pub fn issue(&self, email: &str) -> String {
        let device = Uuid::new_v4();
        URL_SAFE_NO_PAD.encode([&device.as_bytes()[..], &self.mac(device, email)].concat())
    }

    /// The browser that a mark names, if we made it for `email`.
    pub fn read(&self, text: &str, email: &str) -> Option<Uuid> {
        if text.len() > 64 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (device, mac) = bytes.split_first_chunk::<16>()?;
        let device = Uuid::from_bytes(*device);
        bool::from(self.mac(device, email).ct_eq(mac)).then_some(device)
    }

    fn mac(&self, device: Uuid, email: &str) -> [u8; 32] {
        hmac(&self.0, &[device.as_bytes(), email.as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_good_for_one_account_and_can_not_be_made_up() {
        let key = DeviceKey::new(rand::random());
        let mark = key.issue("ana@shop.example");
        assert!(key.read(&mark, "ana@shop.example").is_some());
        assert_eq!(key.read(&mark, "ben@shop.example"), None);
        assert_eq!(DeviceKey::new(rand::random()).read(&mark, "ana@shop.example"), None);
        assert_ne!(key.issue("ana@shop.example"), mark);
        for made_up in ["", "A", &"A".repeat(64), &mark[..22], &"A".repeat(100_000)] {
            assert_eq!(key.read(made_up, "ana@shop.example"), None, "{made_up}");
        }
    }
}
