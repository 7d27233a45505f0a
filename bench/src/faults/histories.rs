//! T-G4b: many senders each tell a history, statement after statement, to replicas that are killed meanwhile.

use std::time::{Duration, Instant};

use anyhow::bail;
use serde_json::Value;

use super::Trial;
use super::site::Site;

/// Time between two kills.
const PAUSE: Duration = Duration::from_millis(500);

/// For how long replicas are killed: what is told afterwards is told long before a hold ends, on a slow machine too.
const KILLING: Duration = Duration::from_secs(15);

/// How long a sender waits before it sends again.
const AGAIN: Duration = Duration::from_millis(100);

/// How long a sender tries to be heard.
const PATIENCE: Duration = Duration::from_secs(40);

/// What came of it.
#[derive(Debug)]
pub struct Told {
    /// The product afterwards.
    pub site: Site,
    /// For each statement of each history, how often it was sent before without anybody knowing what became of it.
    pub unknown: Vec<Vec<usize>>,
    /// How often nobody listened, which sent nothing, or nobody knows what became of what was sent.
    pub failed: usize,
    /// How often a replica was killed.
    pub kills: usize,
}

/// Sends each history's bodies in order, each until it is accepted, to the replicas in turn; all histories at once.
///
/// # Errors
/// When the product can't be started, or nobody accepts a statement.
pub async fn tell(trial: &Trial, histories: &[Vec<Value>]) -> anyhow::Result<Told> {
    let mut site = Site::start(trial).await?;
    let sender = Sender { http: site.http.clone(), urls: site.webhooks(), token: site.token.clone() };
    let sending = histories.iter().enumerate().map(|(number, bodies)| sender.tell(number, bodies));
    let mut sending = std::pin::pin!(futures_util::future::try_join_all(sending));
    let (begun, mut kills) = (Instant::now(), 0);
    let unknown = loop {
        if begun.elapsed() > KILLING {
            break sending.await?;
        }
        tokio::select! {
            unknown = &mut sending => break unknown?,
            () = tokio::time::sleep(PAUSE) => {}
        }
        let victim = site.replica(kills % 2)?;
        kills += 1;
        victim.kill()?;
        // The senders go on meanwhile.
        let started = victim.start();
        tokio::select! {
            biased;
            started = started => started?,
            unknown = &mut sending => break unknown?,
        }
    };
    let (unknown, failed): (Vec<_>, Vec<usize>) = unknown.into_iter().unzip();
    Ok(Told { site, unknown, failed: failed.into_iter().sum(), kills })
}

struct Sender {
    http: reqwest::Client,
    urls: Vec<String>,
    token: String,
}

impl Sender {
    async fn tell(&self, number: usize, bodies: &[Value]) -> anyhow::Result<(Vec<usize>, usize)> {
        let (mut unknown, mut failed) = (Vec::new(), 0);
        for (at, body) in bodies.iter().enumerate() {
            let (begun, mut lost) = (Instant::now(), 0);
            while let Some(sent) = self.fails(number + at + failed, body).await {
                if begun.elapsed() > PATIENCE {
                    bail!("nobody accepts statement {at} of history {number}");
                }
                lost += usize::from(sent);
                failed += 1;
                tokio::time::sleep(AGAIN).await;
            }
            unknown.push(lost);
        }
        Ok((unknown, failed))
    }

    /// Nothing when it is accepted, otherwise whether it may count nevertheless.
    async fn fails(&self, turn: usize, body: &Value) -> Option<bool> {
        let Some(url) = self.urls.get(turn % self.urls.len().max(1)) else { return Some(false) };
        let sent = self.http.post(url).bearer_auth(&self.token).header("content-type", "application/json");
        match sent.body(body.to_string()).send().await {
            Ok(answer) if answer.status().is_success() => None,
            Ok(_) => Some(true),
            Err(error) => Some(!error.is_connect()),
        }
    }
}
