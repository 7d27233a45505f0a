//! What is told when the server itself is in trouble: from memory, because the database may be what is away.
//!
//! While the database answers, every process that tells remembers whom to tell. When it has not answered for a while, each tells
//! its channels once, and once when it is back. Several processes notice the same: with Redis one of them tells, without it each
//! does, under a name of its own for a webhook and as one alert for PagerDuty.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use outbox::{Ts, sabotage};
use tokio_util::sync::CancellationToken;

use super::facts::{Facts, Fault, Message, Project, span};
use super::send::{Line, count};
use super::store::sent::{self, New};
use super::store::{Row, watching};
use super::verdict::{Verdict, judge};
use super::{NotificationStatus, What};
use crate::app::App;
use crate::config::Config;
use crate::error::{Result, defects};
use crate::ids::{NotificationId, TenantId};

/// How often the database is asked whether it is there.
const EVERY: Duration = Duration::from_secs(3);

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long the database may not answer before that is told.
const AWAY: Duration = Duration::from_secs(15);

/// How often whom to tell is read anew.
const REMEMBERED: Duration = Duration::from_secs(30);

/// How often defects are told at most.
const DEFECTS: Duration = Duration::from_secs(3_600);

/// Channels that are told at once.
const AT_ONCE: usize = 32;

/// Attempts to tell one channel.
const ATTEMPTS: usize = 3;

/// How long to wait between them.
const AGAIN: Duration = Duration::from_secs(5);

/// How long a sign that somebody tells stays up.
const SIGN: Duration = Duration::from_secs(600);

/// Whether the database answers.
#[derive(Debug, Default)]
pub(super) struct Watch {
    since: Option<Instant>,
    told: bool,
}

/// What is to be told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing.
    Nothing,
    /// That it has not answered for so long.
    Away(Duration),
    /// That it answers again after so long.
    Back(Duration),
}

impl Watch {
    /// Notes whether it answered at `now`.
    pub(super) fn hear(&mut self, well: bool, now: Instant) -> Turn {
        if well {
            let since = self.since.take();
            return match since.filter(|_| std::mem::take(&mut self.told)) {
                Some(since) => Turn::Back(now.duration_since(since)),
                None => Turn::Nothing,
            };
        }
        let lasts = now.duration_since(*self.since.get_or_insert(now));
        if lasts < sabotage::hurried(AWAY) || self.told {
            return Turn::Nothing;
        }
        self.told = true;
        Turn::Away(lasts)
    }
}

/// Somebody to tell.
#[derive(Clone, Debug)]
struct Listener {
    tenant: TenantId,
    row: Row,
    line: Line,
    project: Project,
}

/// What was told to somebody.
struct Said {
    listener: Listener,
    id: NotificationId,
    facts: Facts,
    verdict: Verdict,
}

/// Watches until `stop`.
pub async fn run(app: App, stop: CancellationToken) {
    let (mut watch, mut known, mut read_at) = (Watch::default(), Vec::new(), None::<Instant>);
    let mut said: Vec<Said> = Vec::new();
    let (mut seen_defects, mut told_defects) = (defects(), None::<Instant>);
    let mut ticks = tokio::time::interval(sabotage::hurried(EVERY));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let asked = tokio::time::timeout(PATIENCE, app.db.read_unscoped()).await;
        let (well, now) = (matches!(asked, Ok(Ok(_))), Instant::now());
        drop(asked);
        if well && read_at.is_none_or(|at| now.duration_since(at) >= sabotage::hurried(REMEMBERED)) {
            // Whoever was known stays so when they can't be read.
            if let Ok(listeners) = remember(&app).await {
                (known, read_at) = (listeners, Some(now));
            }
        }
        match watch.hear(well, now) {
            Turn::Nothing => {}
            Turn::Away(lasts) => {
                tracing::error!(channels = known.len(), "the database is away; that is told");
                said = tell(&app, &known, &away(&app, lasts)).await;
            }
            Turn::Back(lasts) => {
                let told = std::mem::take(&mut said);
                let took = told.iter().filter(|one| matches!(one.verdict, Verdict::Sent { .. }));
                let listeners: Vec<Listener> = took.map(|one| one.listener.clone()).collect();
                let back = say(&app, &listeners, &back(&app, lasts)).await;
                record(&app, told.into_iter().chain(back)).await;
            }
        }
        let all = defects();
        if well && all > seen_defects && told_defects.is_none_or(|at| now.duration_since(at) >= DEFECTS) {
            let told = tell(&app, &known, &broken(&app, all - seen_defects)).await;
            record(&app, told.into_iter()).await;
            (seen_defects, told_defects) = (all, Some(now));
        }
    }
}

async fn remember(app: &App) -> Result<Vec<Listener>> {
    let mut tx = app.db.read_across("notify").await?;
    let now = tx.now();
    let rows = watching(&mut tx).await?;
    let opened = rows.into_iter().filter_map(|one| {
        // One that can't be opened is told of where it is sent to.
        let line = Line::open(&app.keys, one.tenant_id, &one.row, now).ok()?;
        let project = Project { id: one.row.project_id, name: one.project_name };
        Some(Listener { tenant: one.tenant_id, row: one.row, line, project })
    });
    Ok(opened.collect())
}

/// What is said of a fault, whoever is told.
#[derive(Clone, Debug)]
struct Story {
    title: String,
    note: String,
    fault: Fault,
    url: String,
}

fn ago(app: &App, lasts: Duration) -> Ts {
    app.clock().now().plus_seconds(-lasts.as_secs().cast_signed())
}

/// What becomes of alerts while the database is away.
pub(super) fn meanwhile(config: &Config) -> &'static str {
    if config.has_spool() {
        "Alerts that arrive are kept on its disk while there is room"
    } else {
        "Alerts that arrive are refused, and most senders try again"
    }
}

fn away(app: &App, lasts: Duration) -> Story {
    let alerts = meanwhile(&app.config);
    Story {
        title: "SRE Copilot can't reach its database".to_owned(),
        note: format!("{alerts}; incidents, analyses and everything else wait until it is back."),
        fault: Fault { kind: "database".to_owned(), since: ago(app, lasts), over: false },
        url: app.config.public_url(),
    }
}

fn back(app: &App, lasts: Duration) -> Story {
    Story {
        title: format!("SRE Copilot reaches its database again after {}", span(lasts.as_secs_f64())),
        note: "What waited is being worked on.".to_owned(),
        fault: Fault { kind: "database".to_owned(), since: ago(app, lasts), over: true },
        url: app.config.public_url(),
    }
}

fn broken(app: &App, times: u64) -> Story {
    Story {
        title: format!("SRE Copilot failed to answer {times} requests by a defect of its own"),
        note:
            "Its log has each as \"request failed\" with its request id. This is told once an hour at most."
                .to_owned(),
        fault: Fault { kind: "defect".to_owned(), since: app.clock().now(), over: false },
        url: app.config.public_url(),
    }
}

/// Says it to those whom no other process tells.
async fn tell(app: &App, listeners: &[Listener], story: &Story) -> Vec<Said> {
    let mut ours = Vec::new();
    for one in listeners {
        let key = format!("notify:fault:{}:{}", story.fault.kind, one.row.id);
        // The sign falls by itself: it keeps others from telling the same now, not from telling the next.
        let free = !app.redis.is_configured()
            || app.redis.lock(key.clone(), SIGN).await.is_some()
            || !app.redis.is_locked(&key).await;
        if free {
            ours.push(one.clone());
        }
    }
    say(app, &ours, story).await
}

async fn say(app: &App, listeners: &[Listener], story: &Story) -> Vec<Said> {
    let each: Vec<_> = listeners.iter().map(|one| say_to(app.clone(), one.clone(), story.clone())).collect();
    futures_util::stream::iter(each).buffer_unordered(AT_ONCE).collect().await
}

async fn say_to(app: App, listener: Listener, story: Story) -> Said {
    let facts = Facts {
        note: Some(story.note),
        fault: Some(story.fault),
        ..Facts::new(What::Fault, story.title, &listener.project, &story.url)
    };
    let (id, now) = (NotificationId::new(), app.clock().now());
    let (channel, name) = (listener.row.id, listener.row.name.as_str());
    let message = Message { id, channel, channel_name: name, created_at: now, facts: &facts };
    let mut attempts = 0;
    let verdict = loop {
        let answered = listener.line.send(&app.outbound, &message, app.clock().now()).await;
        let verdict = judge(listener.row.kind, answered.as_ref());
        attempts += 1;
        if !matches!(verdict, Verdict::Later { .. }) || attempts >= ATTEMPTS {
            break verdict;
        }
        if app.stop.run_until_cancelled(tokio::time::sleep(AGAIN)).await.is_none() {
            break verdict;
        }
    };
    Said { listener, id, facts, verdict }
}

/// Notes down what was told while the database was away.
async fn record(app: &App, said: impl Iterator<Item = Said>) {
    for one in said {
        if let Err(error) = record_one(app, one).await {
            tracing::warn!(error = error.cause(), "what was told of a fault could not be noted down");
        }
    }
}

async fn record_one(app: &App, said: Said) -> Result<()> {
    let Said { listener: Listener { tenant, row, .. }, id, facts, verdict } = said;
    let mut tx = app.db.begin(tenant.0).await?;
    let (status, status_code, detail) = match verdict {
        Verdict::Sent { status } => (NotificationStatus::Sent, Some(status), "it was taken".to_owned()),
        Verdict::Refused { status, why } | Verdict::Later { status, why, .. } => {
            (NotificationStatus::Failed, status, why)
        }
    };
    count(row.kind, if status == NotificationStatus::Sent { "sent" } else { "failed" }, 1);
    let new =
        New { id, facts, status, detail, status_code: status_code.map(i64::from), give_up_at: tx.now() };
    sent::insert(&mut tx, tenant, (row.project_id, row.id), &[new]).await?;
    Ok(tx.commit().await?)
}
