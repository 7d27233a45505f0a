//! Stores what waits in the spool, oldest first, as soon as the database is back.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use outbox::{Ts, sabotage};
use tokio_util::sync::CancellationToken;

use super::commit;
use super::deliveries::receipt;
use super::deliveries::store::{self as deliveries, NewDelivery};
use super::entry::{Entry, Reading};
use super::hook::Hook;
use super::spool::Record;
use super::store::{self, Token};
use super::token::Proof;
use crate::app::App;
use crate::error::{Error, Result, seldom};
use crate::ids::{ProjectId, TenantId};

/// How often it looks whether the database is back.
const EVERY: Duration = Duration::from_millis(500);

/// Requests that are stored with one commit at most.
const BATCH: usize = 200;

/// Bytes of bodies of one commit.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// How long new requests wait for those that are being stored before they are put behind them.
const MAKE_WAY: Duration = Duration::from_secs(3);

/// Stores what waits, again and again until `stop`.
pub async fn run(app: App, stop: CancellationToken) {
    if !app.spool.is_on() {
        return;
    }
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        if app.spool.is_behind() {
            match once(&app, &stop).await {
                Ok(0) => {}
                Ok(stored) => tracing::warn!(stored, "spooled webhooks were stored"),
                Err(error) => {
                    if let Some(times) = seldom("spooled webhooks still wait", "") {
                        tracing::warn!(error = error.cause(), times, "spooled webhooks still wait");
                    }
                }
            }
        }
    }
}

/// Stores everything that waits; says how many requests that were.
async fn once(app: &App, stop: &CancellationToken) -> Result<usize> {
    let (mut stored, mut reached, mut removed) = (0, false, Vec::new());
    while app.spool.is_behind() && !stop.is_cancelled() {
        let mut held = app.spool.oldest(BATCH, BATCH_BYTES).await;
        let records = std::mem::take(&mut held.records);
        // Nothing is added meanwhile: senders that never pause would add more than is stored.
        forget(app, std::mem::take(&mut removed)).await?;
        if sabotage::broken("spool-removes-first") {
            held.remove().await?;
            store_all(app, &records).await?;
            continue;
        }
        // So they wait, once the database has answered again.
        if !reached {
            held.release();
        }
        let mut storing = pin!(store_all(app, &records));
        match tokio::time::timeout(MAKE_WAY, &mut storing).await {
            Ok(outcome) => outcome?,
            Err(_) => {
                held.release();
                storing.await?;
            }
        }
        sabotage::point("spool.stored").await?;
        (stored, reached) = (stored + records.len(), true);
        held.remove().await?;
        metrics::counter!("sre_copilot_spool_drained_total").increment(records.len() as u64);
        removed = records.iter().map(|record| (record.tenant, record.id)).collect();
    }
    forget(app, removed).await?;
    Ok(stored)
}

/// Removes the notes of requests that the spool has let go of.
async fn forget(app: &App, names: Vec<(TenantId, uuid::Uuid)>) -> Result<()> {
    let tenants: BTreeSet<TenantId> = names.iter().map(|(tenant, _)| *tenant).collect();
    for tenant in tenants {
        let of_tenant = names.iter().filter(|(owner, _)| *owner == tenant).map(|(_, id)| *id);
        let mut tx = app.db.begin(tenant.0).await?;
        store::forget_spooled(&mut tx, tenant, &of_tenant.collect::<Vec<_>>()).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Stores requests in their order, each once, however often it is tried.
async fn store_all(app: &App, records: &[Record]) -> Result<()> {
    let mut proofs: BTreeMap<&str, Option<Arc<Proof>>> = BTreeMap::new();
    let mut rest = records;
    while let Some((first, _)) = rest.split_first() {
        let same = rest.iter().take_while(|record| record.tenant == first.tenant).count();
        let (mine, others) = rest.split_at(same);
        rest = others;
        let names: Vec<uuid::Uuid> = mine.iter().map(|record| record.id).collect();
        let mut tx = app.db.read(first.tenant.0).await?;
        let done = store::spooled(&mut tx, first.tenant, &names).await?;
        drop(tx);
        let mut entries: Vec<Entry> = Vec::new();
        for record in mine.iter().filter(|record| !done.contains(&record.id)) {
            let proof = match proofs.get(record.prefix.as_str()) {
                Some(proof) => proof.clone(),
                None => {
                    let proof = prove(app, record).await?;
                    proofs.insert(&record.prefix, proof.clone());
                    proof
                }
            };
            let open = proof.filter(|proof| proof.held_at(record.received_at()));
            let Some(proof) = open else {
                refuse(app, record, "token-revoked").await?;
                continue;
            };
            if entries.last().is_some_and(|last| last.project() != proof.integration.project_id) {
                commit(app, std::mem::take(&mut entries), mine).await?;
            }
            match open_record(proof, record) {
                Some(entry) => entries.push(entry),
                None => refuse(app, record, "unreadable").await?,
            }
        }
        commit(app, entries, mine).await?;
    }
    Ok(())
}

/// What the token of a request proves by now, if it still names the same integration.
///
/// # Errors
/// When the database refused.
pub async fn prove(app: &App, record: &Record) -> Result<Option<Arc<Proof>>> {
    let mut tx = app.db.read_across("webhook").await?;
    let token = store::by_token(&mut tx, &record.prefix).await?;
    let mine =
        token.filter(|token| (token.tenant_id, token.integration.id) == (record.tenant, record.integration));
    Ok(mine.map(|Token { tenant_id, expires_at, integration, .. }| {
        Arc::new(Proof::of(tenant_id, integration).until(expires_at))
    }))
}

fn open_record(proof: Arc<Proof>, record: &Record) -> Option<Entry> {
    let hook = Hook { proof, remote: record.remote.clone(), user_agent: record.user_agent.clone() };
    let reading = Reading { kind: record.kind, body: record.body.clone(), received_at: record.received_at() };
    Some(Entry::read(&hook, reading, None).ok()?.spooled(record.id))
}

/// Commits requests of one project together; if something of one is at fault, each alone, and that one is set aside.
async fn commit(app: &App, mut entries: Vec<Entry>, records: &[Record]) -> Result<()> {
    let Some(first) = entries.first() else { return Ok(()) };
    let (tenant, project) = (first.proof.tenant, first.project());
    outdated(app, tenant, project, &mut entries).await?;
    match commit::tried(app, &mut entries).await {
        Ok(_) => return Ok(()),
        Err(error @ Error::Unavailable(..)) => return Err(error),
        Err(_) => {}
    }
    for mut entry in entries {
        match commit::tried(app, std::slice::from_mut(&mut entry)).await {
            Ok(_) => {}
            Err(error @ Error::Unavailable(..)) => return Err(error),
            Err(error) => {
                tracing::error!(error = format!("{error:?}"), "a spooled webhook can't be stored");
                let record = records.iter().find(|record| Some(record.id) == entry.spooled);
                if let Some(record) = record {
                    refuse(app, record, "not-storable").await?;
                }
            }
        }
    }
    Ok(())
}

/// Leaves out firing alerts of which another process has accepted something newer meanwhile, or this very statement before
/// the database went away unheard: an old firing must not bring back what has ended since. The end of an episode stays in:
/// nobody says it again, and it ends nothing that began after it.
async fn outdated(app: &App, tenant: TenantId, project: ProjectId, entries: &mut Vec<Entry>) -> Result<()> {
    app.heard.write(app).await?;
    let keys: BTreeSet<[u8; 32]> = entries.iter().flat_map(Entry::keys).copied().collect();
    let keys: Vec<[u8; 32]> = keys.into_iter().collect();
    let mut tx = app.db.read(tenant.0).await?;
    let seen: BTreeMap<Vec<u8>, Ts> = deliveries::all_last_seen(&mut tx, tenant, project, &keys).await?;
    drop(tx);
    let now = app.clock().now();
    for entry in entries {
        let received_at = entry.reading.received_at;
        // A time in the future is that of a clock that is wrong.
        entry.leave_out(|prepared| {
            let newer = seen.get(&prepared.alert_key[..]).is_some_and(|at| (received_at..=now).contains(at));
            newer && (prepared.alert.status == alerts::Status::Firing || sabotage::broken("spool-drops-ends"))
        });
    }
    Ok(())
}

/// Keeps a request that is not applied: its receipt says why and holds its body.
async fn refuse(app: &App, record: &Record, reason: &str) -> Result<()> {
    metrics::counter!("sre_copilot_spool_refused_total").increment(1);
    let mut tx = app.db.begin(record.tenant.0).await?;
    if let Some(project) = store::project_of(&mut tx, record.tenant, record.integration).await? {
        let delivery = NewDelivery {
            id: receipt::id_at(record.id, 0),
            project,
            integration: record.integration,
            received_at: record.received_at(),
            remote: record.remote.clone(),
            user_agent: record.user_agent.clone(),
            sender: record.kind.as_str(),
            format: None,
            status: "rejected",
            http_status: 200,
            reason: Some(reason.to_owned()),
            truncated: 0,
            results: Vec::new(),
            body: Some(deliveries::deflate(&record.body)),
            replay_of: None,
        };
        deliveries::insert(&mut tx, record.tenant, &delivery).await?;
    } else {
        tracing::error!(integration = %record.integration, "a spooled webhook's integration is gone, and with it the webhook");
    }
    store::note_spooled(&mut tx, record.tenant, &[record.id]).await?;
    Ok(tx.commit().await?)
}
