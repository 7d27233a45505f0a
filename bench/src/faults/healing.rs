//! G17: whatever the product depends on goes away and comes back, and nobody has to help.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::database::Held;
use super::ledger::{Ledger, Pen};
use super::load::{Load, Rate, body, request_id};
use super::postgres::End;
use super::site::Site;
use super::subscriber::Audience;
use super::watch::Watch;
use super::{Report, Trial, check, until};

/// The load meanwhile.
const RATE: Rate = Rate { per_second: 50, alerts: 2, senders: 8 };

/// How long after its cause a failure may last: the promise.
const HEALED: Duration = Duration::from_secs(10);

/// Connections that both replicas may have at any time.
const POOLS: i64 = 32;

/// Clients of live events, on both replicas.
const CLIENTS: usize = 4;

/// What goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Redis is dead.
    RedisDeath,
    /// Redis accepts connections and answers nothing.
    RedisStall,
    /// Redis has lost everything.
    RedisFlush,
    /// Redis refuses to store.
    RedisFull,
    /// PostgreSQL ends every connection, once a second.
    DatabaseCut,
    /// PostgreSQL is stopped.
    DatabaseStop,
    /// Somebody holds the incidents.
    TableLock,
    /// The second replica stands still.
    ReplicaStop,
}

impl Cause {
    /// Those that no sender of webhooks may notice.
    pub const REDIS: [Self; 4] = [Self::RedisDeath, Self::RedisStall, Self::RedisFlush, Self::RedisFull];
    /// The others.
    pub const OTHERS: [Self; 4] = [Self::DatabaseCut, Self::DatabaseStop, Self::TableLock, Self::ReplicaStop];
}

/// T-G17: each of `causes` lasts for `pause` under load; then everything works again in time, by itself.
///
/// # Errors
/// When the product can't be started or asked.
pub async fn heals(trial: &Trial, causes: &[Cause], pause: Duration) -> anyhow::Result<Report> {
    let mut site = Site::start(trial).await?;
    let ledger = Ledger::create(&site.path("ledger"))?;
    let addresses: Vec<String> = site.replicas.iter().map(|replica| replica.address()).collect();
    let audience = Audience::open(&site, &addresses, CLIENTS).await?;
    let load = Load::start(&site, site.webhooks(), &ledger, RATE, 0);
    let (watch, mut report) = (Watch::start(&site), Report::default());
    let mut probes = Probes { pen: ledger.pen(), next: 5_000_000 };
    for cause in causes {
        let before = (load.failed(), site.database.connections().await?);
        let from = Instant::now();
        let held = begin(*cause, &mut site, pause).await?;
        let down = *cause == Cause::DatabaseStop;
        let away: &[usize] = if *cause == Cause::ReplicaStop { &[1] } else { &[] };
        watch.judge(&mut report, from, away, down, &format!("during {cause:?}"));
        end(*cause, &mut site, held).await?;
        let ended = Instant::now();
        healed(&mut report, &site, &audience, &mut probes, *cause).await?;
        let failed = load.failed() - before.0;
        if Cause::REDIS.contains(cause) && failed > 0 {
            report.find("noticed", format!("{failed} requests were not accepted during {cause:?}"));
        }
        let connections = site.database.connections().await?;
        if connections > (before.1 * 2).max(POOLS) {
            report.find("herd", format!("{} connections before {cause:?}, {connections} after", before.1));
        }
        let seconds = ended.elapsed().as_secs_f64();
        report.note(format!("{cause:?}: healed after {seconds:.1} s, {failed} requests to be sent again"));
    }
    load.stop().await;
    drop(probes);
    let book = ledger.close()?;
    for (id, status) in book.failed.iter().filter(|(_, status)| **status != 503) {
        report.find("refused", format!("{id} was answered {status}"));
    }
    audience.judge(&mut report).await?;
    report.extend(check::everything(&site, &book, RATE.alerts).await?);
    Ok(report)
}

/// Lets `cause` begin, and returns after `pause`.
async fn begin(cause: Cause, site: &mut Site, pause: Duration) -> anyhow::Result<Option<Held>> {
    let mut held = None;
    match cause {
        Cause::RedisDeath => site.redis()?.kill()?,
        Cause::RedisStall => site.redis()?.signal(Signal::STOP)?,
        Cause::RedisFlush => drop(site.redis()?.ask("FLUSHALL").await?),
        Cause::RedisFull => drop(site.redis()?.ask("CONFIG SET maxmemory 1").await?),
        Cause::DatabaseStop => {
            if let Some(postgres) = &mut site.postgres {
                postgres.end(End::Fast).await?;
            }
        }
        Cause::TableLock => {
            held = Some(site.database.hold("lock table incidents in access exclusive mode").await?)
        }
        Cause::ReplicaStop => site.replica(1)?.signal(Signal::STOP)?,
        Cause::DatabaseCut => {
            let begun = Instant::now();
            while begun.elapsed() < pause {
                site.database.end_others().await?;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            return Ok(None);
        }
    }
    tokio::time::sleep(pause).await;
    Ok(held)
}

async fn end(cause: Cause, site: &mut Site, held: Option<Held>) -> anyhow::Result<()> {
    match cause {
        Cause::RedisDeath => site.redis()?.start().await?,
        Cause::RedisStall => site.redis()?.signal(Signal::CONT)?,
        Cause::RedisFull => drop(site.redis()?.ask("CONFIG SET maxmemory 0").await?),
        Cause::DatabaseStop => {
            if let Some(postgres) = &mut site.postgres {
                postgres.start().await?;
            }
        }
        Cause::ReplicaStop => site.replica(1)?.signal(Signal::CONT)?,
        Cause::RedisFlush | Cause::DatabaseCut | Cause::TableLock => {}
    }
    match held {
        Some(held) => held.release().await,
        None => Ok(()),
    }
}

/// Requests of the checker's own, which the ledger knows like any other.
struct Probes {
    pen: Pen,
    next: usize,
}

/// Waits until every replica is ready, takes a webhook, answers the API and tells its clients.
async fn healed(
    report: &mut Report,
    site: &Site,
    audience: &Audience,
    probes: &mut Probes,
    cause: Cause,
) -> anyhow::Result<()> {
    let mut missing = String::new();
    let patience = HEALED * site.patience;
    let works = until(patience, async || {
        for replica in 0..site.replicas.len() {
            if let Some(what) = lacks(site, probes, replica).await {
                missing = format!("replica {}: {what}", replica + 1);
                return Ok(None);
            }
        }
        Ok(Some(()))
    });
    if works.await?.is_none() {
        report.find("not-recovered", format!("{patience:?} after {cause:?}: {missing}"));
    }
    audience.hears(report, HEALED, &format!("after {cause:?}")).await
}

/// What a replica does not do.
async fn lacks(site: &Site, probes: &mut Probes, replica: usize) -> Option<String> {
    let base = site.replicas.get(replica)?.base();
    let quick = |request: reqwest::RequestBuilder| request.timeout(Duration::from_secs(5)).send();
    let said = match quick(site.http.get(format!("{base}/-/ready"))).await {
        Ok(answer) => answer.text().await.unwrap_or_default(),
        Err(_) => "no answer".to_owned(),
    };
    if said != "ready\n" {
        return Some(format!("/-/ready says {said:?}"));
    }
    let listed = site.http.get(format!("{base}/api/v1/incidents?limit=1")).bearer_auth(&site.key);
    if !quick(listed).await.is_ok_and(|answer| answer.status() == 200) {
        return Some("the API does not answer".to_owned());
    }
    let id = request_id(probes.next);
    probes.next += 1;
    probes.pen.invoke(&id);
    let sent = site.http.post(format!("{base}/webhooks/alertmanager")).bearer_auth(&site.token);
    let sent = sent.header("content-type", "application/json").body(body(&id, RATE.alerts).to_string());
    match quick(sent).await {
        Ok(answer) if answer.status().is_success() => {
            probes.pen.ok(&id, "-");
            None
        }
        Ok(answer) => {
            probes.pen.fail(&id, answer.status().as_u16());
            Some(format!("a webhook is answered {}", answer.status()))
        }
        Err(_) => {
            probes.pen.info(&id);
            Some("a webhook is not answered".to_owned())
        }
    }
}
