//! G7: every event reaches every client in order, or the client is told to look again, whatever happens to Redis,
//! PostgreSQL, the processes and the connections.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::ledger::Ledger;
use super::load::{Load, Rate};
use super::postgres::End;
use super::site::Site;
use super::subscriber::Audience;
use super::{Report, Trial, check};

/// Reports come through the first replica alone: whoever listens to the second hears of them from elsewhere.
const RATE: Rate = Rate { per_second: 50, alerts: 2, senders: 4 };

/// How long it may take until everything is told again.
const RESUMED: Duration = Duration::from_secs(5);

/// How long what is stopped stays so.
const STALL: Duration = Duration::from_secs(3);

/// What befalls those who pass events on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// Redis dies and is started again.
    RedisDeath,
    /// Redis ends every connection.
    RedisCut,
    /// Redis accepts everything and answers nothing for a while.
    RedisStall,
    /// Redis loses all it has.
    RedisFlush,
    /// The second replica dies and is started again.
    ReplicaDeath,
    /// Every client's connection breaks.
    Cut,
    /// Half of the clients stop reading for a while.
    Sleep,
    /// PostgreSQL ends every connection.
    DatabaseCut,
    /// PostgreSQL is stopped and started.
    DatabaseRestart,
}

impl Mishap {
    /// Every mishap.
    pub const ALL: [Self; 9] = [
        Self::RedisDeath,
        Self::RedisCut,
        Self::RedisStall,
        Self::RedisFlush,
        Self::ReplicaDeath,
        Self::Cut,
        Self::Sleep,
        Self::DatabaseCut,
        Self::DatabaseRestart,
    ];
}

/// T-G7a, b: `clients` clients follow a load while each of `mishaps` happens, again and again.
///
/// # Errors
/// When the product can't be started or asked.
pub async fn every_event(trial: &Trial, clients: usize, mishaps: &[Mishap]) -> anyhow::Result<Report> {
    let mut site = with_sockets(trial, "").await?;
    // With its own analyses it would be woken by what it commits itself.
    let second = site.replica(1)?;
    second.kill()?;
    second.services = "gateway,auth,incident,integration,websocket";
    second.start().await?;
    let ledger = Ledger::create(&site.path("ledger"))?;
    let addresses: Vec<String> = site.replicas.iter().map(|replica| replica.address()).collect();
    let audience = Audience::open(&site, &addresses, clients).await?;
    let first = site.webhooks().into_iter().take(1).collect();
    let load = Load::start(&site, first, &ledger, RATE, 0);
    let mut report = Report::default();
    let (begun, mut rounds) = (Instant::now(), 0);
    while rounds == 0 || begun.elapsed() < trial.time {
        for mishap in mishaps {
            befall(*mishap, &mut site, &audience, &mut report).await?;
            audience.hears(&mut report, RESUMED, &format!("after {mishap:?}")).await?;
        }
        rounds += 1;
    }
    load.stop().await;
    report.note(format!("{mishaps:?}, {rounds} times"));
    audience.judge(&mut report).await?;
    report.extend(check::everything(&site, &ledger.close()?, RATE.alerts).await?);
    Ok(report)
}

async fn befall(
    mishap: Mishap,
    site: &mut Site,
    audience: &Audience,
    report: &mut Report,
) -> anyhow::Result<()> {
    let meanwhile = format!("during {mishap:?}");
    match mishap {
        Mishap::RedisDeath => {
            site.redis()?.kill()?;
            tokio::time::sleep(Duration::from_secs(1)).await;
            audience.hears(report, RESUMED, &meanwhile).await?;
            site.redis()?.start().await?;
        }
        Mishap::RedisCut => {
            // One of each process listens, the other asks; the connection that says so is spared.
            site.redis()?.ask("CLIENT KILL TYPE pubsub").await?;
            site.redis()?.ask("CLIENT KILL TYPE normal").await?;
        }
        Mishap::RedisStall => {
            site.redis()?.signal(Signal::STOP)?;
            tokio::time::sleep(STALL).await;
            audience.hears(report, RESUMED, &meanwhile).await?;
            site.redis()?.signal(Signal::CONT)?;
        }
        Mishap::RedisFlush => drop(site.redis()?.ask("FLUSHALL").await?),
        Mishap::ReplicaDeath => {
            site.replica(1)?.kill()?;
            site.replica(1)?.start().await?;
        }
        Mishap::Cut => audience.cut(),
        Mishap::Sleep => {
            audience.sleep(true);
            tokio::time::sleep(STALL).await;
            audience.sleep(false);
        }
        Mishap::DatabaseCut => site.database.end_others().await?,
        Mishap::DatabaseRestart => {
            if let Some(postgres) = &mut site.postgres {
                postgres.end(End::Fast).await?;
                tokio::time::sleep(Duration::from_secs(1)).await;
                postgres.start().await?;
            }
        }
    }
    Ok(())
}

/// T-G7a, the slow subscriber: the one who writes to each client dawdles, so that its queue overflows again and again,
/// and the one who reads events fails now and then.
///
/// # Errors
/// When the product can't be started or asked.
pub async fn lagging(trial: &Trial, clients: usize) -> anyhow::Result<Report> {
    let mut site = with_sockets(trial, "socket.deliver=sleep:2000*40;feed.read=error*50").await?;
    let ledger = Ledger::create(&site.path("ledger"))?;
    let addresses: Vec<String> = site.replicas.iter().map(|replica| replica.address()).collect();
    let audience = Audience::open(&site, &addresses, clients).await?;
    let rate = Rate { per_second: 100, alerts: 5, senders: 8 };
    let load = Load::start(&site, site.webhooks(), &ledger, rate, 0);
    tokio::time::sleep(trial.time).await;
    load.stop().await;
    let mut report = Report::default();
    let (dawdled, failed) = (site.replica(0)?.acted("socket.deliver"), site.replica(0)?.acted("feed.read"));
    report.note(format!("{dawdled} deliveries dawdled, {failed} reads failed"));
    if dawdled == 0 || failed == 0 {
        report.find("unreached", "no delivery dawdled, or no read failed");
    }
    audience.hears(&mut report, Duration::from_secs(20), "after the load").await?;
    audience.judge(&mut report).await?;
    Ok(report)
}

async fn with_sockets(trial: &Trial, fault: &str) -> anyhow::Result<Site> {
    Site::with(trial, |replica| {
        replica.set("SRE_COPILOT_SOCKETS_PER_USER", "1000");
        replica.set("SRE_COPILOT_FAULT", fault);
    })
    .await
}
