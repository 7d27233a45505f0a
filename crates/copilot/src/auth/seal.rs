//! Secrets at rest: encrypted, and bound to the cell they are stored in.

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use anyhow::{anyhow, ensure};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::ids::TenantId;

/// The form of a sealed value: this byte, 4 bytes of key id, 12 of nonce, then AES-256-GCM's output.
const FORM: u8 = 1;
const KEY_ID: usize = 4;
const NONCE: usize = 12;

/// What every value begins with that one key has sealed: the form and the key id.
pub(super) type Mark = [u8; 1 + KEY_ID];

/// The columns that hold secrets: what is sealed for one of them is sealed anew when the master key is rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// What an integration's own API is asked with.
    Credential,
    /// A webhook's token, where its sender may sign with it.
    WebhookToken,
    /// Where a notification channel leads.
    ChannelTarget,
    /// What a channel signs with.
    ChannelSigning,
    /// What a channel signed with before.
    ChannelOldSigning,
    /// An answer that is given again when its request is.
    Answer,
}

impl Place {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Credential,
        Self::WebhookToken,
        Self::ChannelTarget,
        Self::ChannelSigning,
        Self::ChannelOldSigning,
        Self::Answer,
    ];

    /// The table.
    pub fn table(self) -> &'static str {
        match self {
            Self::Credential => "integrations",
            Self::WebhookToken => "integration_tokens",
            Self::ChannelTarget | Self::ChannelSigning | Self::ChannelOldSigning => "notification_channels",
            Self::Answer => "idempotency",
        }
    }

    /// The column.
    pub fn column(self) -> &'static str {
        match self {
            Self::Credential => "auth",
            Self::WebhookToken => "sealed",
            Self::ChannelTarget => "target",
            Self::ChannelSigning => "signing",
            Self::ChannelOldSigning => "old_signing",
            Self::Answer => "body",
        }
    }
}

/// Where a secret is stored.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// Whose it is.
    pub tenant: TenantId,
    /// The table and the column.
    pub place: Place,
    /// The row's id.
    pub row: Uuid,
}

impl Cell {
    /// What the cipher binds the secret to.
    fn name(&self) -> String {
        format!("{}|{}|{}|{}", self.tenant, self.place.table(), self.place.column(), self.row)
    }
}

/// The sealing key.
pub(super) struct Seal {
    cipher: Aes256Gcm,
    key_id: [u8; KEY_ID],
}

impl Seal {
    /// Seals and opens with `key`.
    pub fn new(key: &[u8; 32]) -> Self {
        let mut key_id = [0; KEY_ID];
        let digest = Sha256::digest(key);
        for (id, byte) in key_id.iter_mut().zip(digest) {
            *id = byte;
        }
        Self { cipher: Aes256Gcm::new(key.into()), key_id }
    }

    /// What every value begins with that it has sealed.
    pub fn mark(&self) -> Mark {
        let [a, b, c, d] = self.key_id;
        [FORM, a, b, c, d]
    }

    /// Encrypts `plain` for `cell`.
    pub fn seal(&self, plain: &[u8], cell: Cell) -> anyhow::Result<Vec<u8>> {
        let nonce: [u8; NONCE] = rand::random();
        let aad = cell.name();
        let sealed = self
            .cipher
            .encrypt(&Nonce::from(nonce), Payload { msg: plain, aad: aad.as_bytes() })
            .map_err(|_| anyhow!("a secret is too long to be sealed"))?;
        Ok([&self.mark()[..], &nonce, &sealed].concat())
    }

    /// Decrypts what was sealed for `cell`.
    pub fn open(&self, sealed: &[u8], cell: Cell) -> anyhow::Result<Vec<u8>> {
        let cut = || anyhow!("a sealed secret is cut short");
        let (form, rest) = sealed.split_first().ok_or_else(cut)?;
        ensure!(*form == FORM, "a secret was sealed in an unknown form");
        let (key_id, rest) = rest.split_first_chunk::<KEY_ID>().ok_or_else(cut)?;
        ensure!(*key_id == self.key_id, "a secret was sealed with another master key");
        let (nonce, text) = rest.split_first_chunk::<NONCE>().ok_or_else(cut)?;
        let aad = cell.name();
        self.cipher
            .decrypt(&Nonce::from(*nonce), Payload { msg: text, aad: aad.as_bytes() })
            .map_err(|_| anyhow!("a sealed secret was changed, or belongs to another cell"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_only_in_its_own_cell() {
        let seal = Seal::new(&rand::random());
        let (tenant, row) = (TenantId::new(), Uuid::now_v7());
        let cell = Cell { tenant, place: Place::Credential, row };
        let sealed = seal.seal(b"hunter2", cell).unwrap();
        assert!(sealed.starts_with(&seal.mark()));
        assert_eq!(seal.open(&sealed, cell).unwrap(), b"hunter2");
        assert_ne!(sealed, seal.seal(b"hunter2", cell).unwrap());
        for other in [
            Cell { tenant: TenantId::new(), ..cell },
            Cell { place: Place::WebhookToken, ..cell },
            Cell { place: Place::ChannelTarget, ..cell },
            Cell { row: Uuid::now_v7(), ..cell },
        ] {
            assert!(seal.open(&sealed, other).is_err(), "{other:?}");
        }
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(seal.open(&changed, cell).is_err(), "byte {at}");
            assert!(seal.open(&sealed[..at], cell).is_err(), "cut at {at}");
        }
        assert!(Seal::new(&rand::random()).open(&sealed, cell).is_err());
    }
}
