//! Somebody who asks two replicas again and again and listens at both, until they are shut out.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures_util::StreamExt as _;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use super::caller::Caller;
use super::revoked::Wish;
use super::site::Site;
use super::{Report, until};

/// Requests a second, both replicas together, as far as the machine answers them.
const PER_SECOND: u32 = 500;

/// Requests at once.
const ASKERS: usize = 32;

/// How many requests each replica accepts before.
const BEFORE: usize = 100;

/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long after the answer that shut somebody out a request of theirs may still be begun and accepted.
const GRACE: Duration = Duration::from_secs(1);

/// How long after it a socket of theirs may stay open: it ends within 2 s, and the close has to arrive.
const CLOSED: Duration = Duration::from_secs(3);

/// Requests under way, and what became of those before.
pub struct Asking {
    stop: Arc<AtomicBool>,
    log: Arc<Log>,
    tasks: JoinSet<()>,
}

/// A request that was answered.
#[derive(Clone, Copy, Debug)]
struct Asked {
    begun: Instant,
    replica: usize,
    /// 0 without an answer.
    status: u16,
}

impl Asked {
    fn is_accepted(&self) -> bool {
        (200..300).contains(&self.status)
    }

    fn is_refused(&self) -> bool {
        [401, 403, 404].contains(&self.status)
    }
}

struct Log {
    next: AtomicUsize,
    replicas: usize,
    all: Mutex<Vec<Asked>>,
}

impl Log {
    fn all(&self) -> Vec<Asked> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Asking {
    /// Begins to ask every replica of `site` in turn.
    pub fn start(site: &Site, who: &Caller, wish: &Wish) -> Self {
        let bases: Vec<String> = site.replicas.iter().map(|replica| replica.base()).collect();
        let (stop, next) = (Arc::<AtomicBool>::default(), AtomicUsize::new(0));
        let log = Arc::new(Log { next, replicas: bases.len(), all: Mutex::default() });
        let mut tasks = JoinSet::new();
        for _ in 0..ASKERS {
            tasks.spawn(ask(who.clone(), wish.clone(), bases.clone(), log.clone(), stop.clone()));
        }
        Self { stop, log, tasks }
    }

    /// Waits until every replica has accepted some requests.
    ///
    /// # Errors
    /// When one does not.
    pub async fn warm(&self) -> anyhow::Result<()> {
        let warm = until(PATIENCE, async || {
            let mut accepted = vec![0_usize; self.log.replicas];
            for asked in self.log.all().iter().filter(|asked| asked.is_accepted()) {
                accepted.get_mut(asked.replica).into_iter().for_each(|count| *count += 1);
            }
            Ok(accepted.iter().all(|count| *count >= BEFORE).then_some(()))
        });
        warm.await?.with_context(|| format!("they were not let in: {:?}", statuses(self.log.all().iter())))
    }

    /// Stops, and finds what was accepted too long after `ended`.
    pub async fn judge(mut self, report: &mut Report, ended: Instant, when: &str) {
        self.stop.store(true, Ordering::SeqCst);
        while self.tasks.join_next().await.is_some() {}
        let all = self.log.all();
        let (before, after): (Vec<Asked>, Vec<Asked>) = all.iter().partition(|asked| asked.begun <= ended);
        let seconds = all.first().map_or(1.0, |first| first.begun.elapsed().as_secs_f64());
        let rate = all.len() as f64 / seconds;
        let (old, new) = (statuses(before.iter()), statuses(after.iter()));
        report.note(format!("{when}: {rate:.0} requests a second, {old:?} before and {new:?} after"));
        let late = after.iter().filter(|asked| asked.is_accepted() && asked.begun > ended + GRACE).count();
        if late > 0 {
            report.find(
                "accepted",
                format!("{when}: {late} requests that were begun {GRACE:?} after and later"),
            );
        }
        for replica in 0..self.log.replicas {
            if !after.iter().any(|asked| asked.replica == replica && asked.is_refused()) {
                report.find("unreached", format!("{when}: replica {} refused nothing", replica + 1));
            }
        }
        for status in new.keys().filter(|status| **status >= 500 && **status != 503) {
            report.find("failed", format!("{when}: answered {status}"));
        }
    }
}

async fn ask(who: Caller, wish: Wish, bases: Vec<String>, log: Arc<Log>, stop: Arc<AtomicBool>) {
    let (method, path, body) = wish;
    let body = (!body.is_null()).then_some(&body);
    let mut ticks = tokio::time::interval(Duration::from_secs_f64(ASKERS as f64 / f64::from(PER_SECOND)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !stop.load(Ordering::SeqCst) {
        ticks.tick().await;
        let replica = log.next.fetch_add(1, Ordering::SeqCst) % bases.len().max(1);
        let Some(base) = bases.get(replica) else { return };
        let begun = Instant::now();
        let answer = who.ask(base, method.clone(), &path, body, &[]).await;
        let status = answer.map_or(0, |answer| answer.status);
        log.all.lock().unwrap_or_else(PoisonError::into_inner).push(Asked { begun, replica, status });
    }
}

fn statuses<'a>(all: impl Iterator<Item = &'a Asked>) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for asked in all {
        *counts.entry(asked.status).or_default() += 1;
    }
    counts
}

/// An open socket at each replica.
pub struct Sockets {
    closed: Vec<Arc<OnceLock<Instant>>>,
    patience: u32,
    _tasks: JoinSet<()>,
}

impl Sockets {
    /// Opens them.
    ///
    /// # Errors
    /// When one is refused.
    pub async fn open(site: &Site, who: &Caller) -> anyhow::Result<Self> {
        let (mut closed, mut tasks) = (Vec::new(), JoinSet::new());
        for replica in &site.replicas {
            let mut request = format!("ws://{}/ws", replica.address()).into_client_request()?;
            let (name, value) = who.credential();
            request.headers_mut().insert(name, value.parse()?);
            // A browser says whose page it shows.
            request.headers_mut().insert("origin", replica.base().parse()?);
            let (mut socket, _) = connect_async(request).await?;
            let end = Arc::<OnceLock<Instant>>::default();
            closed.push(end.clone());
            tasks.spawn(async move {
                while let Some(Ok(message)) = socket.next().await {
                    if message.is_close() {
                        break;
                    }
                }
                let _ = end.set(Instant::now());
            });
        }
        Ok(Self { closed, patience: site.patience, _tasks: tasks })
    }

    /// Finds those that are open for too long after `ended`.
    ///
    /// # Errors
    /// Never.
    pub async fn judge(self, report: &mut Report, ended: Instant, when: &str) -> anyhow::Result<()> {
        let patience = CLOSED * self.patience;
        for (number, end) in self.closed.iter().enumerate() {
            let rest = patience.saturating_sub(ended.elapsed());
            until(rest, async || Ok(end.get().map(drop))).await?;
            match end.get() {
                Some(end) if *end > ended + patience => {
                    let took = end.duration_since(ended).as_secs_f64();
                    report.find("unclosed", format!("{when}: a socket closed after {took:.1} s"));
                }
                Some(end) if *end < ended => {
                    let seconds = ended.duration_since(*end).as_secs_f64();
                    // Its standing may be looked at between the commit and its answer.
                    if seconds > 1.0 {
                        report.find("closed", format!("{when}: a socket closed {seconds:.1} s before"));
                    }
                }
                Some(_) => {}
                None => report.find("unclosed", format!("{when}: replica {} lets it listen", number + 1)),
            }
        }
        Ok(())
    }
}
