//! Pages on PostgreSQL: one short walk along an index for each combination, or the index of words.

use outbox::{Tx, TxConn};
use sqlx::QueryBuilder;
use sqlx::postgres::Postgres;
use sqlx::types::Json;

use super::{Arm, List, any_open, marked};
use crate::ids::{IncidentId, TenantId};
use crate::incident::State;
use crate::incident::read::list::{Position, Sort, Whose};

/// The state of an arm's incidents.
const OF_ARM: &str = " and state = arm.state";

/// A page without a search.
pub(super) async fn seek(tx: &mut Tx, tenant: TenantId, list: &List<'_>) -> sqlx::Result<Vec<IncidentId>> {
    let mut query = QueryBuilder::new("select id from (");
    if list.is_plain() {
        query.push("select id, detected_at, 0 as need from ");
        one(&mut query, tenant, list, None, true);
    } else {
        let arms = list.arms();
        // Only the need that the page before ended in goes on from a place; the others begin.
        let after = |arm: &&Arm<'_>| match (list.filter.sort, list.position) {
            (Sort::NeedsMe, Some(place)) => arm.need() == place.need,
            _ => true,
        };
        let (begun, fresh): (Vec<&Arm<'_>>, Vec<&Arm<'_>>) = arms.iter().partition(after);
        let mut groups = Vec::new();
        for (arms, begun) in [(begun, true), (fresh, false)] {
            let (awake, asleep): (Vec<_>, Vec<_>) = arms.into_iter().partition(|arm| arm.state.is_some());
            groups.extend([(awake, begun), (asleep, begun)]);
        }
        groups.retain(|(arms, _)| !arms.is_empty());
        for (at, (arms, begun)) in groups.iter().enumerate() {
            query.push(if at == 0 { "" } else { " union all " });
            each(&mut query, tenant, list, arms, *begun);
        }
        if groups.is_empty() {
            return Ok(Vec::new());
        }
    }
    query.push(match list.filter.sort {
        Sort::NeedsMe => ") page order by need, detected_at desc, id desc",
        Sort::Newest => ") page order by detected_at desc, id desc",
        Sort::Oldest => ") page order by detected_at, id",
    });
    query.push(" limit ").push_bind(list.limit);
    let TxConn::Postgres(open) = tx.conn() else { return Ok(Vec::new()) };
    query.build_query_scalar().fetch_all(&mut **open).await
}

/// The beginnings of all `arms`, which are of one kind: planned as one, however many they are.
fn each(
    query: &mut QueryBuilder<Postgres>,
    tenant: TenantId,
    list: &List<'_>,
    arms: &[&Arm<'_>],
    begun: bool,
) {
    let words = |word: fn(&Arm<'_>) -> &'static str| arms.iter().map(|arm| word(arm)).collect::<Vec<_>>();
    query.push("select page.id, page.detected_at, arm.need from unnest(");
    query.push_bind(words(|arm| arm.state.map_or("", State::as_str))).push("::text[], ");
    query.push_bind(words(|arm| arm.severity.as_str())).push("::text[], ");
    query
        .push_bind(arms.iter().map(|arm| arm.service.map(str::to_owned)).collect::<Vec<_>>())
        .push("::text[], ");
    query.push_bind(arms.iter().map(|arm| arm.need()).collect::<Vec<_>>());
    query.push("::bigint[]) as arm (state, severity, service, need) cross join lateral ");
    let service = if list.filter.services.is_empty() { "" } else { " and service_name = arm.service" };
    let (state, snoozed) = match arms.first() {
        Some(Arm { state: None, .. }) => (any_open(list.filter), " and snoozed_until is not null"),
        Some(Arm { snoozed: Some(false), .. }) => (OF_ARM.to_owned(), " and snoozed_until is null"),
        _ => (OF_ARM.to_owned(), ""),
    };
    let equal = format!("{state} and severity = arm.severity{service}{snoozed}");
    one(query, tenant, list, Some(&equal), begun);
}

/// One walk along an index.
fn one(
    query: &mut QueryBuilder<Postgres>,
    tenant: TenantId,
    list: &List<'_>,
    equal: Option<&str>,
    begun: bool,
) {
    let (filter, oldest) = (list.filter, list.filter.sort == Sort::Oldest);
    query.push("(select id, detected_at from incidents where tenant_id = ").push_bind(tenant);
    query.push(" and project_id = ").push_bind(list.project).push(equal.unwrap_or_default());
    if filter.whose == Some(Whose::Nobody) {
        query.push(" and assigned_to is null");
    }
    if let Some(user) = filter.person() {
        query.push(" and assigned_to = ").push_bind(user);
    }
    query.push(if filter.still_firing { " and still_firing" } else { "" });
    query.push(marked(filter));
    if let Some(number) = filter.number {
        query.push(" and number = ").push_bind(number);
    }
    if let Some(from) = filter.from {
        query.push(" and detected_at >= ").push_bind(from);
    }
    if let Some(to) = filter.to {
        query.push(" and detected_at <= ").push_bind(to);
    }
    if let Some(place) = list.position.filter(|_| begun) {
        query.push(if oldest { " and (detected_at, id) > (" } else { " and (detected_at, id) < (" });
        query.push_bind(place.at()).push(", ").push_bind(place.id).push(")");
    }
    query.push(if oldest { " order by detected_at, id" } else { " order by detected_at desc, id desc" });
    query.push(" limit ").push_bind(list.limit).push(") page");
}

/// A page of a search on PostgreSQL: its planner chooses between the index of words and the order's own.
pub(super) async fn search(tx: &mut Tx, tenant: TenantId, list: &List<'_>) -> sqlx::Result<Vec<IncidentId>> {
    let filter = list.filter;
    let words = filter.words.iter().map(|word| {
        let prefix = if word.prefix { ":*" } else { "" };
        // No word has a quotation mark or a backslash.
        let forms: Vec<_> = word.forms.iter().map(|form| format!("'{form}'{prefix}")).collect();
        format!("({})", forms.join(" | "))
    });
    let words = Some(words.collect::<Vec<_>>().join(" & ")).filter(|words| !words.is_empty());
    let narrow = filter.open.is_some() || !filter.states.is_empty();
    let states = narrow.then(|| filter.passing_states().iter().map(|one| one.as_str()).collect::<Vec<_>>());
    let severities: Vec<_> = filter.severities.iter().map(|severity| severity.as_str()).collect();
    let sort = match filter.sort {
        Sort::NeedsMe => "needs_me",
        Sort::Newest => "-detected_at",
        Sort::Oldest => "detected_at",
    };
    let TxConn::Postgres(open) = tx.conn() else { return Ok(Vec::new()) };
    let text = "select list_incidents($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";
    sqlx::query_scalar(text)
        .bind(tenant)
        .bind(list.project)
        .bind(words)
        .bind(states)
        .bind(Some(severities).filter(|named| !named.is_empty()))
        .bind(Some(&filter.services).filter(|named| !named.is_empty()))
        .bind(filter.number)
        .bind(filter.from)
        .bind(filter.to)
        .bind(sort)
        .bind(list.position.map(|place| place.need))
        .bind(list.position.map(Position::at))
        .bind(list.position.map(|place| place.id))
        .bind(list.limit)
        .bind(filter.person())
        .bind(filter.whose == Some(Whose::Nobody))
        .bind(Some(Json(&filter.labels)).filter(|labels| !labels.is_empty()))
        .bind(filter.marks.iter().map(|mark| mark.as_str()).collect::<Vec<_>>())
        .fetch_all(&mut **open)
        .await
}
