//! Pages on SQLite: one short walk along an index for each combination, or one along the index of words.

use std::fmt::Write as _;

use outbox::{Ts, Tx, TxConn, on_tx};
use sqlx::QueryBuilder;
use sqlx::sqlite::Sqlite;

use super::{Arm, List};
use crate::ids::{IncidentId, ProjectId, TenantId};
use crate::incident::Severity;
use crate::incident::read::list::{Filter, Position, Sort, Whose, need};

/// Bits of an incident's place in SQLite's search index that hold its number.
const NUMBER_BITS: u32 = 36;

/// Numbers by which the order of numbers and the order of detection may differ: incidents whose transactions ran
/// side by side.
const SLACK: i64 = 1_000;

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
        query.push(format!(
            "select * from (select id, detected_at, {level} as need from incidents where tenant_id = "
        ));
        query.push_bind(tenant).push(" and project_id = ").push_bind(self.project);
        if let Some(arm) = arm {
            // Words of a closed list, not of a person.
            query.push(format!(
                " and state = '{}' and severity = '{}'",
                arm.state.as_str(),
                arm.severity.as_str()
            ));
            if let Some(service) = arm.service {
                query.push(" and service_name = ").push_bind(service.to_owned());
            }
        }
        owned(query, self.filter);
        query.push(if self.filter.still_firing { " and still_firing" } else { "" });
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
    for (level, terms) in levels(filter) {
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
        found.extend(walk(tx, tenant, list, (first, range), &terms, left).await?);
    }
    Ok(found)
}

/// What the index is asked for, with how much such incidents need somebody: once for each need if they are
/// sorted by it, else once.
fn levels(filter: &Filter) -> Vec<(i64, String)> {
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
        return vec![(0, terms.join(" AND "))];
    }
    let mut levels: std::collections::BTreeMap<i64, (Vec<String>, Severity)> = Default::default();
    for state in states {
        for severity in severities.iter().copied() {
            let level = levels.entry(need(state, severity)).or_insert_with(|| (Vec::new(), severity));
            level.0.push(state.as_str().to_owned());
        }
    }
    let level = |(level, (states, severity)): (i64, (Vec<String>, Severity))| {
        let of_level = [any("state", states), any("severity", vec![severity.as_str().to_owned()])];
        (level, terms.iter().chain(&of_level).map(String::as_str).collect::<Vec<_>>().join(" AND "))
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
    terms: &str,
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
