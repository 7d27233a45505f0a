//! Alerts as they stand: one row an alert key, with what the rules remember of it.

pub mod store;

use std::collections::BTreeMap;

use outbox::Ts;
use sqlx::types::Json;

use super::Severity;
use super::episode::{Closed, Held, Open, Tomb, Track};
use crate::ids::{AlertId, EpisodeId, IncidentId, IntegrationId};
use store::Sent;

/// The row of an alert key.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Tracked {
    /// Names the row.
    pub id: AlertId,
    /// The integration that spoke of it first.
    pub integration_id: IntegrationId,
    /// 16 hexadecimal digits over the labels.
    pub fingerprint: String,
    /// The rule's name.
    pub name: String,
    /// One line.
    pub title: String,
    /// What the sender explains.
    pub description: String,
    /// The service it speaks of.
    pub service_name: Option<String>,
    /// How bad it is.
    #[sqlx(try_from = "String")]
    pub severity: Severity,
    /// What the sender adds; the newest accepted.
    pub annotations: Json<BTreeMap<String, String>>,
    /// Where its rule is.
    pub generator_url: Option<String>,
    /// What to do about it.
    pub runbook_url: Option<String>,
    /// What is odd about what the sender says.
    pub flags: Json<Vec<alerts::Flag>>,
    /// The newest incident it belongs to.
    pub incident_id: Option<IncidentId>,
    /// The open episode.
    pub episode_id: Option<EpisodeId>,
    #[sqlx(default)]
    incident_standing: Option<String>,
    /// How many statements about it were accepted.
    pub statements: i64,
    /// When the last one was.
    pub last_seen_at: Ts,
    /// The longest silence between two statements of a heartbeat, in seconds.
    pub longest_gap_s: i64,
    #[sqlx(flatten)]
    columns: TrackColumns,
}

/// What the rules remember, as columns.
#[derive(Clone, Debug, Default, sqlx::FromRow)]
struct TrackColumns {
    starts_at: Option<Ts>,
    opened_at: Option<Ts>,
    last_starts_at: Option<Ts>,
    last_ends_at: Option<Ts>,
    closed_at: Option<Ts>,
    tombs: Json<Vec<[i64; 3]>>,
    held_starts_at: Option<Ts>,
    held_until: Option<Ts>,
    transitions: Json<Vec<i64>>,
    flapping_until: Option<Ts>,
}

impl Tracked {
    /// The row of an alert that was never seen before.
    pub fn new(sent: &Sent<'_>, now: Ts) -> Self {
        let alert = sent.alert;
        Self {
            id: AlertId::new(),
            integration_id: sent.integration,
            fingerprint: alert.fingerprint.clone(),
            name: alert.name.clone(),
            title: alert.title.clone(),
            description: alert.description.clone(),
            service_name: alert.service.clone(),
            severity: Severity::from(alert.severity),
            annotations: Json(alert.annotations.clone()),
            generator_url: alert.generator_url.clone(),
            runbook_url: alert.links.runbook_url.clone(),
            flags: Json(alert.flags.clone()),
            incident_id: None,
            episode_id: None,
            incident_standing: None,
            statements: 0,
            last_seen_at: now,
            longest_gap_s: 0,
            columns: TrackColumns::default(),
        }
    }

    /// Whether its incident is open, as it was read.
    pub fn incident_open(&self) -> Option<bool> {
        self.incident_standing.as_deref().map(|standing| standing != "closed")
    }

    /// Whether its incident is stale, as it was read.
    pub fn incident_stale(&self) -> bool {
        self.incident_standing.as_deref() == Some("stale")
    }

    /// What the rules remember of it.
    pub fn track(&self) -> Track {
        let columns = &self.columns;
        Track {
            open: columns
                .starts_at
                .zip(columns.opened_at)
                .map(|(starts_at, opened_at)| Open { starts_at, opened_at }),
            last: columns
                .last_starts_at
                .zip(columns.last_ends_at)
                .zip(columns.closed_at)
                .map(|((starts_at, ends_at), closed_at)| Closed { starts_at, ends_at, closed_at }),
            tombs: columns
                .tombs
                .0
                .iter()
                .map(|[starts_at, ends_at, at]| tomb(*starts_at, *ends_at, *at))
                .collect(),
            held: columns
                .held_starts_at
                .zip(columns.held_until)
                .map(|(starts_at, until)| Held { starts_at, until }),
            transitions: columns.transitions.0.iter().copied().map(Ts::from_micros).collect(),
            flapping_until: columns.flapping_until,
        }
    }
}

fn tomb(starts_at: i64, ends_at: i64, at: i64) -> Tomb {
    let [starts_at, ends_at, at] = [starts_at, ends_at, at].map(Ts::from_micros);
    Tomb { starts_at, ends_at, at }
}
