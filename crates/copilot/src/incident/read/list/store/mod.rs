//! All SQL that finds which incidents a list shows: each page by seeks, however many incidents there are.

mod postgres;
mod sqlite;

use outbox::{Tx, TxConn};

use super::{Filter, Mark, Position, Sort, need};
use crate::ids::{IncidentId, ProjectId, TenantId};
use crate::incident::{Severity, State};

/// At most `limit` incidents that pass the filter, in its order, after `position`.
///
/// # Errors
/// When the database refused.
pub async fn ids(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    filter: &Filter,
    position: Option<&Position>,
    limit: i64,
) -> sqlx::Result<Vec<IncidentId>> {
    if filter.nothing {
        return Ok(Vec::new());
    }
    let list = List { project, filter, position, limit };
    match (tx.conn(), !filter.searches()) {
        (TxConn::Postgres(_), true) => postgres::seek(tx, tenant, &list).await,
        (TxConn::Postgres(_), false) => postgres::search(tx, tenant, &list).await,
        (TxConn::Sqlite(_), true) => sqlite::seek(tx, tenant, &list).await,
        (TxConn::Sqlite(_), false) => sqlite::search(tx, tenant, &list).await,
    }
}

/// One page of a list.
struct List<'a> {
    project: ProjectId,
    filter: &'a Filter,
    position: Option<&'a Position>,
    limit: i64,
}

/// One seek of an index: what must be equal, and how much such incidents need somebody.
struct Arm<'a> {
    /// Of what is put off, which is never much, in any of the states that pass.
    state: Option<State>,
    severity: Severity,
    service: Option<&'a str>,
    /// Put off or not; either when nobody asks.
    snoozed: Option<bool>,
}

impl<'a> List<'a> {
    /// The combinations of what passes, each of which is in order in an index.
    fn arms(&self) -> Vec<Arm<'a>> {
        let services: Vec<Option<&str>> = match self.filter.services.as_slice() {
            [] => vec![None],
            named => named.iter().map(|service| Some(service.as_str())).collect(),
        };
        let mut arms = Vec::new();
        let by_need = self.filter.sort == Sort::NeedsMe;
        let snoozed = by_need.then_some(false);
        let mut kinds: Vec<(Option<State>, Option<bool>)> = Vec::new();
        if !self.filter.marks.contains(&Mark::Snoozed) {
            kinds.extend(self.filter.passing_states().into_iter().map(|state| (Some(state), snoozed)));
        }
        let may_be_snoozed = by_need || self.filter.marks.contains(&Mark::Snoozed);
        if may_be_snoozed && self.filter.passing_states().iter().any(|state| state.is_open()) {
            kinds.push((None, Some(true)));
        }
        for (state, snoozed) in kinds {
            for severity in self.filter.passing_severities() {
                arms.extend(services.iter().map(|service| Arm {
                    state,
                    severity,
                    service: *service,
                    snoozed,
                }));
            }
        }
        // Those that come before the page's beginning have nothing for it.
        arms.retain(|arm| match (self.filter.sort, self.position) {
            (Sort::NeedsMe, Some(place)) => arm.need() >= place.need,
            _ => true,
        });
        arms
    }

    /// Whether the list is one index in its own order.
    fn is_plain(&self) -> bool {
        self.filter.sort != Sort::NeedsMe && !self.filter.narrows()
    }
}

impl Arm<'_> {
    fn need(&self) -> i64 {
        need(self.state.unwrap_or(State::Detected), self.severity, self.snoozed == Some(true))
    }
}

/// What has all the marks of a filter that are columns of their own.
fn marked(filter: &Filter) -> &'static str {
    match (filter.marks.contains(&Mark::Flapping), filter.marks.contains(&Mark::Stale)) {
        (true, true) => " and flapping and stale",
        (true, false) => " and flapping",
        (false, true) => " and stale",
        (false, false) => "",
    }
}

/// Any of the open states that pass a filter: words of a closed list, not of a person.
fn any_open(filter: &Filter) -> String {
    let open = filter.passing_states().into_iter().filter(|state| state.is_open());
    let open: Vec<_> = open.map(|state| format!("'{state}'")).collect();
    format!(" and state in ({})", open.join(", "))
}
