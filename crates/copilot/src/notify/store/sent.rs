//! All SQL of notifications: what is to be sent, what was sent, and what became of it.

use outbox::{Old, Ts, Tx, TxConn, on_tx, write_all};
use sqlx::types::Json;

use crate::ids::{ChannelId, IncidentId, NotificationId, ProjectId, TenantId};
use crate::notify::facts::Facts;
use crate::notify::{ChannelKind, NotificationStatus, What};

/// A notification to add.
#[derive(Clone, Debug)]
pub struct New {
    /// Names it for good.
    pub id: NotificationId,
    /// What it says.
    pub facts: Facts,
    /// What becomes of it.
    pub status: NotificationStatus,
    /// How that is said.
    pub detail: String,
    /// The status of the answer, if it was sent already.
    pub status_code: Option<i64>,
    /// Until when it is tried.
    pub give_up_at: Ts,
}

/// A notification that waits.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Waiting {
    /// Names it.
    pub id: NotificationId,
    /// What it says.
    pub facts: Json<Facts>,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was decided.
    pub created_at: Ts,
    /// Until when it is tried.
    pub give_up_at: Ts,
}

/// Adds notifications to a channel, in this order.
///
/// # Errors
/// When the database refused.
pub async fn insert(
    tx: &mut Tx,
    tenant: TenantId,
    (project, channel): (ProjectId, ChannelId),
    new: &[New],
) -> sqlx::Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    let count = i64::try_from(new.len()).unwrap_or(i64::MAX);
    let last: Option<i64> = on_tx!(tx, c => sqlx::query_scalar(
        "update notification_channels set place = place + $3 where tenant_id = $1 and id = $2 returning place")
        .bind(tenant).bind(channel).bind(count).fetch_optional(c).await)?;
    // It was removed meanwhile, and nobody is to be told any more.
    let Some(last) = last else { return Ok(()) };
    let placed: Vec<(i64, &New)> = (last - count + 1..).zip(new).collect();
    write_all!(tx, &placed,
        "insert into notifications (tenant_id, id, project_id, channel_id, place, what, incident_id, incident_numbers,
             title, facts, status, attempts, last_status_code, detail, created_at, next_attempt_at, give_up_at, sent_at) ",
        (bind, placed) => {
            let (place, one) = placed;
            let waits = one.status == NotificationStatus::Waiting;
            bind.push_bind(tenant).push_bind(one.id).push_bind(project).push_bind(channel).push_bind(place)
                .push_bind(one.facts.what.as_str()).push_bind(one.facts.incident.as_ref().map(|one| one.id))
                .push_bind(Json(numbers(&one.facts))).push_bind(&one.facts.title).push_bind(Json(&one.facts))
                .push_bind(one.status.as_str()).push_bind(i64::from(!waits)).push_bind(one.status_code)
                .push_bind(&one.detail).push_bind(now).push_bind(waits.then_some(now)).push_bind(one.give_up_at)
                .push_bind((one.status == NotificationStatus::Sent).then_some(now));
        },
        "")
}

fn numbers(facts: &Facts) -> Vec<i64> {
    match (&facts.incident, &facts.digest) {
        (Some(one), _) => vec![one.number],
        (None, Some(digest)) => digest.numbers.clone(),
        (None, None) => Vec::new(),
    }
}

/// The notification that is next: the oldest that is due, none before an earlier one of its incident. One that fails again and
/// again whatever the others do makes way for those of other incidents.
///
/// # Errors
/// When the database refused.
pub async fn next(tx: &mut Tx, tenant: TenantId, channel: ChannelId) -> sqlx::Result<Option<Waiting>> {
    let now = tx.now();
    on_tx!(tx, c => sqlx::query_as(
        "select id, facts, attempts, created_at, give_up_at from notifications n
         where tenant_id = $1 and channel_id = $2 and status = 'waiting' and next_attempt_at <= $3
         and not exists (select 1 from notifications before where before.tenant_id = n.tenant_id
             and before.channel_id = n.channel_id and before.status = 'waiting' and before.place < n.place
             and (before.incident_id = n.incident_id
                 or (before.attempts < $4 and (before.incident_id is null or n.incident_id is null))))
         order by next_attempt_at, place limit 1")
        .bind(tenant).bind(channel).bind(now).bind(super::super::verdict::STUBBORN).fetch_optional(c).await)
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// What becomes of the notification.
    pub status: NotificationStatus,
    /// The status of the answer.
    pub status_code: Option<u16>,
    /// How it is said.
    pub detail: String,
    /// When it is tried again; `None` to leave that as it is.
    pub next_attempt_at: Option<Ts>,
}

/// Notes how an attempt ended, if it has not been settled otherwise.
///
/// # Errors
/// When the database refused.
pub async fn settle(
    tx: &mut Tx,
    tenant: TenantId,
    id: NotificationId,
    attempt: &Attempt,
) -> sqlx::Result<()> {
    let now = tx.now();
    let sent_at = (attempt.status == NotificationStatus::Sent).then_some(now);
    let waits = attempt.status == NotificationStatus::Waiting;
    on_tx!(tx, c => sqlx::query(
        "update notifications set status = $3, attempts = attempts + 1, last_status_code = $4, detail = $5,
             next_attempt_at = case when $6 then coalesce($7, next_attempt_at) end, sent_at = $8
         where tenant_id = $1 and id = $2 and status = 'waiting'")
        .bind(tenant).bind(id).bind(attempt.status.as_str()).bind(attempt.status_code.map(i64::from))
        .bind(&attempt.detail).bind(waits).bind(attempt.next_attempt_at).bind(sent_at).execute(c).await.map(drop))
}

/// Whether a channel is still held under `fence`; then it is held until `lease_until`.
///
/// # Errors
/// When the database refused.
pub async fn hold(
    tx: &mut Tx,
    tenant: TenantId,
    channel: ChannelId,
    fence: i64,
    lease_until: Ts,
) -> sqlx::Result<bool> {
    let held = on_tx!(tx, c => sqlx::query(
        "update notification_channels set lease_until = $4 where tenant_id = $1 and id = $2 and fence = $3 and enabled")
        .bind(tenant).bind(channel).bind(fence).bind(lease_until)
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(held == 1)
}

/// Has a channel rest until `until` where something waits in it for its own time.
///
/// # Errors
/// When the database refused.
pub async fn rest(tx: &mut Tx, tenant: TenantId, channel: ChannelId, until: Ts) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query(
        "update notification_channels set retry_at = $3 where tenant_id = $1 and id = $2 and retry_at < $3
         and exists (select 1 from notifications where tenant_id = $1 and channel_id = $2 and status = 'waiting')")
        .bind(tenant).bind(channel).bind(until).execute(c).await.map(drop))
}

/// Notes that a channel took something.
///
/// # Errors
/// When the database refused.
pub async fn well(tx: &mut Tx, tenant: TenantId, channel: ChannelId) -> sqlx::Result<()> {
    let now = tx.now();
    on_tx!(tx, c => sqlx::query(
        "update notification_channels set failures = 0, retry_at = $3, last_success_at = $3, failing_since = null,
             last_error = null
         where tenant_id = $1 and id = $2")
        .bind(tenant).bind(channel).bind(now).execute(c).await.map(drop))
}

/// Notes that a channel took nothing, and why; `retry_at` is when something is tried again, if that was no answer for good.
///
/// # Errors
/// When the database refused.
pub async fn failing(
    tx: &mut Tx,
    tenant: TenantId,
    channel: ChannelId,
    why: &str,
    retry_at: Option<Ts>,
) -> sqlx::Result<()> {
    let now = tx.now();
    let step = i64::from(retry_at.is_some());
    on_tx!(tx, c => sqlx::query(
        "update notification_channels set failures = failures + $3, retry_at = coalesce($4, retry_at),
             failing_since = coalesce(failing_since, $5), last_error = $6
         where tenant_id = $1 and id = $2")
        .bind(tenant).bind(channel).bind(step).bind(retry_at).bind(now).bind(why).execute(c).await.map(drop))
}

/// Ends what has waited for longer than is worth it, and says how much that is.
///
/// # Errors
/// When the database refused.
pub async fn give_up(tx: &mut Tx, tenant: TenantId, channel: ChannelId) -> sqlx::Result<u64> {
    let now = tx.now();
    on_tx!(tx, c => sqlx::query(
        "update notifications set status = 'failed', next_attempt_at = null,
             detail = 'it could not be delivered in time: ' || detail
         where tenant_id = $1 and channel_id = $2 and status = 'waiting' and give_up_at <= $3")
        .bind(tenant).bind(channel).bind(now).execute(c).await.map(|done| done.rows_affected()))
}

/// What waits in a channel of `kind` and may be folded into one message, in order: of PagerDuty not what ends an alert.
///
/// # Errors
/// When the database refused.
pub async fn foldable(
    tx: &mut Tx,
    tenant: TenantId,
    channel: ChannelId,
    kind: ChannelKind,
) -> sqlx::Result<Vec<(NotificationId, What, Vec<i64>)>> {
    let ends = kind == ChannelKind::Pagerduty;
    let rows: Vec<(NotificationId, String, Json<Vec<i64>>)> = on_tx!(tx, c => sqlx::query_as(
        "select id, what, incident_numbers from notifications
         where tenant_id = $1 and channel_id = $2 and status = 'waiting'
         and not ($3 and what in ('resolved', 'acknowledged')) order by place")
        .bind(tenant).bind(channel).bind(ends).fetch_all(c).await)?;
    let known = |(id, what, numbers): (_, String, Json<Vec<i64>>)| Some((id, what.parse().ok()?, numbers.0));
    Ok(rows.into_iter().filter_map(known).collect())
}

/// Drops notifications that are folded into one message.
///
/// # Errors
/// When the database refused.
pub async fn fold(tx: &mut Tx, tenant: TenantId, ids: &[NotificationId], why: &str) -> sqlx::Result<()> {
    for piece in outbox::bulk::pieces(ids) {
        on_tx!(tx, c => {
            let mut query = sqlx::QueryBuilder::new("update notifications set status = 'dropped', next_attempt_at = null, detail = ");
            query.push_bind(why).push(" where tenant_id = ").push_bind(tenant).push(" and id in (");
            let mut list = query.separated(", ");
            for id in piece {
                list.push_bind(*id);
            }
            query.push(")").build().execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// A notification as it is listed.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Listed {
    /// Names it.
    pub id: NotificationId,
    /// Its channel.
    pub channel_id: ChannelId,
    /// Its channel's name.
    pub channel_name: String,
    /// What its channel leads to.
    #[sqlx(try_from = "String")]
    pub channel_kind: ChannelKind,
    /// What it is about.
    #[sqlx(try_from = "String")]
    pub what: What,
    /// The incident, if it is about one.
    pub incident_id: Option<IncidentId>,
    /// The numbers of the incidents that it speaks of.
    pub incident_numbers: Json<Vec<i64>>,
    /// One line that says it.
    pub title: String,
    /// What became of it.
    #[sqlx(try_from = "String")]
    pub status: NotificationStatus,
    /// How often it was tried.
    pub attempts: i64,
    /// The status of the last answer.
    pub last_status_code: Option<i64>,
    /// How that is said.
    pub detail: String,
    /// When it was decided.
    pub created_at: Ts,
    /// When it was taken.
    pub sent_at: Option<Ts>,
    /// When it is tried next.
    pub next_attempt_at: Option<Ts>,
}

macro_rules! listed {
    ($($of:tt)+) => {
        concat!(
            "select n.id, n.channel_id, c.name as channel_name, c.kind as channel_kind, n.what, n.incident_id,
                 n.incident_numbers, n.title, n.status, n.attempts, n.last_status_code, n.detail, n.created_at, n.sent_at,
                 case when n.status = 'waiting' and c.retry_at > n.next_attempt_at then c.retry_at
                     else n.next_attempt_at end as next_attempt_at
             from notifications n
             join notification_channels c on c.tenant_id = n.tenant_id and c.id = n.channel_id
             where n.tenant_id = $1 and c.project_id = $2 and ",
            $($of)+,
            " and (n.created_at < $4 or (n.created_at = $4 and n.id < $5))
             order by n.created_at desc, n.id desc limit $6"
        )
    };
}

/// A place in a list: before it are newer notifications.
pub type Place = (Ts, NotificationId);

/// At most `limit` notifications of a channel, newest first, after a place.
///
/// # Errors
/// When the database refused.
pub async fn of_channel(
    tx: &mut Tx,
    tenant: TenantId,
    (project, channel): (ProjectId, ChannelId),
    (at, id): Place,
    limit: i64,
) -> sqlx::Result<Vec<Listed>> {
    on_tx!(tx, c => sqlx::query_as(listed!("n.channel_id = $3"))
        .bind(tenant).bind(project).bind(channel).bind(at).bind(id).bind(limit).fetch_all(c).await)
}

/// At most `limit` notifications about an incident, digests that name it included, newest first, after a place.
///
/// # Errors
/// When the database refused.
pub async fn of_incident(
    tx: &mut Tx,
    tenant: TenantId,
    (project, incident, number): (ProjectId, IncidentId, i64),
    (at, id): Place,
    limit: i64,
) -> sqlx::Result<Vec<Listed>> {
    const POSTGRES: &str = listed!(
        "(n.incident_id = $3 or (n.incident_id is null and n.project_id = $2 and n.incident_numbers @> to_jsonb($7)))"
    );
    const SQLITE: &str = listed!(
        "(n.incident_id = $3 or (n.incident_id is null and n.project_id = $2
             and exists (select 1 from json_each(n.incident_numbers) where value = $7)))"
    );
    let query = if matches!(tx.conn(), TxConn::Postgres(_)) { POSTGRES } else { SQLITE };
    on_tx!(tx, c => sqlx::query_as(query)
        .bind(tenant).bind(project).bind(incident).bind(at).bind(id).bind(limit).bind(number).fetch_all(c).await)
}

/// How many notifications wait, whoever's, up to 10,000, and when the oldest of them was decided.
///
/// # Errors
/// When the database refused.
pub async fn all_waiting(tx: &mut Tx) -> sqlx::Result<(i64, Option<Ts>)> {
    on_tx!(tx, c => sqlx::query_as(
        "select count(*), min(created_at) from (
             select created_at from notifications where status = 'waiting' limit 10000) waiting")
        .fetch_one(c).await)
}

/// Notifications that nobody will look for.
pub const OLD: Old = Old {
    look_up: "housekeeping",
    table: "notifications",
    rule: "created_at < $1 and status <> 'waiting' order by created_at",
};

/// What channels know of incidents that ended long ago.
pub const OLD_MARKS: Old =
    Old { look_up: "housekeeping", table: "notification_marks", rule: "updated_at < $1 and not open" };
