//! Pages on SQLite: one short walk along an index for each combination, or one along the index of words.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use outbox::{Ts, Tx, TxConn, on_tx};
use sqlx::QueryBuilder;
use sqlx::sqlite::Sqlite;

use super::{Arm, List, any_open, marked};
use crate::ids::{IncidentId, ProjectId, TenantId};
use crate::incident::Severity;
use crate::incident::read::list::{Filter, Mark, Position, Sort, Whose, need};

/// Bits of an incident's place in SQLite's search index that hold its number.
const NUMBER_BITS: u32 = 36;

/// Numbers by which the order of numbers and the order of detection may differ: incidents whose transactions ran
/// side by side.
const SLACK: i64 = 1_000;

/// Names the index of what is put off.
const SNOOZED: &str = " indexed by incidents_snoozed";

/// A page without a search.
pub(super) async fn seek(tx: &mut Tx, tenant: TenantId, list: &List<'_>) -> sqlx::Result<Vec<IncidentId>> {
    let TxConn::Sqlite(open) = tx.conn() else { return Ok(Vec::new()) };
    list.seek(tenant).build_query_scalar().fetch_all(&mut **open).await
}

impl List<'_> {
    /// The page without a search: the beginnings of all arms, merged.
    fn seek(&self, tenant: TenantId) -> QueryBuilder<Sqlite> {
        let mut query = QueryBuilder::new("select id from (");
        if !self.is_plain() {
            for (at, arm) in self.arms().iter().enumerate() {
                query.push(if at == 0 { "" } else { " union all " });
                self.one(&mut query, tenant, at, Some(arm));
            }
            if self.arms().is_empty() {
                query.push("select id, detected_at, 0 as need from incidents where 1 = 0");
            }
        } else {
            self.one(&mut query, tenant, 0, None);
        }
        query.push(match self.filter.sort {
            Sort::NeedsMe => ") page order by need, detected_at desc, id desc",
            Sort::Newest => ") page order by detected_at desc, id desc",
            Sort::Oldest => ") page order by detected_at, id",
        });
        query.push(" limit ").push_bind(self.limit);
        query
    }

    fn one(&self, query: &mut QueryBuilder<Sqlite>, tenant: TenantId, at: usize, arm: Option<&Arm<'_>>) {
        let level = arm.map_or(0, Arm::need);
        let index = match arm {
            Some(Arm { state: None, .. }) => SNOOZED,
            _ => index_of(&self.filter.marks),
        };
        query.push(format!(
            "select * from (select id, detected_at, {level} as need from incidents{} where tenant_id = ",
            index
        ));
        query.push_bind(tenant).push(" and project_id = ").push_bind(self.project);
        if let Some(arm) = arm {
            // Words of a closed list, not of a person.
            let state =
                arm.state.map_or_else(|| any_open(self.filter), |state| format!(" and state = '{state}'"));
            query.push(format!("{state} and severity = '{}'", arm.severity));
            query.push(snoozed(arm.snoozed));
            if let Some(service) = arm.service {
                query.push(" and service_name = ").push_bind(service.to_owned());
            }
        }
        owned(query, self.filter);
        query.push(if self.filter.still_firing { " and still_firing" } else { "" });
        query.push(marked(self.filter));
        if let Some(number) = self.filter.number {
            query.push(" and number = ").push_bind(number);
        }
        if let Some(from) = self.filter.from {
            query.push(" and detected_at >= ").push_bind(from);
        }
        if let Some(to) = self.filter.to {
            query.push(" and detected_at <= ").push_bind(to);
        }
        let begun = |place: &&Position| self.filter.sort != Sort::NeedsMe || level <= place.need;
        if let Some(place) = self.position.filter(begun) {
            query.push(if self.filter.sort == Sort::Oldest {
                " and (detected_at, id) > ("
            } else {
                " and (detected_at, id) < ("
            });
            query.push_bind(place.at()).push(", ").push_bind(place.id).push(")");
        }
        query.push(if self.filter.sort == Sort::Oldest {
            " order by detected_at, id"
        } else {
            " order by detected_at desc, id desc"
        });
        query.push(" limit ").push_bind(self.limit).push(format!(") arm{at}"));
    }
}

/// The index of what has such marks, which the planner can't know to be short.
fn index_of(marks: &BTreeSet<Mark>) -> &'static str {
    match marks.first() {
        Some(Mark::Flapping) => " indexed by incidents_flapping",
        Some(Mark::Stale) => " indexed by incidents_gone_stale",
        Some(Mark::Snoozed) => SNOOZED,
        None => "",
    }
}

fn snoozed(snoozed: Option<bool>) -> &'static str {
    match snoozed {
        Some(true) => " and snoozed_until is not null",
        Some(false) => " and snoozed_until is null",
        None => "",
    }
}

fn owned(query: &mut QueryBuilder<Sqlite>, filter: &Filter) {
    if filter.whose == Some(Whose::Nobody) {
        query.push(" and assigned_to is null");
    }
    if let Some(user) = filter.person() {
        query.push(" and assigned_to = ").push_bind(user);
    }
}

/// A page of a search on SQLite: its index of words is walked in the order of the incidents' numbers.
pub(super) async fn search(tx: &mut Tx, tenant: TenantId, list: &List<'_>) -> sqlx::Result<Vec<IncidentId>> {
    let (filter, project) = (list.filter, list.project);
    let shelf: Option<i64> = on_tx!(tx, c => sqlx::query_scalar(
        "select shelf from projects where tenant_id = $1 and id = $2")
        .bind(tenant).bind(project).fetch_optional(c).await)?;
    let Some(shelf) = shelf else { return Ok(Vec::new()) };
    let first = shelf << NUMBER_BITS;
    let mut range = (first, first + (1 << NUMBER_BITS) - 1);
    if let Some(number) = filter.number {
        range = (first + number, first + number);
    }
    if let Some(from) = filter.from {
        let number = number_at(tx, tenant, project, from, true).await?;
        range.0 = range.0.max(number.map_or(i64::MAX, |number| first + number - SLACK));
    }
    if let Some(to) = filter.to {
        let number = number_at(tx, tenant, project, to, false).await?;
        range.1 = range.1.min(number.map_or(i64::MIN, |number| first + number + SLACK));
    }
    let after = match list.position {
        Some(place) => Some((place.need, first + number_of(tx, tenant, project, place).await?)),
        None => None,
    };
    let mut found = Vec::new();
    let any_snoozed = filter.sort == Sort::NeedsMe && any_snoozed(tx, tenant, project).await?;
    for Level { need: level, snoozed, terms } in levels(filter, any_snoozed) {
        let mut range = range;
        match after {
            Some((need, _)) if filter.sort == Sort::NeedsMe && level < need => continue,
            Some((need, _)) if filter.sort == Sort::NeedsMe && level > need => {}
            Some((_, place)) if filter.sort == Sort::Oldest => range.0 = range.0.max(place + 1),
            Some((_, place)) => range.1 = range.1.min(place - 1),
            None => {}
        }
        let left = list.limit - found.len() as i64;
        if left <= 0 {
            break;
        }
        found.extend(walk(tx, tenant, list, (first, range), (&terms, snoozed), left).await?);
    }
    Ok(found)
}

/// One walk along the index of words.
struct Level {
    /// How much such incidents need somebody; 0 when they are not sorted by it.
    need: i64,
    /// Put off or not; either when nobody asks.
    snoozed: Option<bool>,
    /// What the index is asked for.
    terms: String,
}

/// The walks, in order: one for each need if incidents are sorted by it, else one.
fn levels(filter: &Filter, any_snoozed: bool) -> Vec<Level> {
    let words = filter.words.iter().map(|word| {
        let prefix = if word.prefix { " *" } else { "" };
        let forms: Vec<_> = word.forms.iter().map(|form| format!("\"{form}\"{prefix}")).collect();
        if let [one] = &forms[..] { one.clone() } else { format!("({})", forms.join(" OR ")) }
    });
    let mut terms: Vec<String> = words.collect();
    if !filter.services.is_empty() {
        terms.push(any("service", filter.services.iter().map(|service| hex(service.as_bytes())).collect()));
    }
    if let Some(user) = filter.person() {
        terms.push(any("owner", vec![hex(user.0.as_bytes())]));
    }
    let (states, severities) = (filter.passing_states(), filter.passing_severities());
    if filter.sort != Sort::NeedsMe {
        // A label may have no word, and the index can't be asked for nothing.
        if filter.open.is_some() || !filter.states.is_empty() || terms.is_empty() {
            terms.push(any("state", states.iter().map(|state| state.as_str().to_owned()).collect()));
        }
        if !filter.severities.is_empty() {
            terms.push(any("severity", severities.iter().map(|one| one.as_str().to_owned()).collect()));
        }
        return vec![Level { need: 0, snoozed: None, terms: terms.join(" AND ") }];
    }
    let mut levels: std::collections::BTreeMap<(i64, bool), (Vec<String>, Severity)> = Default::default();
    for state in states {
        for severity in severities.iter().copied() {
            for asleep in [false, true].into_iter().take(1 + usize::from(any_snoozed && state.is_open())) {
                let key = (need(state, severity, asleep), asleep);
                let level = levels.entry(key).or_insert_with(|| (Vec::new(), severity));
                level.0.push(state.as_str().to_owned());
            }
        }
    }
    let level = |((need, asleep), (states, severity)): ((i64, bool), (Vec<String>, Severity))| {
        let of_level = [any("state", states), any("severity", vec![severity.as_str().to_owned()])];
        let terms = terms.iter().chain(&of_level).map(String::as_str).collect::<Vec<_>>().join(" AND ");
        Level { need, snoozed: any_snoozed.then_some(asleep), terms }
    };
    levels.into_iter().map(level).collect()
}

/// Any of these values of what can be filtered.
fn any(kind: &str, values: Vec<String>) -> String {
    let values: Vec<_> = values.iter().map(|value| format!("\"¤{kind}{value}\"")).collect();
    // Of nothing, nothing passes.
    if values.is_empty() { "\"¤none\"".to_owned() } else { format!("({})", values.join(" OR ")) }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a text can't fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Walks along the index of words within a range of places.
async fn walk(
    tx: &mut Tx,
    tenant: TenantId,
    list: &List<'_>,
    (first, range): (i64, (i64, i64)),
    (terms, asleep): (&str, Option<bool>),
    limit: i64,
) -> sqlx::Result<Vec<IncidentId>> {
    let filter = list.filter;
    let mut query = QueryBuilder::<Sqlite>::new(
        "select incidents.id from incident_words cross join incidents where incident_words match ",
    );
    query.push_bind(terms.to_owned());
    query.push(" and incident_words.rowid >= ").push_bind(range.0);
    query.push(" and incident_words.rowid <= ").push_bind(range.1);
    query.push(" and tenant_id = ").push_bind(tenant).push(" and project_id = ").push_bind(list.project);
    query.push(" and number = incident_words.rowid - ").push_bind(first);
    owned(&mut query, filter);
    query.push(snoozed(asleep));
    if !filter.marks.is_empty() {
        // Without the sign each of them would be looked for in the index of words alone.
        query.push(" and +incident_words.rowid in (select number + ").push_bind(first);
        query.push(format!(" from incidents{} where tenant_id = ", index_of(&filter.marks)));
        query.push_bind(tenant).push(" and project_id = ").push_bind(list.project);
        query.push(marked(filter));
        query.push(snoozed(filter.marks.contains(&Mark::Snoozed).then_some(true))).push(")");
    }
    for (name, value) in &filter.labels {
        query.push(" and exists (select 1 from json_each(labels) where key = ").push_bind(name.clone());
        query.push(" and value = ").push_bind(value.clone()).push(")");
    }
    if let Some(from) = filter.from {
        query.push(" and detected_at >= ").push_bind(from);
    }
    if let Some(to) = filter.to {
        query.push(" and detected_at <= ").push_bind(to);
    }
    query.push(if filter.sort == Sort::Oldest {
        " order by incident_words.rowid"
    } else {
        " order by incident_words.rowid desc"
    });
    query.push(" limit ").push_bind(limit);
    let TxConn::Sqlite(open) = tx.conn() else { return Ok(Vec::new()) };
    query.build_query_scalar().fetch_all(&mut **open).await
}

/// Whether anything in a project is put off.
async fn any_snoozed(tx: &mut Tx, tenant: TenantId, project: ProjectId) -> sqlx::Result<bool> {
    on_tx!(tx, c => sqlx::query_scalar(
        "select exists (select 1 from incidents indexed by incidents_snoozed
             where tenant_id = $1 and project_id = $2 and snoozed_until is not null)")
        .bind(tenant).bind(project).fetch_one(c).await)
}

/// The number of the first incident detected at `at` or later, or of the last one at `at` or earlier.
async fn number_at(
    tx: &mut Tx,
    tenant: TenantId,
    project: ProjectId,
    at: Ts,
    later: bool,
) -> sqlx::Result<Option<i64>> {
    let text = if later {
        "select number from incidents where tenant_id = $1 and project_id = $2 and detected_at >= $3
         order by detected_at, id limit 1"
    } else {
        "select number from incidents where tenant_id = $1 and project_id = $2 and detected_at <= $3
         order by detected_at desc, id desc limit 1"
    };
    on_tx!(tx, c => sqlx::query_scalar(text).bind(tenant).bind(project).bind(at).fetch_optional(c).await)
}

/// The number of the incident that a page begins after; of the last one before its time if it is gone.
async fn number_of(tx: &mut Tx, tenant: TenantId, project: ProjectId, place: &Position) -> sqlx::Result<i64> {
    let number: Option<i64> = on_tx!(tx, c => sqlx::query_scalar(
        "select number from incidents where tenant_id = $1 and project_id = $2 and id = $3")
        .bind(tenant).bind(project).bind(place.id).fetch_optional(c).await)?;
    match number {
        Some(number) => Ok(number),
        None => Ok(number_at(tx, tenant, project, place.at(), false).await?.unwrap_or(0)),
    }
}

#[cfg(test)]
mod tests {
    use outbox::Clock;

    use super::*;
    use crate::incident::read::list;

    /// A list narrowed by marks, or sorted by need, is short walks along indexes, however many incidents there are.
    #[tokio::test]
    async fn every_walk_is_along_an_index_in_its_order() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("db").display());
        let db = crate::db::open(&url, folder.path(), Clock::System).await.unwrap();
        let tenant = TenantId::new();
        let mut tx = db.read(tenant.0).await.unwrap();
        let TxConn::Sqlite(open) = tx.conn() else { return };
        let (state, severity) = ("project_id=? AND state=? AND severity=?)", "project_id=? AND severity=?)");
        let service = "project_id=? AND service_name=? AND state=? AND severity=?)";
        for (query, walks) in [
            ("is=snoozed", &[("incidents_snoozed", severity)][..]),
            ("is=snoozed&is=stale&sort=needs_me", &[("incidents_snoozed", severity)]),
            ("is=flapping&is=stale", &[("incidents_flapping", state)]),
            ("is=stale&sort=needs_me", &[("incidents_gone_stale", state), ("incidents_snoozed", severity)]),
            ("sort=needs_me&open=true", &[("incidents_state", state), ("incidents_snoozed", severity)]),
            (
                "sort=needs_me&service_name=a",
                &[("incidents_service", service), ("incidents_snoozed", severity)],
            ),
        ] {
            let (filter, _) = list::read(query).unwrap();
            let list = List { project: ProjectId::new(), filter: &filter, position: None, limit: 51 };
            let text = format!("explain query plan {}", list.seek(tenant).sql().as_str());
            let plan: Vec<(i64, i64, i64, String)> =
                sqlx::query_as(sqlx::AssertSqlSafe(text)).fetch_all(&mut **open).await.unwrap();
            let steps = plan.iter().map(|(.., step)| step).filter(|step| step.contains(" incidents "));
            let found: BTreeSet<_> = steps.map(String::as_str).collect();
            let expected = walks.iter().map(|(index, terms)| {
                format!("SEARCH incidents USING INDEX {index} (tenant_id=? AND {terms}")
            });
            assert_eq!(found, expected.collect::<Vec<_>>().iter().map(String::as_str).collect(), "{query}");
            let sorts = plan.iter().filter(|(.., step)| step.contains("TEMP B-TREE")).count();
            assert_eq!(sorts, 1, "only what was found is sorted: {query}");
        }
    }
}
