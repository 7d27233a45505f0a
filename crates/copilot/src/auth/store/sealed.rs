//! Everything that is sealed, by what it begins with: the master key that it was sealed with.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use outbox::{Tx, TxConn, on_tx};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::auth::idempotency;
use crate::auth::seal::{Mark, Place};
use crate::ids::TenantId;

/// A sealed value and where it is.
#[derive(Clone, Debug)]
pub(in crate::auth) struct Value {
    /// Its row's place in the table.
    spot: String,
    /// The row that it was sealed for.
    pub row: Uuid,
    pub sealed: Vec<u8>,
}

/// Answers are kept as base64: six digits of it tell form and key but for four bits.
const DIGITS: usize = 6;

/// Whether the marks of two keys are the same in some form.
pub(in crate::auth) fn are_alike(one: Mark, other: Mark) -> bool {
    digits(one) == digits(other)
}

fn digits(mark: Mark) -> String {
    STANDARD.encode(mark).chars().take(DIGITS).collect()
}

/// How a value of a place begins, as SQL.
fn beginning(place: Place) -> String {
    let length = if place == Place::Answer { DIGITS } else { Mark::default().len() };
    format!("substr({}, 1, {length})", place.column())
}

/// Binds a mark as the column of `place` has it.
macro_rules! bind_mark {
    ($query:expr, $place:expr, $mark:expr) => {
        if $place == Place::Answer { $query.bind(digits($mark)) } else { $query.bind($mark.to_vec()) }
    };
}

/// The tenants with values of a place that begin with `mark`.
pub(in crate::auth) async fn tenants(tx: &mut Tx, place: Place, mark: Mark) -> sqlx::Result<Vec<TenantId>> {
    let (table, beginning) = (place.table(), beginning(place));
    let sql = format!("select distinct tenant_id from {table} where {beginning} = $1");
    on_tx!(tx, c => bind_mark!(sqlx::query_scalar(AssertSqlSafe(sql)), place, mark).fetch_all(c).await)
}

/// How many values begin with another mark.
pub(in crate::auth) async fn count_others(tx: &mut Tx, mark: Mark) -> sqlx::Result<i64> {
    let mut all = 0;
    for place in Place::ALL {
        let (table, beginning) = (place.table(), beginning(place));
        let sql = format!("select count(*) from {table} where {beginning} <> $1");
        all += on_tx!(tx, c => bind_mark!(sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql)), place, mark)
            .fetch_one(c).await)?;
    }
    Ok(all)
}

/// Values of a place that begin with `mark`: at most `limit` behind the first `skip`.
pub(in crate::auth) async fn find(
    tx: &mut Tx,
    tenant: TenantId,
    place: Place,
    mark: Mark,
    (skip, limit): (i64, i64),
) -> sqlx::Result<Vec<Value>> {
    let (spot, text) = match tx.conn() {
        TxConn::Postgres(_) => ("ctid", "ctid::text"),
        TxConn::Sqlite(_) => ("rowid", "cast(rowid as text)"),
    };
    let (table, column, row, beginning) = (place.table(), place.column(), row(place), beginning(place));
    let sql = format!(
        "select {text}, {row}, {column} from {table} where tenant_id = $1 and {beginning} = $2
         order by {spot} limit $3 offset $4"
    );
    if place == Place::Answer {
        let found: Vec<(String, String, String)> = on_tx!(tx, c => sqlx::query_as(AssertSqlSafe(sql))
            .bind(tenant).bind(digits(mark)).bind(limit).bind(skip).fetch_all(c).await)?;
        let value = |(spot, name, text): (String, String, String)| Value {
            spot,
            row: idempotency::row(&name),
            sealed: STANDARD.decode(text).unwrap_or_default(),
        };
        return Ok(found.into_iter().map(value).collect());
    }
    let found: Vec<(String, Uuid, Vec<u8>)> = on_tx!(tx, c => sqlx::query_as(AssertSqlSafe(sql))
        .bind(tenant).bind(mark.to_vec()).bind(limit).bind(skip).fetch_all(c).await)?;
    Ok(found.into_iter().map(|(spot, row, sealed)| Value { spot, row, sealed }).collect())
}

/// Puts `anew` in the place of a value, unless that has changed; says how many were.
pub(in crate::auth) async fn replace(
    tx: &mut Tx,
    tenant: TenantId,
    place: Place,
    value: &Value,
    anew: &[u8],
) -> sqlx::Result<u64> {
    let (table, column) = (place.table(), place.column());
    let at = match tx.conn() {
        TxConn::Postgres(_) => "ctid = $2::tid",
        TxConn::Sqlite(_) => "rowid = cast($2 as integer)",
    };
    let sql = format!("update {table} set {column} = $3 where tenant_id = $1 and {at} and {column} = $4");
    on_tx!(tx, c => {
        let query = sqlx::query(AssertSqlSafe(sql)).bind(tenant).bind(&value.spot);
        let query = if place == Place::Answer {
            query.bind(STANDARD.encode(anew)).bind(STANDARD.encode(&value.sealed))
        } else {
            query.bind(anew).bind(&value.sealed)
        };
        query.execute(c).await.map(|done| done.rows_affected())
    })
}

/// What names the row that a value is sealed for.
fn row(place: Place) -> &'static str {
    match place {
        Place::WebhookToken => "integration_id",
        Place::Answer => "principal || '|' || key",
        Place::Credential | Place::ChannelTarget | Place::ChannelSigning | Place::ChannelOldSigning => "id",
    }
}
