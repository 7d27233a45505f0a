//! The time column of both databases, and the clock that is passed in.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde::{Deserialize, Serialize};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueRef};
use sqlx::sqlite::{SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef};
use sqlx::{Decode, Encode, Postgres, Sqlite, Type};

/// Microseconds between the Unix epoch and PostgreSQL's (2000-01-01T00:00:00Z).
const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

/// The earliest instant that PostgreSQL stores, 4714-11-24 BC (its documentation, 8.5), in microseconds since 1970.
const EARLIEST_MICROS: i64 = -210_866_803_200_000_000;

/// An instant in UTC with microsecond precision.
///
/// It is `timestamptz` on PostgreSQL and integer microseconds since 1970 on SQLite; both keep exactly
/// what was written, because finer digits are cut off before, never rounded by the database.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, utoipa::ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = DateTime, example = "2026-01-24T12:00:00Z")]
pub struct Ts(jiff::Timestamp);

impl Ts {
    /// The instant `micros` microseconds after 1970-01-01T00:00:00Z, clamped to the years that can be written.
    pub fn from_micros(micros: i64) -> Self {
        Self(jiff::Timestamp::from_microsecond(micros.max(EARLIEST_MICROS)).unwrap_or(jiff::Timestamp::MAX))
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub fn micros(self) -> i64 {
        self.0.as_microsecond()
    }

    /// Seconds since 1970-01-01T00:00:00Z, with the fraction.
    pub fn unix_seconds(self) -> f64 {
        self.micros() as f64 / 1e6
    }

    /// The instant as the time library's own type.
    pub fn timestamp(self) -> jiff::Timestamp {
        self.0
    }

    /// This instant moved by `seconds`, which may be negative.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_micros(self.micros().saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// Seconds from `earlier` to this instant; negative when `earlier` is later.
    pub fn seconds_since(self, earlier: Self) -> f64 {
        (self.micros() - earlier.micros()) as f64 / 1e6
    }
}

impl From<jiff::Timestamp> for Ts {
    /// Cuts to microseconds.
    fn from(value: jiff::Timestamp) -> Self {
        Self::from_micros(value.as_microsecond())
    }
}

impl std::fmt::Debug for Ts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::fmt::Display for Ts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// What is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotATime;

impl std::fmt::Display for NotATime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("must be an RFC 3339 time such as 2026-01-24T12:00:00Z")
    }
}

impl std::str::FromStr for Ts {
    type Err = NotATime;

    /// Reads RFC 3339 (5.6) and nothing else; its last day, which is beyond what can be stored, is the last instant.
    fn from_str(text: &str) -> Result<Self, NotATime> {
        if !is_rfc3339(text) {
            return Err(NotATime);
        }
        match text.parse::<jiff::Timestamp>() {
            Ok(instant) => Ok(Self::from(instant)),
            Err(_) if text.starts_with("9999-12-3") => Ok(Self(jiff::Timestamp::MAX)),
            Err(_) => Err(NotATime),
        }
    }
}

/// Whether a text has the form of RFC 3339, whatever its digits say.
fn is_rfc3339(text: &str) -> bool {
    const FORM: &[u8] = b"0000-00-00T00:00:00";
    let fits = |(form, byte): (&u8, &u8)| match form {
        b'0' => byte.is_ascii_digit(),
        b'T' => b"Tt ".contains(byte),
        other => other == byte,
    };
    let Some((begin, rest)) = text.as_bytes().split_at_checked(FORM.len()) else { return false };
    let digits = rest
        .strip_prefix(b".")
        .map_or(0, |rest| rest.iter().take_while(|byte| byte.is_ascii_digit()).count());
    let (_, zone) = rest.split_at(if digits > 0 { digits + 1 } else { 0 });
    let is_zone = match zone {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => [h1, h2, m1, m2].into_iter().all(u8::is_ascii_digit),
        _ => false,
    };
    FORM.iter().zip(begin).all(fits) && is_zone
}

impl<'de> Deserialize<'de> for Ts {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Type<Postgres> for Ts {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(1184))
    }
}

impl PgHasArrayType for Ts {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(1185))
    }
}

impl Encode<'_, Postgres> for Ts {
    fn encode_by_ref(&self, buf: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Postgres>::encode_by_ref(&(self.micros() - POSTGRES_EPOCH_MICROS), buf)
    }
}

impl Decode<'_, Postgres> for Ts {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        let micros = <i64 as Decode<Postgres>>::decode(value)?;
        Ok(Self::from_micros(micros.saturating_add(POSTGRES_EPOCH_MICROS)))
    }
}

impl Type<Sqlite> for Ts {
    fn type_info() -> SqliteTypeInfo {
        <i64 as Type<Sqlite>>::type_info()
    }
}

impl Encode<'_, Sqlite> for Ts {
    fn encode_by_ref(&self, buf: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Sqlite>::encode_by_ref(&self.micros(), buf)
    }
}

impl Decode<'_, Sqlite> for Ts {
    fn decode(value: SqliteValueRef<'_>) -> Result<Self, BoxDynError> {
        <i64 as Decode<Sqlite>>::decode(value).map(Self::from_micros)
    }
}

/// Where the time comes from: the machine, or a test's hand.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// The machine's clock, but wrong by so many seconds: what a replica with a bad clock sees.
    Wrong(i64),
    /// Microseconds since 1970, moved only by [`Clock::advance`].
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `start` until it is advanced.
    pub fn manual(start: Ts) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(start.micros())))
    }

    /// The current instant, cut to microseconds.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else is given")]
    pub fn now(&self) -> Ts {
        match self {
            Self::System => jiff::Timestamp::now().into(),
            Self::Wrong(seconds) => Ts::from(jiff::Timestamp::now()).plus_seconds(*seconds),
            Self::Manual(micros) => Ts::from_micros(micros.load(Ordering::SeqCst)),
        }
    }

    /// Moves a manual clock forward by `seconds`; the machine's clock is left alone.
    pub fn advance(&self, seconds: f64) {
        if let Self::Manual(micros) = self {
            micros.fetch_add((seconds * 1e6) as i64, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_3339_is_read_and_nothing_else() {
        for (text, micros) in [
            ("1970-01-01T00:00:01Z", 1_000_000),
            ("1970-01-01t00:00:00.123456789z", 123_456),
            ("1970-01-01 01:00:00+01:00", 0),
            ("9999-12-31T23:59:59Z", jiff::Timestamp::MAX.as_microsecond()),
        ] {
            assert_eq!(text.parse().map(Ts::micros), Ok(micros), "{text}");
        }
        for text in [
            "",
            "yesterday",
            "20261127T080000Z",
            "2026-11-27T08:00Z",
            "+002026-11-27T08:00:00Z",
            "2026-11-27T08:00:00Z[UTC]",
            "2026-11-27T08:00:00",
            "2026-11-27T08:00:00.Z",
            "2026-13-27T08:00:00Z",
            "2026-02-30T08:00:00Z",
        ] {
            assert_eq!(text.parse::<Ts>(), Err(NotATime), "{text}");
        }
    }
}
