//! Which refusals of a database pass by themselves, and which are the input's.

use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;

/// Codes of PostgreSQL (its documentation, appendix A) that the same transaction may not meet again.
const POSTGRES: [&str; 5] = [
    "25006", // read-only: a standby that has not been promoted
    "25P03", // idle in a transaction for too long
    "55P03", // a lock was not to be had in time
    "57014", // the statement took too long
    "58030", // input or output failed
];

/// Classes of PostgreSQL: connections, serialisation and deadlock, resources, an operator's intervention.
const POSTGRES_CLASSES: [&str; 4] = ["08", "40", "53", "57P"];

/// Primary codes of SQLite: busy, locked, input or output failed, full.
const SQLITE: [i32; 4] = [5, 6, 10, 13];

/// Whether a text held a character that PostgreSQL has no place for: NUL in text (22021) or in JSON (22P05).
pub fn unstorable(refused: &dyn DatabaseError) -> bool {
    refused
        .try_downcast_ref::<PgDatabaseError>()
        .is_some_and(|error| ["22021", "22P05"].contains(&error.code()))
}

/// Whether the same transaction may succeed when it is tried again: it met a deadlock, a time limit or a server that
/// is going away or full, and nothing of it was kept.
pub fn passes(refused: &dyn DatabaseError) -> bool {
    let code = refused.code().unwrap_or_default();
    if refused.try_downcast_ref::<PgDatabaseError>().is_some() {
        return POSTGRES.contains(&code.as_ref())
            || POSTGRES_CLASSES.iter().any(|class| code.starts_with(class));
    }
    // Extended codes keep the primary one in their lowest byte.
    code.parse::<i32>().is_ok_and(|code| SQLITE.contains(&(code & 0xff)))
}
