//! Asks every replica again and again whether it lives and whether it is ready.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::Report;
use super::site::Site;

/// Time between two questions.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a look may take: longer than the truth may, so that a busy machine is not taken for a dead process.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long the truth may take to be told: the product's promise.
const TRUTH: Duration = Duration::from_secs(2);

/// What is asked.
const LIVES: &str = "/-/healthy";
const READY: &str = "/-/ready";

/// One look at one replica.
#[derive(Clone, Debug)]
struct Look {
    replica: usize,
    path: &'static str,
    asked: Instant,
    good: bool,
}

/// Looks until it is dropped.
#[derive(Debug)]
pub struct Watch {
    looks: Arc<Mutex<Vec<Look>>>,
    _tasks: JoinSet<()>,
}

impl Watch {
    /// Begins to look at every replica of `site`.
    pub fn start(site: &Site) -> Self {
        let looks = Arc::<Mutex<Vec<Look>>>::default();
        let mut tasks = JoinSet::new();
        for (replica, base) in site.replicas.iter().map(|replica| replica.base()).enumerate() {
            for path in [LIVES, READY] {
                tasks.spawn(look(looks.clone(), site.http.clone(), (replica, path), base.clone()));
            }
        }
        Self { looks, _tasks: tasks }
    }

    /// What each replica said about itself from `from` to now; `away` replicas were not there, and with `down` the
    /// database was not, for at least as long as the truth may take.
    pub fn judge(&self, report: &mut Report, from: Instant, away: &[usize], down: bool, when: &str) {
        let looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        let these = looks.iter().filter(|look| look.asked >= from && !away.contains(&look.replica));
        let these: Vec<&Look> = these.collect();
        let dead = these.iter().filter(|look| look.path == LIVES && !look.good).count();
        if dead > 0 {
            report.find("liveness", format!("{when}: {dead} of {} looks found nobody alive", these.len()));
        }
        // What was asked before the truth had to be known may be answered either way.
        let settled = these.iter().filter(|look| look.path == READY && look.asked >= from + TRUTH);
        let wrong = settled.clone().filter(|look| look.good == down).count();
        if wrong > 0 {
            let what = if down { "ready without a database" } else { "not ready, though all is well" };
            report.find("readiness", format!("{when}: {wrong} of {} looks say {what}", settled.count()));
        }
    }
}

async fn look(
    looks: Arc<Mutex<Vec<Look>>>,
    http: reqwest::Client,
    (replica, path): (usize, &'static str),
    base: String,
) {
    let url = format!("{base}{path}");
    let mut ticks = tokio::time::interval(PAUSE);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let asked = Instant::now();
        let answer = http.get(&url).timeout(PATIENCE).send().await;
        let good = answer.is_ok_and(|answer| answer.status().is_success());
        let mut looks = looks.lock().unwrap_or_else(PoisonError::into_inner);
        looks.push(Look { replica, path, asked, good });
    }
}
