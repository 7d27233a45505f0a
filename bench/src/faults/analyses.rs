//! G9 and G10: at most one model call at a time for each incident, nothing stale stored, and every cost accounted,
//! while those who make the calls die and fall asleep.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::Context as _;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rustix::process::Signal;
use serde_json::json;

use super::clocks::{self, Clock};
use super::load::{envelope, firing, request_id};
use super::model_server::{Call, ModelServer};
use super::site::{Site, folder};
use super::{Report, Trial, until};

/// By how much leases and call limits are shorter here: a lease of 75 s is 5 s, a call of 60 s is 4 s.
const HURRY: u32 = 15;

/// How long all analyses may take to end once nothing goes wrong any more: three attempts with their leases.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often there is more to do for a replica that is to die at it.
const ROUNDS: u32 = 6;

/// Calls that one version of an analysis may cost.
const ATTEMPTS: usize = 3;

/// Calls that a process makes at once for one tenant.
const CALLS: usize = 4;

/// How often faketime looks at the file of a clock that jumps.
const LOOKS: Duration = Duration::from_secs(1);

/// How long the model takes: long enough that what dies or sleeps is as a rule in the middle of a call.
const ANSWERS_AFTER: Duration = Duration::from_millis(1500);

/// How long it takes when nothing happens: longer than a process ever waits until it looks at the queue (2 s) and the
/// lease of the broken build (1 s) together, and shorter than a call may take.
const ANSWERS_LATE: Duration = Duration::from_millis(3200);

/// The steps of an analysis at which its process may be made to die.
pub const STEPS: [&str; 5] =
    ["analysis.leased", "analysis.intent", "analysis.answered", "analysis.before_store", "analysis.stored"];

/// What happens to the processes while they call the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// None; only many askers at once.
    None,
    /// One of them dies at each of [`STEPS`], and once in the middle of a call.
    Death,
    /// One of them sleeps for longer than its lease, and wakes up while another is at its work.
    Sleep,
}

/// T-G9a to d, T-G10a: `incidents` incidents are analysed, each asked for several times at once, under a mishap.
///
/// # Errors
/// When the product can't be started or asked.
pub async fn one_call_at_a_time(trial: &Trial, incidents: usize, mishap: Mishap) -> anyhow::Result<Report> {
    let journal = folder()?;
    let model = ModelServer::start(journal.path()).await?;
    let mut site = with_model(trial, &model, "1000").await?;
    let mut report = Report::default();
    let mut fired = 0;
    model.answer_after(if mishap == Mishap::None { ANSWERS_LATE } else { ANSWERS_AFTER });
    match mishap {
        Mishap::None => {
            if let Clock::Jumping(file) = &trial.clock {
                clocks::set(file, "-10m")?;
                fire(&site, &mut fired, incidents).await?;
                settled(&mut report, &site).await?;
                clocks::set(file, "+1h")?;
                tokio::time::sleep(LOOKS).await;
            }
            fire(&site, &mut fired, incidents).await?;
        }
        Mishap::Death => {
            let share = incidents / (STEPS.len() + 1);
            deaths(trial, &mut site, &mut report, &mut fired, share).await?;
            fire(&site, &mut fired, share).await?;
            until(PATIENCE, async || Ok((model.under_way() > 0).then_some(()))).await?;
            site.replica(0)?.kill()?;
            site.replica(0)?.start().await?;
        }
        Mishap::Sleep => {
            fire(&site, &mut fired, incidents).await?;
            // More than the other replica makes at once.
            until(PATIENCE, async || Ok((model.under_way() > CALLS).then_some(()))).await?;
            site.replica(0)?.signal(Signal::STOP)?;
            // It wakes up when another has taken over and is at the same work.
            let taken = until(PATIENCE, async || Ok(repeated(&model.calls()).then_some(()))).await?;
            site.replica(0)?.signal(Signal::CONT)?;
            if taken.is_none() {
                report.find("unreached", "nobody took over from the sleeper");
            }
        }
    }
    settled(&mut report, &site).await?;
    until(PATIENCE, async || Ok((model.under_way() == 0).then_some(()))).await?;
    let calls = model.calls();
    report.note(format!("{mishap:?}: {fired} incidents, {} calls, seed {}", calls.len(), trial.seed));
    judge(&mut report, &site, &calls, if mishap == Mishap::Sleep { CALLS } else { 0 }).await?;
    if calls.len() < fired {
        report.find("unasked", format!("only {} calls for {fired} incidents", calls.len()));
    }
    Ok(report)
}

/// The first replica dies at each step, at work on `share` incidents; it runs without a fault afterwards.
async fn deaths(
    trial: &Trial,
    site: &mut Site,
    report: &mut Report,
    fired: &mut usize,
    share: usize,
) -> anyhow::Result<()> {
    let mut random = StdRng::seed_from_u64(trial.seed);
    for step in STEPS {
        let first = site.replica(0)?;
        first.kill()?;
        first.set("SRE_COPILOT_FAULT", format!("{step}=kill@{}", random.random_range(1..3)));
        first.start().await?;
        let mut died = None;
        // The other replica may have been faster at all of it.
        for _ in 0..ROUNDS {
            fire(site, fired, share).await?;
            let first = site.replica(0)?;
            died = until(PATIENCE / ROUNDS, async || Ok(first.ended()?)).await?;
            if died.is_some() {
                break;
            }
        }
        if died.is_none() {
            report.find("unreached", format!("{step} was never reached"));
        }
    }
    let first = site.replica(0)?;
    first.kill()?;
    first.set("SRE_COPILOT_FAULT", "");
    first.start().await
}

/// T-G10b: a budget for ten calls, and many incidents at once.
///
/// # Errors
/// When the product can't be started or asked.
pub async fn budget(trial: &Trial) -> anyhow::Result<Report> {
    const RESERVED: &str = "select coalesce(max(reserved_micros), 0) from model_calls";
    const SUM: &str = "select cast(coalesce(sum(coalesce(cost_micros, reserved_micros)), 0) as bigint)
        from model_calls";
    let mut report = Report::default();
    let journal = folder()?;
    let model = ModelServer::start(journal.path()).await?;
    model.keep_usage_to_itself();
    let mut site = with_model(trial, &model, "1000").await?;
    let mut fired = 0;
    // The first nine tell about what one is reserved at; there is money for one more.
    fire(&site, &mut fired, 9).await?;
    settled(&mut report, &site).await?;
    let one = site.database.count(RESERVED).await?;
    let budget = (site.database.count(SUM).await? as f64 + one as f64 * 1.5) / 1e6;
    for replica in &mut site.replicas {
        replica.kill()?;
        replica.set("SRE_COPILOT_LLM_DAILY_BUDGET_USD", budget.to_string());
        // Between looking at the budget and entering the call, so that those who do not wait for each other meet.
        replica.set("SRE_COPILOT_FAULT", "analysis.looked=sleep:300");
        replica.start().await?;
    }
    fire(&site, &mut fired, 24).await?;
    settled(&mut report, &site).await?;
    let (calls, spent) = (model.calls().len(), site.database.count(SUM).await?);
    report.note(format!("{one} micro-USD a call, {budget} USD: {calls} calls, {spent} micro-USD"));
    if calls > 10 || spent as f64 > budget * 1e6 {
        report.find("overspent", format!("{calls} calls, {spent} micro-USD of {budget} USD"));
    }
    let largest = site.database.count(RESERVED).await?;
    if calls < 10 && spent as f64 + largest as f64 <= budget * 1e6 {
        report.find("unasked", format!("only {calls} calls, though there was money for another one"));
    }
    Ok(report)
}

async fn with_model(trial: &Trial, model: &ModelServer, budget: &str) -> anyhow::Result<Site> {
    Site::with(trial, |replica| {
        replica.set("OPENAI_API_KEY", "a key that opens nothing");
        replica.set("OPENAI_BASE_URL", model.url());
        replica.set("SRE_COPILOT_LLM_DAILY_BUDGET_USD", budget);
        replica.set("SRE_COPILOT_HURRY", HURRY.to_string());
    })
    .await
}

/// Opens incidents about services that have just been changed, all at once, and asks for the analysis of each
/// several times.
async fn fire(site: &Site, fired: &mut usize, count: usize) -> anyhow::Result<()> {
    let numbers = *fired..*fired + count;
    let opened = numbers.map(|number| open(site, format!("{}-0", request_id(number))));
    futures_util::future::try_join_all(opened).await?;
    *fired += count;
    Ok(())
}

async fn open(site: &Site, service: String) -> anyhow::Result<()> {
    let change = json!({"service_name": service, "summary": "a new version", "kind": "deploy"});
    patiently(site, async |replica| {
        let (status, _) = site.post(replica, "/api/v1/changes", &change).await.ok()?;
        (status == 201).then_some(())
    })
    .await?;
    let body = envelope(&[firing("Down", &service)]).to_string();
    let (webhooks, json) = (site.webhooks(), "application/json");
    let incident = patiently(site, async |replica| {
        let sent =
            site.http.post(webhooks.get(replica)?).bearer_auth(&site.token).header("content-type", json);
        let answer =
            sent.body(body.clone()).send().await.ok().filter(|answer| answer.status().is_success())?;
        let read: serde_json::Value = answer.json().await.ok()?;
        super::site::text(&read, "/results/0/incident_id").ok()
    });
    let path = format!("/api/v1/incidents/{}/hypotheses", incident.await?);
    let empty = json!({});
    // Askers join what runs; one that meets a dying process has asked in vain.
    let ask = || site.post(site.replicas.len() - 1, &path, &empty);
    let _ = tokio::join!(ask(), ask(), ask());
    Ok(())
}

/// Asks one replica after the other, beginning with the one that mishaps befall, until one answers.
async fn patiently<T>(site: &Site, ask: impl AsyncFn(usize) -> Option<T>) -> anyhow::Result<T> {
    let mut turn = 0;
    let answer = until(PATIENCE, async || {
        turn += 1;
        Ok(ask((turn - 1) % site.replicas.len()).await)
    });
    answer.await?.context("no replica answers")
}

/// Waits until no analysis is under way.
async fn settled(report: &mut Report, site: &Site) -> anyhow::Result<()> {
    const OPEN: &str = "select count(*) from analyses where status in ('queued', 'running')";
    let ended = until(PATIENCE, async || {
        // The database may be away for a moment; the question is put again.
        Ok(site.database.count(OPEN).await.ok().filter(|open| *open == 0))
    });
    if ended.await?.is_none() {
        let open = site.database.count(OPEN).await?;
        report.find("stuck", format!("{open} analyses have not ended after {} s", PATIENCE.as_secs()));
    }
    Ok(())
}

/// Whether a second call was made about an incident.
fn repeated(calls: &[Call]) -> bool {
    let mut services = BTreeSet::new();
    calls.iter().any(|call| !services.insert(&call.service))
}

/// Compares the journal of the model with what the product stored and entered. A pause longer than a lease may cost
/// one overlap for each call that the sleeper was at: `pardoned` of them.
async fn judge(report: &mut Report, site: &Site, calls: &[Call], pardoned: usize) -> anyhow::Result<()> {
    let overlapping: Vec<&Call> = calls.iter().filter(|call| call.overlaps).collect();
    if overlapping.len() > pardoned {
        report.find("overlap", format!("{} calls met another about their incident", overlapping.len()));
    }
    let mut by_service: BTreeMap<&str, Vec<&Call>> = BTreeMap::new();
    for call in calls {
        by_service.entry(call.service.as_str()).or_default().push(call);
    }
    for (service, calls) in by_service.iter().filter(|(_, calls)| calls.len() > ATTEMPTS) {
        report.find("attempts", format!("{} calls about {service}", calls.len()));
    }
    let completed = entered(report, site, calls, &by_service).await?;
    stale(report, site, &completed).await
}

/// G10: every call is in the ledger, and no other; returns the booked ones, by service and number of tokens.
async fn entered(
    report: &mut Report,
    site: &Site,
    calls: &[Call],
    by_service: &BTreeMap<&str, Vec<&Call>>,
) -> anyhow::Result<BTreeSet<(String, i64)>> {
    let entries = site.database.model_calls().await?;
    let known: BTreeSet<(String, i64)> = calls
        .iter()
        .filter_map(|call| Some((call.service.clone(), i64::try_from(call.prompt_tokens()).ok()?)))
        .collect();
    let mut entered: BTreeMap<&str, usize> = BTreeMap::new();
    let mut completed = BTreeSet::new();
    for entry in entries.iter().filter(|entry| entry.status != "cached") {
        *entered.entry(entry.service.as_str()).or_default() += 1;
        match entry.status.as_str() {
            "completed" => {
                let of = (entry.service.clone(), entry.prompt_tokens);
                if !known.contains(&of) || !completed.insert(of) {
                    report.find("ledger", format!("no such call, or entered twice: {entry:?}"));
                }
            }
            "orphaned" if entry.cost_micros != entry.reserved_micros => {
                report.find("ledger", format!("lost for another price than was reserved: {entry:?}"));
            }
            "started" => report.find("ledger", format!("a call that never ended: {entry:?}")),
            _ => {}
        }
    }
    for (service, calls) in by_service {
        let count = entered.get(service).copied().unwrap_or(0);
        if count < calls.len() {
            report.find("ledger", format!("{} calls about {service}, {count} entered", calls.len()));
        }
    }
    Ok(completed)
}

/// What is stored of the model is the answer of the newest call that was booked, once for each incident.
async fn stale(report: &mut Report, site: &Site, completed: &BTreeSet<(String, i64)>) -> anyhow::Result<()> {
    let mut stored: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (service, claim) in site.database.model_claims().await? {
        stored.entry(service).or_default().push(claim);
    }
    for (service, claims) in &stored {
        let booked = completed.iter().filter(|(of, _)| of == service).map(|(_, tokens)| tokens - 1000).max();
        let wanted = booked.map(|number| format!("call {number} says that the change broke it"));
        if claims.len() != 1 || claims.first() != wanted.as_ref() {
            report.find("stale", format!("{service}: {claims:?} are stored, {wanted:?} was booked last"));
        }
    }
    report.note(format!("{} answers of the model are stored", stored.len()));
    if stored.is_empty() {
        report.find("unasked", "no answer of the model is stored");
    }
    Ok(())
}
