//! What the demo sees of its own product: the project's events, as any client would.

use std::time::Duration;

use anyhow::{Context as _, bail};
use jiff::civil::Time;
use outbox::{Event, Stream, Ts, event};
use serde_json::Value;
use tokio::time::Instant;

use super::print;
use crate::ai::hypotheses;
use crate::app::App;
use crate::auth::Member;
use crate::demo::terminal::{self, Style};
use crate::ids::{ProjectId, TenantId};

/// How often it looks when no wake-up came.
const EVERY: Duration = Duration::from_millis(500);

/// Follows a project's events and prints what matters.
pub struct Watch {
    app: App,
    style: Style,
    stream: Stream,
    url: String,
    seen: std::sync::Mutex<Seen>,
}

/// What the first analysis of the first incident came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Its first hypothesis suspects this service.
    Suspects(String),
    /// It found too little to name a cause.
    Nothing,
}

#[derive(Default)]
struct Seen {
    seq: i64,
    /// The incident that is explained, and when it was opened.
    incident: Option<(i64, String, Ts)>,
    answer: Option<Answer>,
    /// The service that a ranking suspects about which a model is being asked.
    ranked: Option<Option<String>>,
}

impl Watch {
    /// Follows from here on.
    ///
    /// # Errors
    /// When the database refused.
    pub async fn begin(app: &App, member: &Member, style: Style, url: String) -> anyhow::Result<Self> {
        let stream = crate::event::stream(member.tenant, member.project);
        let mut tx = app.db.read(stream.owner).await?;
        let seq = event::head(&mut tx, stream).await?.seq;
        let seen = std::sync::Mutex::new(Seen { seq, ..Seen::default() });
        Ok(Self { app: app.clone(), style, stream, url, seen })
    }

    /// Prints a line.
    ///
    /// # Errors
    /// When stdout can't be written.
    pub fn say(&self, line: &str) -> anyhow::Result<()> {
        print::line(line)
    }

    /// The time of day now, in UTC.
    pub fn time(&self) -> Time {
        time_of(self.app.clock().now())
    }

    /// Follows until the first incident is explained; complains when that takes longer than `patience`.
    ///
    /// # Errors
    /// When nothing arrived in time and `strict`, or when the events can't be read.
    pub async fn until_answered(
        &self,
        patience: Duration,
        logs: &str,
        strict: bool,
    ) -> anyhow::Result<Option<Answer>> {
        let deadline = Instant::now() + patience;
        let answer = loop {
            if let Some(answer) = self.seen()?.answer.clone() {
                break answer;
            }
            if Instant::now() > deadline {
                let opened = self.seen()?.incident.as_ref().map(|(number, ..)| *number);
                let said = terminal::nothing_arrived(opened, patience.as_secs(), logs);
                if strict {
                    bail!(said);
                }
                return self.say(&said).map(|()| None);
            }
            self.look().await?;
        };
        let number = self.seen()?.incident.as_ref().map_or(0, |(number, ..)| *number);
        self.say(&terminal::look_here(number, &format!("{}/incidents/INC-{number}", self.url)))?;
        Ok(Some(answer))
    }

    /// Follows for ever.
    ///
    /// # Errors
    /// When the events can't be read.
    pub async fn go_on(&self) -> anyhow::Result<()> {
        loop {
            self.look().await?;
        }
    }

    fn seen(&self) -> anyhow::Result<std::sync::MutexGuard<'_, Seen>> {
        self.seen.lock().ok().context("the demo's own notes")
    }

    async fn look(&self) -> anyhow::Result<()> {
        let mut woken = self.app.db.wake().streams();
        let after = self.seen()?.seq;
        let mut tx = self.app.db.read(self.stream.owner).await?;
        let events = event::after(&mut tx, self.stream, after, 100).await?;
        drop(tx);
        if events.is_empty() {
            let _ = tokio::time::timeout(EVERY, woken.recv()).await;
        }
        for event in events {
            self.seen()?.seq = event.seq;
            if let Some(line) = self.line(&event).await? {
                self.say(&line)?;
            }
        }
        Ok(())
    }

    /// What an event says to the person at the terminal, if anything.
    async fn line(&self, event: &Event) -> anyhow::Result<Option<String>> {
        let (style, at, data) = (self.style, time_of(event.at), &event.data.0);
        let number = data["number"].as_i64().unwrap_or_default();
        match event.kind.as_str() {
            "incident.created" => {
                let first = (number, text(&data["id"]), event.at);
                self.seen()?.incident.get_or_insert(first);
                let line = terminal::incident_opened(
                    style,
                    at,
                    number,
                    &text(&data["severity"]),
                    &text(&data["title"]),
                );
                Ok(Some(line))
            }
            "incident.updated" if data["state"] == "resolved" => {
                let opened = self.seen()?.incident.as_ref().map(|(_, _, opened)| *opened);
                let after_s = opened.map_or(0.0, |opened| event.at.seconds_since(opened));
                Ok(Some(terminal::resolved(style, at, number, after_s)))
            }
            // A ranking to show while a model is asked is a change of the incident.
            "incident.updated" if self.seen()?.answer.is_none() => self.answer(event, &data["id"]).await,
            "hypothesis.generated" => self.answer(event, &data["incident_id"]).await,
            _ => Ok(None),
        }
    }

    /// What the analysis of the first incident says: its ranking, then what came of asking a model.
    async fn answer(&self, event: &Event, about: &Value) -> anyhow::Result<Option<String>> {
        let (style, at) = (self.style, time_of(event.at));
        let Some((number, id, opened)) = self.seen()?.incident.clone() else { return Ok(None) };
        if *about != id {
            return Ok(None);
        }
        let took_s = event.at.seconds_since(opened);
        let (tenant, project, incident) =
            (TenantId(self.stream.owner), ProjectId(self.stream.id), id.parse()?);
        let told = hypotheses::read(&self.app.db, tenant, project, incident).await?;
        let Some(analysis) = told.analysis else { return Ok(None) };
        let first = told.items.iter().find(|one| one.analysis_id == analysis.id);
        if first.is_none() && !analysis.status.is_over() {
            return Ok(None);
        }
        if let (Some(model), Some(shown)) = (&analysis.model, self.seen()?.ranked.take()) {
            let same = first.is_some_and(|first| first.suspected_service == shown);
            let answer = (first.map(|first| first.claim.as_str()), same, analysis.reason.as_deref());
            return Ok(Some(terminal::model_answered(style, at, number, took_s, model, answer)));
        }
        let service = first.map(|first| first.suspected_service.clone());
        self.note(service.clone(), !analysis.status.is_over())?;
        let mut tx = self.app.db.read(tenant.0).await?;
        let facts = crate::ai::store::evidence(&mut tx, tenant, incident, analysis.id).await?;
        let Some(first) = first else {
            let reason = analysis.reason.unwrap_or_default();
            let saw: Vec<String> = facts.into_iter().map(|row| row.summary).collect();
            let found = (saw.as_slice(), analysis.checked.as_slice());
            return Ok(Some(terminal::inconclusive(style, at, number, took_s, &reason, found)));
        };
        let cited = first.supporting_evidence.iter();
        let evidence: Vec<String> = cited
            .filter_map(|cited| facts.iter().find(|row| row.id == *cited).map(|row| row.summary.clone()))
            .collect();
        let (claim, confidence) = (&first.claim, first.confidence_score);
        Ok(Some(terminal::hypothesis_ready(style, at, number, took_s, claim, confidence, &evidence)))
    }

    /// Remembers the first answer; `asks` when a model is asked about it.
    fn note(&self, service: Option<Option<String>>, asks: bool) -> anyhow::Result<()> {
        let mut seen = self.seen()?;
        seen.ranked = service.clone().filter(|_| asks);
        let answer = service.map_or(Answer::Nothing, |service| Answer::Suspects(service.unwrap_or_default()));
        seen.answer.get_or_insert(answer);
        Ok(())
    }
}

fn time_of(at: Ts) -> Time {
    at.timestamp().to_zoned(jiff::tz::TimeZone::UTC).time()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
