//! The alerts and episodes of one commit, read and written with a statement for many of them.

use std::collections::BTreeMap;

use outbox::{Ts, Tx, TxConn, read_all, write_all};
use sqlx::types::Json;

use super::Sent;
use crate::ids::{AlertId, EpisodeId, IncidentId, ProjectId, TenantId};
use crate::incident::episode::Track;
use crate::incident::tracked::Tracked;

/// A row with the key it was asked for.
#[derive(sqlx::FromRow)]
struct Keyed {
    alert_key: Vec<u8>,
    #[sqlx(flatten)]
    row: Tracked,
}

/// The known ones of these alert keys, locked in the order of their keys.
///
/// # Errors
/// When the database refused.
pub async fn load(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    keys: &[&[u8]],
) -> sqlx::Result<BTreeMap<Vec<u8>, Tracked>> {
    // SQLite has one writer, and this transaction is it.
    let lock = if matches!(tx.conn(), TxConn::Postgres(_)) { "for update" } else { "" };
    let after = format!("order by alert_key {lock}");
    let before = (
        concat!(
            "select alert_key, ",
            columns!(),
            ", (select case when not open then 'closed' when stale then 'stale' else 'open' end from incidents
             where incidents.tenant_id = alerts.tenant_id and incidents.id = alerts.incident_id) as incident_standing
             from alerts where tenant_id = "
        ),
        " and project_id = ",
        " and alert_key in",
    );
    let rows: Vec<Keyed> = read_all!(tx, tenant, project, keys, before, &after)?;
    Ok(rows.into_iter().map(|keyed| (keyed.alert_key, keyed.row)).collect())
}

/// An alert as it is to be written.
#[derive(Clone, Debug)]
pub struct Write<'a> {
    /// What the sender said first, when the alert is new.
    pub first: Option<Sent<'a>>,
    /// The row, as the sender describes the alert by now.
    pub row: Tracked,
    /// What the rules remember by now.
    pub track: Track,
    /// The incident by now.
    pub incident: Option<IncidentId>,
    /// The open episode by now.
    pub episode: Option<EpisodeId>,
}

fn transitions(track: &Track) -> Json<Vec<i64>> {
    Json(track.transitions.iter().map(|at| at.micros()).collect())
}

fn tombs(track: &Track) -> Json<Vec<[i64; 3]>> {
    let written = track.tombs.iter().map(|tomb| [tomb.starts_at, tomb.ends_at, tomb.at].map(Ts::micros));
    Json(written.collect())
}

/// Adds alerts that were never seen before.
///
/// # Errors
/// When the database refused; a unique violation when another process has just seen one of them too.
pub async fn insert(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    new: &[(Sent<'_>, Write<'_>)],
) -> sqlx::Result<()> {
    write_all!(tx, new,
        "insert into alerts (tenant_id, id, project_id, alert_key, integration_id, incident_key, fingerprint, name,
             title, description, service_name, severity, labels, annotations, generator_url, runbook_url, flags,
             heartbeat, incident_id, episode_id, starts_at, opened_at, last_starts_at, last_ends_at, closed_at,
             tombs, held_starts_at, held_until, transitions, flapping_until,
             first_seen_at, last_seen_at, statements) ",
        (bind, new) => {
            let (sent, Write { row, track, incident, episode, .. }) = new;
            bind.push_bind(tenant).push_bind(row.id).push_bind(project).push_bind(&sent.alert_key[..])
                .push_bind(sent.integration).push_bind(&sent.incident_key[..]).push_bind(&row.fingerprint)
                .push_bind(&row.name).push_bind(&row.title).push_bind(&row.description)
                .push_bind(&row.service_name).push_bind(row.severity.as_str()).push_bind(Json(&sent.alert.labels))
                .push_bind(&row.annotations).push_bind(&row.generator_url).push_bind(&row.runbook_url)
                .push_bind(&row.flags).push_bind(sent.alert.is_heartbeat).push_bind(*incident).push_bind(*episode)
                .push_bind(track.open.map(|open| open.starts_at)).push_bind(track.open.map(|open| open.opened_at))
                .push_bind(track.last.map(|last| last.starts_at)).push_bind(track.last.map(|last| last.ends_at))
                .push_bind(track.last.map(|last| last.closed_at))
                .push_bind(tombs(track))
                .push_bind(track.held.map(|held| held.starts_at)).push_bind(track.held.map(|held| held.until))
                .push_bind(transitions(track)).push_bind(track.flapping_until)
                .push_bind(row.last_seen_at).push_bind(row.last_seen_at).push_bind(row.statements);
        },
        "")
}

/// Writes known alerts back, each with its text, what the rules remember, and where it belongs.
///
/// # Errors
/// When the database refused.
pub async fn save(tx: &mut Tx, tenant: TenantId, known: &[Write<'_>]) -> sqlx::Result<()> {
    write_all!(tx, known,
        "update alerts set title = v.column3, description = v.column4, severity = v.column5, annotations = v.column6,
             runbook_url = v.column7, incident_id = v.column8, episode_id = v.column9, starts_at = v.column10,
             opened_at = v.column11, last_starts_at = v.column12, last_ends_at = v.column13, closed_at = v.column14,
             tombs = v.column15, held_starts_at = v.column16, held_until = v.column17, transitions = v.column18,
             flapping_until = v.column19, last_seen_at = v.column20, statements = v.column21,
             longest_gap_s = v.column22, service_name = v.column23, generator_url = v.column24, flags = v.column25
         from (",
        (bind, known) => {
            let Write { row, track, incident, episode, .. } = known;
            bind.push_bind(tenant).push_bind(row.id).push_bind(&row.title).push_bind(&row.description)
                .push_bind(row.severity.as_str()).push_bind(&row.annotations).push_bind(&row.runbook_url)
                .push_bind(*incident).push_bind(*episode)
                .push_bind(track.open.map(|open| open.starts_at)).push_bind(track.open.map(|open| open.opened_at))
                .push_bind(track.last.map(|last| last.starts_at)).push_bind(track.last.map(|last| last.ends_at))
                .push_bind(track.last.map(|last| last.closed_at))
                .push_bind(tombs(track))
                .push_bind(track.held.map(|held| held.starts_at)).push_bind(track.held.map(|held| held.until))
                .push_bind(transitions(track)).push_bind(track.flapping_until)
                .push_bind(row.last_seen_at).push_bind(row.statements).push_bind(row.longest_gap_s)
                .push_bind(&row.service_name).push_bind(&row.generator_url).push_bind(&row.flags);
        },
        ") as v where alerts.tenant_id = v.column1 and alerts.id = v.column2")
}

/// Statements about a known alert that changed nothing but that it was heard.
#[derive(Clone, Copy, Debug)]
pub struct Heard {
    /// The alert.
    pub alert: AlertId,
    /// When the last of them was accepted.
    pub at: Ts,
    /// How many there were.
    pub statements: i64,
}

/// Counts statements that changed nothing; a time that is older than the one known is left out.
///
/// # Errors
/// When the database refused.
pub async fn hear(tx: &mut Tx, tenant: TenantId, heard: &[Heard]) -> sqlx::Result<()> {
    write_all!(tx, heard,
        "update alerts set statements = alerts.statements + v.column4,
             last_seen_at = case when alerts.last_seen_at < v.column3 then v.column3 else alerts.last_seen_at end
         from (",
        (bind, heard) => {
            bind.push_bind(tenant).push_bind(heard.alert).push_bind(heard.at).push_bind(heard.statements);
        },
        ") as v where alerts.tenant_id = v.column1 and alerts.id = v.column2")
}

/// An episode that begins.
#[derive(Clone, Copy, Debug)]
pub struct NewEpisode {
    /// Names it.
    pub id: EpisodeId,
    /// The alert.
    pub alert: AlertId,
    /// The incident it belongs to, if it opened one.
    pub incident: Option<IncidentId>,
    /// When it began, by the sender.
    pub starts_at: Ts,
    /// When we accepted it.
    pub opened_at: Ts,
    /// When it ended, by the sender, and when we accepted that, if it already did.
    pub ended: Option<(Ts, Ts)>,
}

/// Begins episodes.
///
/// # Errors
/// When the database refused.
pub async fn begin(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    episodes: &[NewEpisode],
) -> sqlx::Result<()> {
    write_all!(tx, episodes,
        "insert into episodes (tenant_id, id, project_id, alert_id, incident_id, starts_at, opened_at, ends_at,
             closed_at) ",
        (bind, episode) => {
            bind.push_bind(tenant).push_bind(episode.id).push_bind(project).push_bind(episode.alert)
                .push_bind(episode.incident).push_bind(episode.starts_at).push_bind(episode.opened_at)
                .push_bind(episode.ended.map(|(ends_at, _)| ends_at))
                .push_bind(episode.ended.map(|(_, closed_at)| closed_at));
        },
        "")
}

/// Ends episodes: which, when by the sender, and when we accepted it.
///
/// # Errors
/// When the database refused.
pub async fn end(tx: &mut Tx, tenant: TenantId, ended: &[(EpisodeId, Ts, Ts)]) -> sqlx::Result<()> {
    write_all!(tx, ended,
        "update episodes set ends_at = v.column3, closed_at = v.column4 from (",
        (bind, ended) => {
            bind.push_bind(tenant).push_bind(ended.0).push_bind(ended.1).push_bind(ended.2);
        },
        ") as v where episodes.tenant_id = v.column1 and episodes.id = v.column2")
}

/// Moves open episodes to other incidents.
///
/// # Errors
/// When the database refused.
pub async fn move_to(tx: &mut Tx, tenant: TenantId, moved: &[(EpisodeId, IncidentId)]) -> sqlx::Result<()> {
    write_all!(tx, moved,
        "update episodes set incident_id = v.column3 from (",
        (bind, moved) => {
            bind.push_bind(tenant).push_bind(moved.0).push_bind(moved.1);
        },
        ") as v where episodes.tenant_id = v.column1 and episodes.id = v.column2")
}
