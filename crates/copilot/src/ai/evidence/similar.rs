//! Earlier incidents of the project that resemble this one by their words.

use std::collections::BTreeMap;

use outbox::{Ts, Tx};

use super::store::{self, Earlier, IncidentFacts, Said, Similar};
use crate::ai::diagnose::history::likeness;
use crate::ids::{IncidentId, TenantId};

/// How alike an incident must be to be looked at closer; whom its evidence pointed at may add to it.
const ALIKE: f64 = 0.4;

/// Incidents that are looked at closer.
const CLOSER: usize = 12;

/// Labels that say nothing about what happened.
const NOISE: [&str; 3] = ["instance", "pod", "prometheus"];

/// The incidents most alike that began before `alarm`, the closest first.
pub async fn find(
    tx: &mut Tx,
    tenant: TenantId,
    id: IncidentId,
    incident: &IncidentFacts,
    alarm: Ts,
) -> sqlx::Result<Vec<Similar>> {
    let own = pairs(&incident.labels.0);
    let mut found: Vec<(f64, Earlier)> = Vec::new();
    let all = store::earlier(tx, tenant, id, incident).await?;
    // Of a storm, what was opened before it need not have begun before it.
    for earlier in all.into_iter().filter(|one| one.started_at < alarm) {
        let same_service = earlier.service_name.is_some() && earlier.service_name == incident.service_name;
        let (titles, theirs) = ((incident.title.as_str(), earlier.title.as_str()), pairs(&earlier.labels.0));
        let alike = likeness(earlier.same_key, titles, (&own, &theirs), same_service);
        if alike >= ALIKE {
            found.push((alike, earlier));
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| b.1.started_at.cmp(&a.1.started_at)));
    let mut out = Vec::new();
    for (alike, earlier) in found.into_iter().take(CLOSER) {
        let said = store::suspected(tx, tenant, earlier.id).await?;
        out.push(similar(alike, earlier, said));
    }
    Ok(out)
}

fn similar(alike: f64, earlier: Earlier, said: Vec<store::Suspected>) -> Similar {
    let mut suspects: Vec<(String, Option<String>)> = Vec::new();
    let mut verdicts = Vec::new();
    for one in said {
        if let Some(service) = &one.suspected_service {
            let suspect = (service.clone(), one.suspected_metric);
            if !suspects.contains(&suspect) {
                suspects.push(suspect);
            }
        }
        if let Some(verdict) = one.verdict {
            verdicts.push(Said { service: one.suspected_service, verdict, claim: one.claim });
        }
    }
    Similar {
        number: earlier.number,
        title: earlier.title,
        started_at: earlier.started_at,
        root_cause: earlier.root_cause.filter(|cause| !cause.trim().is_empty()),
        verdicts,
        suspects,
        alike,
    }
}

fn pairs(labels: &BTreeMap<String, String>) -> Vec<String> {
    let told = labels.iter().filter(|(name, _)| !NOISE.contains(&name.as_str()));
    told.map(|(name, value)| format!("{name}={value}")).collect()
}
