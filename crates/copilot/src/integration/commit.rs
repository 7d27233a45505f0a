//! One commit: the receipts of the gathered requests, their alerts, the incidents and the events that announce them.

use std::collections::{BTreeMap, BTreeSet};

use outbox::{Ts, Tx, sabotage};
use uuid::Uuid;

use super::deliveries::receipt::{self, Pile};
use super::deliveries::{self, DeliveryResult};
use super::entry::Entry;
use super::inbox::{OVERLOADED, Waiting};
use super::known::{self, Alert, Hit, Lookup};
use super::soon::soon;
use super::store;
use super::token::WRONG;
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::{AlertId, DeliveryId, IntegrationId, ProjectId, TenantId};
use crate::incident::intake::{self, Applied};
use crate::incident::tracked::store::bulk::Heard;

/// How often a commit is tried when another process was faster.
const TRIES: usize = 3;

/// No connection was to be had: no request is tried alone, because none is at fault.
const AWAY: Error = Error::Unavailable("unavailable", "the database is away; send it again");

/// A request that is stored.
type Stored = (DeliveryId, Vec<DeliveryResult>);

/// Stores requests of one project together and answers them; when that fails, each alone, so that one can't cost the
/// others.
pub async fn all(app: &App, gathered: Vec<Waiting>) {
    let (mut entries, replies): (Vec<Entry>, Vec<_>) =
        gathered.into_iter().map(|waiting| (waiting.entry, waiting.reply)).unzip();
    let mut answers: Vec<Result<Stored>> = match in_time(app, &mut entries).await {
        Ok(stored) => stored.into_iter().map(Ok).collect(),
        Err(error) if entries.len() == 1 => vec![Err(error)],
        Err(error) if is_away(&error) => entries.iter().map(|_| Err(AWAY)).collect(),
        Err(_) => {
            let mut answers = Vec::with_capacity(entries.len());
            for entry in &mut entries {
                let alone = in_time(app, std::slice::from_mut(entry)).await;
                answers.push(alone.and_then(|mut one| one.pop().ok_or(OVERLOADED)));
            }
            answers
        }
    };
    for reply in replies.into_iter().rev() {
        // A sender that no longer listens will send it again.
        let _ = reply.send(answers.pop().unwrap_or(Err(OVERLOADED)));
    }
}

async fn in_time(app: &App, entries: &mut [Entry]) -> Result<Vec<Stored>> {
    let Some(limit) = entries.iter().map(|entry| entry.deadline).max() else { return Ok(Vec::new()) };
    match tokio::time::timeout_at(limit, tried(app, entries)).await {
        Ok(stored) => stored,
        Err(_) => Err(Error::Unavailable("unavailable", "it could not be stored in time; send it again")),
    }
}

/// Stores requests of one project together, again when another process was faster.
///
/// # Errors
/// When the database refused; nothing was stored then.
pub async fn tried(app: &App, entries: &mut [Entry]) -> Result<Vec<Stored>> {
    let mut tries = 0;
    loop {
        tries += 1;
        match once(app, entries).await {
            Err(error) if tries < TRIES && is_race(&error) => {}
            done => return done,
        }
    }
}

/// A transaction for `entry` and those with it; given up soon where they can be spooled and have not been.
async fn begin(app: &App, entry: &Entry) -> Result<Tx> {
    let tenant = entry.proof.tenant.0;
    let begun = || async move { Ok(app.db.begin(tenant).await?) };
    let can_wait = app.spool.is_on() && entry.spooled.is_none();
    if can_wait { soon(begun).await.unwrap_or(Err(AWAY)) } else { begun().await }
}

fn is_away(error: &Error) -> bool {
    matches!((error, AWAY), (Error::Unavailable(_, why), Error::Unavailable(_, away)) if *why == away)
}

/// Whether another process was faster: an alert or an incident that was to be new is there by now.
fn is_race(error: &Error) -> bool {
    let Error::Internal(cause) = error else { return false };
    let cause = cause.downcast_ref::<sqlx::Error>().and_then(sqlx::Error::as_database_error);
    cause.is_some_and(|cause| cause.is_unique_violation())
}

/// An integration's requests share a row; one that was spooled has one of its own, under the name that was answered.
type RowKey = (IntegrationId, Option<Uuid>);

fn row_key(entry: &Entry) -> RowKey {
    (entry.proof.integration.id, entry.spooled)
}

/// What the requests of one integration are kept in.
struct Row {
    id: Uuid,
    pile: Pile,
    truncated: i64,
}

async fn once(app: &App, entries: &mut [Entry]) -> Result<Vec<Stored>> {
    let Some(first) = entries.first() else { return Ok(Vec::new()) };
    let (tenant, project) = (first.proof.tenant, first.proof.integration.project_id);
    let known = app.inbox.known.of(project);
    let mut tx = begin(app, first).await?;
    let caught_up = known.catch_up(&mut tx, tenant, project).await?;
    let hits = still_known(&known, entries);
    let mut rows: BTreeMap<RowKey, Row> = BTreeMap::new();
    let ids = name(entries, &mut rows);
    let statements: Vec<_> = entries
        .iter()
        .zip(&ids)
        .enumerate()
        .flat_map(|(order, (entry, id))| entry.statements(order, *id))
        .collect();
    sabotage::point("intake.before_insert").await?;
    let applied = if statements.is_empty() {
        Vec::new()
    } else {
        // The project was deleted, and its tokens with it, since this one was looked at.
        intake::apply(&mut tx, tenant, project, &statements).await?.ok_or(WRONG)?
    };
    let at = entries.iter().map(|entry| entry.reading.received_at).max().unwrap_or(tx.now());
    let heard: Vec<Heard> = hits.iter().map(|hit| Heard { alert: hit.alert, at, statements: 1 }).collect();
    let stored = put(entries, &ids, &applied, hits, &mut rows)?;
    let (noted, now) = (keep(app, &mut tx, (tenant, project), rows).await?, tx.now());
    let spooled: Vec<Uuid> = entries.iter().filter_map(|entry| entry.spooled).collect();
    store::note_spooled(&mut tx, tenant, &spooled).await?;
    sabotage::point("intake.before_commit").await?;
    let written = tx.commit_numbered().await?;
    sabotage::point("intake.committed").await?;
    app.inbox.noted.accepted(&noted, now);
    app.heard.note(tenant, heard);
    app.inbox.statistics.wrote(app, applied.len());
    for result in stored.iter().flat_map(|(_, results)| results) {
        metrics::counter!("sre_copilot_alerts_total", "outcome" => result.outcome.as_str()).increment(1);
    }
    let (steady, touched) = learn(entries, &applied);
    known.committed(steady, &touched, caught_up, known::numbers(&written, project));
    Ok(stored)
}

/// What the recognised repetitions are known as by now. One that is no longer known, or of whose alert something else
/// is said in the same commit, is read.
fn still_known(known: &Lookup, entries: &mut [Entry]) -> Vec<Hit> {
    let mut spoken: BTreeSet<[u8; 32]> = entries.iter().flat_map(Entry::keys).copied().collect();
    loop {
        let mut hits = Vec::new();
        let mut again = false;
        for entry in entries.iter_mut() {
            let found: Vec<_> =
                entry.recognised.iter().map(|one| (one.index, known.hit(&one.digest))).collect();
            let holds = |hit: &Option<Hit>| hit.as_ref().is_some_and(|hit| !spoken.contains(&hit.alert_key));
            let unknown: BTreeSet<usize> =
                found.iter().filter(|(_, hit)| !holds(hit)).map(|(index, _)| *index).collect();
            if unknown.is_empty() {
                hits.extend(found.into_iter().filter_map(|(_, hit)| hit));
                continue;
            }
            entry.read_again(&unknown);
            spoken.extend(entry.keys().copied());
            again = true;
        }
        if !again {
            return hits;
        }
    }
}

/// Gives every request the name of its receipt.
fn name(entries: &[Entry], rows: &mut BTreeMap<RowKey, Row>) -> Vec<DeliveryId> {
    let mut places: BTreeMap<RowKey, usize> = BTreeMap::new();
    let named = entries.iter().map(|entry| {
        let key = row_key(entry);
        let row = rows.entry(key).or_insert_with(|| Row {
            id: entry.spooled.unwrap_or_else(receipt::row_id),
            pile: Pile::default(),
            truncated: 0,
        });
        let place = places.entry(key).or_default();
        *place += 1;
        receipt::id_at(row.id, *place - 1)
    });
    named.collect()
}

/// Puts what became of every request onto its receipt.
fn put(
    entries: &[Entry],
    ids: &[DeliveryId],
    applied: &[Applied],
    hits: Vec<Hit>,
    rows: &mut BTreeMap<RowKey, Row>,
) -> Result<Vec<Stored>> {
    let (mut applied, mut hits) = (applied.iter(), hits.into_iter());
    let mut stored = Vec::with_capacity(entries.len());
    for (entry, id) in entries.iter().zip(ids) {
        let own = applied.by_ref().take(entry.prepared.len());
        let results = entry.outcomes(own, hits.by_ref().take(entry.recognised.len()));
        if let Some(row) = rows.get_mut(&row_key(entry)) {
            row.truncated += entry.request.truncated;
            row.pile
                .add(entry.request.clone(), &results, &entry.reading.body)
                .map_err(|error| Error::Internal(error.into()))?;
        }
        stored.push((*id, results));
    }
    Ok(stored)
}

/// Keeps the receipts, and writes down whose they are; says of which integrations that was written.
async fn keep(
    app: &App,
    tx: &mut Tx,
    (tenant, project): (TenantId, ProjectId),
    rows: BTreeMap<RowKey, Row>,
) -> Result<Vec<IntegrationId>> {
    let (now, mut noted) = (tx.now(), Vec::new());
    for ((integration, _), Row { id, pile, truncated }) in rows {
        let received_at: Ts = pile.received_at().unwrap_or(now);
        let packed = pile.pack().map_err(|error| Error::Internal(error.into()))?;
        deliveries::store::keep(tx, tenant, (project, integration), id, received_at, &packed).await?;
        if truncated > 0 || !app.inbox.noted.is_fresh(integration, now) {
            store::note_delivery(tx, tenant, integration, "accepted", truncated).await?;
            noted.push(integration);
        }
    }
    Ok(noted)
}

/// What a commit teaches: alerts that fire and are stored word for word, and alerts that were touched.
fn learn(entries: &[Entry], applied: &[Applied]) -> (Vec<Alert>, Vec<AlertId>) {
    let prepared = entries.iter().flat_map(|entry| entry.prepared.iter().map(move |one| (entry, one)));
    let steady = prepared.zip(applied).filter_map(|((entry, prepared), applied)| {
        let (digest, end) = prepared.sketch.filter(|_| applied.steady && entry.proof.source.is_patient())?;
        Some(Alert {
            digest,
            end,
            alert_key: prepared.alert_key,
            alert: applied.alert,
            incident: applied.incident?,
            fingerprint: prepared.alert.fingerprint.as_str().into(),
            name: prepared.alert.name.as_str().into(),
        })
    });
    (steady.collect(), applied.iter().map(|applied| applied.alert).collect())
}
