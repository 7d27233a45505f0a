//! Sends what waits in a channel that is held, one after another, with no transaction open meanwhile.

use std::time::{Duration, Instant};

use outbox::{Ts, sabotage};

use super::facts::{Message, Request};
use super::pass::{Held, lease_s};
use super::store::Row;
use super::store::pass::release;
use super::store::sent::{self, Attempt, Waiting};
use super::target::{Signing, Target, open_signing};
use super::verdict::{STUBBORN, Verdict, backoff_s, judge};
use super::{ChannelKind, NotificationStatus, pagerduty, slack, webhook};
use crate::app::App;
use crate::auth::Keys;
use crate::error::Result;
use crate::ids::TenantId;
use crate::outbound::{Failure, Outbound, Posted};

/// For how long one process sends to a channel before it looks at what else happened.
const TURN: Duration = Duration::from_secs(15);

/// Seconds for which a channel is left alone when everything that waits in it waits for its own time.
const REST_S: i64 = 1;

/// What a channel is reached by, opened.
#[derive(Clone, Debug)]
pub struct Line {
    /// What it leads to.
    pub kind: ChannelKind,
    /// Where.
    pub target: Target,
    /// What signs, the newest first.
    pub secrets: Vec<String>,
}

impl Line {
    /// Opens what is sealed in a channel's row, as of `now`.
    ///
    /// # Errors
    /// When it was sealed with another key.
    pub fn open(keys: &Keys, tenant: TenantId, row: &Row, now: Ts) -> Result<Self> {
        let mut secrets = Vec::new();
        if let Some(sealed) = &row.signing {
            secrets.push(open_signing(keys, tenant, row.id, Signing::Current, sealed)?);
        }
        if let Some(sealed) = &row.old_signing
            && row.old_signing_until.is_some_and(|until| now < until)
        {
            secrets.push(open_signing(keys, tenant, row.id, Signing::Old, sealed)?);
        }
        let target = Target::open(keys, tenant, row.id, &row.target)?;
        Ok(Self { kind: row.kind, target, secrets })
    }

    /// Sends a message; the address is checked again.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send(&self, outbound: &Outbound, message: &Message<'_>, now: Ts) -> Result<Posted, Failure> {
        let Request { headers, body } = match self.kind {
            ChannelKind::Slack => slack::render(message),
            ChannelKind::Pagerduty => {
                pagerduty::render(message, self.target.routing_key.as_deref().unwrap_or_default())
            }
            ChannelKind::Webhook => webhook::render(message, &self.secrets, now),
        };
        outbound.post_exact(&self.target.url, &headers, body).await
    }
}

/// Sends what waits until nothing does, the receiver takes nothing, or its turn is over; then lets the channel go.
///
/// # Errors
/// When the database refused; the channel is free when its lease runs out.
pub async fn send(app: &App, held: Held) -> Result<()> {
    let Held { tenant, mut row } = held;
    let begun = Instant::now();
    let mut tx = app.db.begin(tenant.0).await?;
    let line = Line::open(&app.keys, tenant, &row, tx.now());
    let given_up = sent::give_up(&mut tx, tenant, row.id).await?;
    tx.commit().await?;
    count(row.kind, "failed", given_up);
    while begun.elapsed() < TURN && !app.stop.is_cancelled() {
        let mut tx = app.db.read(tenant.0).await?;
        let (next, now) = (sent::next(&mut tx, tenant, row.id).await?, tx.now());
        drop(tx);
        let Some(next) = next.filter(|_| row.retry_at <= now) else { break };
        let verdict = match &line {
            Ok(line) => attempt(app, line, &row, &next, now).await,
            Err(_) => Verdict::Refused { status: None, why: UNREADABLE.to_owned() },
        };
        sabotage::point("notify.sent").await?;
        if !settle(app, tenant, &mut row, &next, verdict).await? {
            return Ok(());
        }
        if row.failures > 0 {
            // It is asked again when it is time to.
            break;
        }
    }
    let mut tx = app.db.begin(tenant.0).await?;
    let rested = tx.now().plus_seconds(REST_S);
    sent::rest(&mut tx, tenant, row.id, rested).await?;
    release(&mut tx, tenant, row.id, row.fence).await?;
    Ok(tx.commit().await?)
}

/// Why a channel whose secrets can't be opened is told nothing.
pub const UNREADABLE: &str = "its address can't be opened with this master key; enter it again";

async fn attempt(app: &App, line: &Line, row: &Row, next: &Waiting, now: Ts) -> Verdict {
    let message = Message {
        id: next.id,
        channel: row.id,
        channel_name: &row.name,
        created_at: next.created_at,
        facts: &next.facts,
    };
    let answered = line.send(&app.outbound, &message, now).await;
    judge(row.kind, answered.as_ref())
}

/// Notes down what became of an attempt and holds the channel on; `false` when somebody else has it by now, who sends the same
/// message under the same name.
async fn settle(
    app: &App,
    tenant: TenantId,
    row: &mut Row,
    next: &Waiting,
    verdict: Verdict,
) -> Result<bool> {
    let mut tx = app.db.begin(tenant.0).await?;
    let now = tx.now();
    if !sent::hold(&mut tx, tenant, row.id, row.fence, now.plus_seconds(lease_s())).await? {
        return Ok(false);
    }
    let (attempt, outcome) = match verdict {
        Verdict::Sent { status } => {
            sent::well(&mut tx, tenant, row.id).await?;
            row.failures = 0;
            (attempted(NotificationStatus::Sent, Some(status), "it was taken".to_owned()), "sent")
        }
        Verdict::Refused { status, why } => {
            sent::failing(&mut tx, tenant, row.id, &why, None).await?;
            (attempted(NotificationStatus::Failed, status, why), "failed")
        }
        Verdict::Later { status, why, after_s, everything } => {
            let chance: f64 = rand::random();
            // One message that fails again and again is no reason to hold up the others for long.
            let stubborn = !everything && next.attempts >= STUBBORN;
            let failures = if stubborn { 1 } else { row.failures + 1 };
            let retry_at = now.plus_seconds(backoff_s(failures, after_s, chance));
            sent::failing(&mut tx, tenant, row.id, &why, Some(retry_at)).await?;
            row.failures += 1;
            let own = now.plus_seconds(backoff_s(next.attempts + 1, after_s, chance));
            let at = if everything { retry_at } else { own };
            if at >= next.give_up_at {
                (
                    attempted(
                        NotificationStatus::Failed,
                        status,
                        format!("it could not be delivered in time: {why}"),
                    ),
                    "failed",
                )
            } else {
                let next_attempt_at = (!everything).then_some(own);
                let detail = format!("{why}; it is tried again");
                (
                    Attempt { next_attempt_at, ..attempted(NotificationStatus::Waiting, status, detail) },
                    "retried",
                )
            }
        }
    };
    sent::settle(&mut tx, tenant, next.id, &attempt).await?;
    tx.commit().await?;
    count(row.kind, outcome, 1);
    Ok(true)
}

fn attempted(status: NotificationStatus, status_code: Option<u16>, detail: String) -> Attempt {
    Attempt { status, status_code, detail, next_attempt_at: None }
}

/// Counts what became of notifications.
pub fn count(kind: ChannelKind, outcome: &'static str, times: u64) {
    metrics::counter!("sre_copilot_notifications_total", "kind" => kind.as_str(), "outcome" => outcome)
        .increment(times);
}
