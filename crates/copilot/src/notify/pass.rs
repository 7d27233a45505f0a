//! One look at what happened in a channel's project: decides what is told, and notes it down together with how far it looked.

use std::collections::BTreeMap;
use std::time::Duration;

use outbox::{Event, Ts, Tx, event as events, sabotage};
use serde::Deserialize;
use serde_json::Value;

use super::decide::{LIKELY, Rules, Touched};
use super::facts::{Facts, Project};
use super::group::{self, Told};
use super::store::pass::{self as store, Due, Mark};
use super::store::sent::{self, New};
use super::store::{Row, drop_waiting};
use super::verdict::patience_s;
use super::{ChannelKind, NotificationStatus, Tell, What};
use crate::app::App;
use crate::error::Result;
use crate::event;
use crate::ids::{AnalysisId, IncidentId, NotificationId, ProjectId, TenantId};

/// Seconds between two passes that told something, so that a storm is a few messages.
const PACE_S: i64 = 10;

/// Seconds between two passes that told nothing.
const IDLE_S: i64 = 1;

/// For how long a claimed channel is told by nobody else, from its last step on; a request takes up to ten seconds.
const LEASE: Duration = Duration::from_secs(20);

/// Events of a page.
const PAGE: i64 = 1_000;

/// Pages of one pass.
const PAGES: usize = 20;

/// How many notifications may wait in a channel; more are folded into one.
const MOST_WAITING: usize = 100;

/// Why a folded notification is not sent.
const FOLDED: &str = "more than 100 waited in this channel; one digest says it in their place";

/// What the events since the last pass said.
#[derive(Debug, Default)]
struct News {
    /// How far they were read.
    seen: i64,
    /// How many were gone before.
    missed: i64,
    /// By incident.
    touched: BTreeMap<IncidentId, Touched>,
    /// The newest analysis that ended, if it named a cause that is likely enough.
    likely: BTreeMap<IncidentId, Option<AnalysisId>>,
}

#[derive(Deserialize)]
struct Changed {
    id: IncidentId,
    open: bool,
}

#[derive(Deserialize)]
struct Explained {
    incident_id: IncidentId,
    analysis_id: AnalysisId,
    status: String,
    top: Option<Top>,
}

#[derive(Deserialize)]
struct Top {
    confidence_score: f64,
}

/// A channel that is held, with what it is to send.
#[derive(Debug)]
pub struct Held {
    /// Whose it is.
    pub tenant: TenantId,
    /// The channel.
    pub row: Row,
}

/// Seconds for which a channel is held.
pub fn lease_s() -> i64 {
    sabotage::hurried(LEASE).as_secs().cast_signed()
}

/// Looks at what is new for a due channel, and holds it to send what waits; `None` when somebody else has it.
///
/// # Errors
/// When the database refused; nothing was noted down then.
pub async fn look(app: &App, due: &Due) -> Result<Option<Held>> {
    let tenant = due.tenant_id;
    let mut tx = app.db.read(tenant.0).await?;
    let Some(row) = store::channel(&mut tx, tenant, due.id).await? else { return Ok(None) };
    let news = read(&mut tx, tenant, &row).await?;
    drop(tx);
    let mut tx = app.db.begin(tenant.0).await?;
    let lease_until = tx.now().plus_seconds(lease_s());
    let Some(row) = store::claim(&mut tx, tenant, row.id, row.seen, lease_until).await? else {
        return Ok(None);
    };
    if news.seen != row.seen {
        note_down(app, &mut tx, tenant, &row, news).await?;
    }
    sabotage::point("notify.decided").await?;
    tx.commit().await?;
    Ok(Some(Held { tenant, row }))
}

/// What the events say that a channel has not seen.
async fn read(tx: &mut Tx, tenant: TenantId, row: &Row) -> Result<News> {
    let stream = event::stream(tenant, row.project_id);
    let head = events::head(tx, stream).await?;
    let mut news = News { seen: row.seen, ..News::default() };
    if head.seq < row.seen {
        // Numbers began anew, as after a restore: what was is not told again.
        news.seen = head.seq;
        return Ok(news);
    }
    if let Some(oldest) = store::oldest_event(tx, tenant, row.project_id).await? {
        news.missed = (oldest - 1 - row.seen).max(0);
    } else {
        // All of them are gone.
        news.missed = head.seq - row.seen;
        news.seen = head.seq;
    }
    for _ in 0..PAGES {
        let page = events::after(tx, stream, news.seen, PAGE).await?;
        let Some(last) = page.last() else { break };
        news.seen = last.seq;
        page.into_iter().for_each(|event| news.hear(event));
    }
    Ok(news)
}

impl News {
    fn hear(&mut self, event: Event) {
        let Event { kind, data, .. } = event;
        match kind.as_str() {
            "incident.created" | "incident.updated" => self.hear_incident(&kind, data.0),
            "hypothesis.generated" => {
                if let Ok(explained) = serde_json::from_value::<Explained>(data.0) {
                    let sure = explained.top.is_some_and(|top| top.confidence_score >= LIKELY);
                    let likely = (explained.status == "completed" && sure).then_some(explained.analysis_id);
                    self.touched.entry(explained.incident_id).or_default();
                    self.likely.insert(explained.incident_id, likely);
                }
            }
            _ => {}
        }
    }

    fn hear_incident(&mut self, kind: &str, data: Value) {
        let Ok(changed) = serde_json::from_value::<Changed>(data) else { return };
        let touched = self.touched.entry(changed.id).or_default();
        touched.created |= kind == "incident.created";
        touched.was_open |= changed.open;
    }
}

/// Decides, and writes down what is to be sent and how far it was looked.
async fn note_down(app: &App, tx: &mut Tx, tenant: TenantId, row: &Row, news: News) -> Result<()> {
    let now = tx.now();
    let mut told_something = false;
    if let Some(name) = store::project_name(tx, tenant, row.project_id).await? {
        let place = Place::of(app, row.project_id, name);
        let messages = decide(tx, tenant, row, &place, &news).await?;
        told_something = !messages.is_empty();
        let waiting = |facts: Facts| new(facts, now);
        let all: Vec<New> = messages.into_iter().map(waiting).collect();
        sent::insert(tx, tenant, (row.project_id, row.id), &all).await?;
        if told_something {
            fold(tx, tenant, row, &place).await?;
        }
    } else {
        drop_waiting(tx, tenant, row.id, "the project was deleted").await?;
    }
    let next = now.plus_seconds(if told_something { PACE_S } else { IDLE_S });
    Ok(store::advance(tx, tenant, row.id, news.seen, next).await?)
}

/// A notification that waits to be sent.
fn new(facts: Facts, now: Ts) -> New {
    New {
        id: NotificationId::new(),
        give_up_at: now.plus_seconds(patience_s(facts.what)),
        status: NotificationStatus::Waiting,
        detail: "it waits to be sent".to_owned(),
        status_code: None,
        facts,
    }
}

/// The project and where its incidents are shown.
pub struct Place {
    /// The project.
    pub project: Project,
    /// Where all of its incidents are shown.
    pub list: String,
}

impl Place {
    /// A project of this name.
    pub fn of(app: &App, id: ProjectId, name: String) -> Self {
        Self { project: Project { id, name }, list: format!("{}/incidents", app.config.public_url()) }
    }
}

/// What is told of all that happened, in order; remembers it.
async fn decide(tx: &mut Tx, tenant: TenantId, row: &Row, place: &Place, news: &News) -> Result<Vec<Facts>> {
    let rules = Rules { kind: row.kind, min_severity: row.min_severity, services: row.services.0.clone() };
    let ids: Vec<IncidentId> = news.touched.keys().copied().collect();
    let briefs = store::briefs(tx, tenant, row.project_id, &ids, &place.list).await?;
    let known = store::marks(tx, tenant, row.id, &ids).await?;
    let known: BTreeMap<IncidentId, Mark> = known.into_iter().map(|mark| (mark.incident_id, mark)).collect();
    let (mut told, mut marks) = (Vec::new(), BTreeMap::new());
    for one in briefs {
        let cause = match news.likely.get(&one.id).copied().flatten() {
            Some(analysis) if one.open => store::cause(tx, tenant, analysis).await?,
            _ => None,
        };
        let touched = news.touched.get(&one.id).copied().unwrap_or_default();
        let likely = cause.as_ref().map(|(key, _)| key.as_str());
        let (mark, tellings) = rules.step(&one, touched, known.get(&one.id), likely);
        marks.extend(mark.map(|mark| (one.id, mark)));
        let wanted = |what: What| row.tells.iter().any(|tell: &Tell| What::from(*tell) == what);
        told.extend(tellings.into_iter().filter(|telling| wanted(telling.what)).map(|telling| {
            let cause =
                cause.as_ref().filter(|_| telling.what == What::Cause).map(|(_, cause)| cause.clone());
            Told { one: one.clone(), telling, cause }
        }));
    }
    let grouped = group::group(row.kind, &place.project, &place.list, &told);
    for id in &grouped.digested {
        if let Some(mark) = marks.get_mut(id) {
            mark.digested = true;
        }
    }
    let marks: Vec<Mark> = marks.into_values().collect();
    store::save_marks(tx, tenant, row.id, &marks).await?;
    let mut messages = grouped.messages;
    let ended = |mark: &Mark| {
        !mark.open && known.get(&mark.incident_id).is_some_and(|before| before.digested && before.open)
    };
    if row.kind == ChannelKind::Pagerduty
        && marks.iter().any(ended)
        && !store::any_digested(tx, tenant, row.id).await?
    {
        messages.push(group::storm_over(&place.project, &place.list));
    }
    if news.missed > 0 {
        messages.insert(0, group::missed(&place.project, &place.list, news.missed));
    }
    Ok(messages)
}

/// Folds what waits into one message when it is too much.
async fn fold(tx: &mut Tx, tenant: TenantId, row: &Row, place: &Place) -> Result<()> {
    let waiting = sent::foldable(tx, tenant, row.id, row.kind).await?;
    if waiting.len() <= MOST_WAITING {
        return Ok(());
    }
    let ids: Vec<NotificationId> = waiting.iter().map(|(id, ..)| *id).collect();
    sent::fold(tx, tenant, &ids, FOLDED).await?;
    metrics::counter!("sre_copilot_notifications_total", "kind" => row.kind.as_str(), "outcome" => "dropped")
        .increment(ids.len() as u64);
    let dropped: Vec<(What, Vec<i64>)> =
        waiting.into_iter().map(|(_, what, numbers)| (what, numbers)).collect();
    let facts = group::folded(&place.project, &place.list, &dropped, true);
    let now = tx.now();
    Ok(sent::insert(tx, tenant, (row.project_id, row.id), &[new(facts, now)]).await?)
}
