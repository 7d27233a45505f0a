//! All SQL of replays: which incidents have a confirmed cause, and which analysis is theirs.

use outbox::{Tx, on_tx};

use crate::ids::{AnalysisId, IncidentId, ProjectId, TenantId};

/// Incidents of one replay at most.
pub const MOST: usize = 1000;

/// An incident whose cause people confirmed.
#[derive(Debug, sqlx::FromRow)]
pub struct Confirmed {
    /// The incident.
    pub id: IncidentId,
    /// Its number in the project.
    pub number: i64,
    /// What people wrote down as its cause.
    pub root_cause: Option<String>,
    /// The service of the hypothesis that was accepted last.
    pub accepted: Option<String>,
}

/// The incidents of a project whose cause was written down or accepted, the newest [`MOST`], oldest first.
pub async fn confirmed(tx: &mut Tx, tenant: TenantId, project: ProjectId) -> sqlx::Result<Vec<Confirmed>> {
    let mut rows: Vec<Confirmed> = on_tx!(tx, c => sqlx::query_as(
        "select * from (
             select i.id, i.number, nullif(trim(i.root_cause), '') as root_cause,
                 (select h.suspected_service from hypotheses h
                  where h.tenant_id = i.tenant_id and h.incident_id = i.id and h.verdict = 'accepted'
                    and h.suspected_service is not null
                  order by h.verdict_at desc, h.id limit 1) as accepted
             from incidents i where i.tenant_id = $1 and i.project_id = $2 and i.merged_into is null) known
         where root_cause is not null or accepted is not null order by number desc limit $3")
        .bind(tenant).bind(project).bind(MOST as i64).fetch_all(c).await)?;
    rows.reverse();
    Ok(rows)
}

/// An analysis that is over.
#[derive(Debug, sqlx::FromRow)]
pub struct Newest {
    /// The analysis.
    pub id: AnalysisId,
    /// The model that had a part in it; none where the engine answered alone.
    pub model: Option<String>,
}

/// The incident's newest analysis that ended with an answer or with the finding that there is none.
pub async fn newest(tx: &mut Tx, tenant: TenantId, incident: IncidentId) -> sqlx::Result<Option<Newest>> {
    on_tx!(tx, c => sqlx::query_as(
        "select id, case when engine = 'llm' then model end as model from analyses
         where tenant_id = $1 and incident_id = $2 and status in ('completed', 'inconclusive')
         order by version desc limit 1")
        .bind(tenant).bind(incident).fetch_optional(c).await)
}
