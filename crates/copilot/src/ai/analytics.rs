//! What the model cost, and how good the hypotheses were.

pub mod store;

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use outbox::Ts;
use serde::{Deserialize, Serialize};

use super::model::midnight;
use crate::app::App;
use crate::auth::{Query, Viewer};
use crate::error::{Error, Result};
use crate::ids::{ProjectId, TenantId};

/// Days looked back when nothing is asked for.
const DAYS: i64 = 30;

/// The longest span that is summed up, in seconds.
const MOST_S: f64 = 400.0 * 86_400.0;

/// A day in microseconds.
const DAY_MICROS: i64 = 86_400_000_000;

/// Which time is summed up.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Span {
    /// Not before this instant; 30 days ago when absent.
    pub from: Option<Ts>,
    /// Before this instant; now when absent.
    pub to: Option<Ts>,
}

/// Calls of one model on one day (UTC).
#[derive(Clone, Debug, Default, PartialEq, Serialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, by the contract's names")]
pub struct Day {
    pub day: String,
    pub model: String,
    pub requests: i64,
    pub prompt_tokens: i64,
    pub completion_tokens: i64,
    /// Null when the price of a call is unknown.
    pub cost_usd: Option<f64>,
}

/// Calls altogether.
#[derive(Clone, Debug, Default, PartialEq, Serialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, by the contract's names")]
pub struct Totals {
    pub requests: i64,
    pub prompt_tokens: i64,
    pub completion_tokens: i64,
    pub cost_usd: Option<f64>,
    pub cache_hits: i64,
    /// Calls whose outcome nobody learnt; they cost what was reserved.
    pub orphaned: i64,
    pub failed: i64,
}

/// What the tenant may spend.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, by the contract's names")]
pub struct Budget {
    pub daily_usd: f64,
    pub used_today_usd: f64,
}

/// What people said of hypotheses.
#[derive(Clone, Debug, Default, PartialEq, Serialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, by the contract's names")]
pub struct Verdicts {
    pub accepted: i64,
    pub rejected: i64,
    pub uncertain: i64,
}

/// How analyses ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, by the contract's names")]
pub struct Endings {
    pub completed: i64,
    pub inconclusive: i64,
    pub failed: i64,
}

/// Of the judged hypotheses whose confidence lay between `from` and `to`, how many were right.
#[derive(Clone, Debug, Default, PartialEq, Serialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, by the contract's names")]
pub struct Bin {
    pub from: f64,
    pub to: f64,
    pub count: i64,
    pub accepted: i64,
}

/// What the model cost, and how good the hypotheses were.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, by the contract's names")]
pub struct AiAnalytics {
    pub from: Ts,
    pub to: Ts,
    pub model: Option<String>,
    pub days: Vec<Day>,
    pub totals: Totals,
    pub budget: Budget,
    pub feedback: Verdicts,
    pub analyses: Endings,
    pub calibration: Vec<Bin>,
}

/// Sums up calls of the model, their cost, and how good the hypotheses were.
#[utoipa::path(get, path = "/api/v1/analytics/ai", tag = "analytics", params(Span),
    responses((status = 200, body = AiAnalytics)))]
pub async fn ai(
    State(app): State<App>,
    member: Viewer,
    Query(span): Query<Span>,
) -> Result<Json<AiAnalytics>> {
    let now = app.clock().now();
    let to = span.to.unwrap_or(now);
    let from = span.from.unwrap_or_else(|| to.plus_seconds(-DAYS * 86_400));
    if to <= from || to.seconds_since(from) > MOST_S {
        return Err(Error::field("from", "must lie before `to`, by 400 days at most"));
    }
    sum_up(&app.db, &app.model, (member.tenant, member.project), (from, to)).await.map(Json)
}

/// The sums of one project; the budget is the tenant's.
///
/// # Errors
/// When the database refused.
pub async fn sum_up(
    db: &outbox::Db,
    model: &super::Model,
    (tenant, project): (TenantId, ProjectId),
    (from, to): (Ts, Ts),
) -> Result<AiAnalytics> {
    let mut tx = db.read(tenant.0).await?;
    let today = midnight(tx.now());
    let calls = store::calls(&mut tx, tenant, project, (from, to)).await?;
    let judged = store::judged(&mut tx, tenant, project, (from, to)).await?;
    let ended = store::ended(&mut tx, tenant, project, (from, to)).await?;
    let used = super::model::store::spent_since(&mut tx, tenant, today).await?;
    let (days, totals) = spent(&calls);
    let count = |word: &str| judged.iter().filter(|(_, verdict)| verdict == word).count() as i64;
    let status = |word: &str| ended.iter().find(|(status, _)| status == word).map_or(0, |(_, count)| *count);
    Ok(AiAnalytics {
        from,
        to,
        model: model.name().map(str::to_owned),
        days,
        totals,
        budget: Budget { daily_usd: usd(model.daily_micros()), used_today_usd: usd(used) },
        feedback: Verdicts {
            accepted: count("accepted"),
            rejected: count("rejected"),
            uncertain: count("uncertain"),
        },
        analyses: Endings {
            completed: status("completed"),
            inconclusive: status("inconclusive"),
            failed: status("failed"),
        },
        calibration: calibration(&judged),
    })
}

fn usd(micros: i64) -> f64 {
    micros as f64 / 1e6
}

/// Sums by day and model, and altogether. What is unknown of a part is unknown of the whole.
fn spent(calls: &[store::Calls]) -> (Vec<Day>, Totals) {
    let mut days: BTreeMap<(i64, &str), (Day, Option<i64>)> = BTreeMap::new();
    let mut totals = Totals::default();
    let mut cost = Some(0_i64);
    for part in calls {
        match part.status.as_str() {
            "cached" => {
                totals.cache_hits += part.count;
                continue;
            }
            "orphaned" => totals.orphaned += part.count,
            "failed" => totals.failed += part.count,
            _ => {}
        }
        let (row, row_cost) = days.entry((part.day, part.model.as_str())).or_insert_with(|| {
            let day = Ts::from_micros(part.day * DAY_MICROS).timestamp().strftime("%Y-%m-%d").to_string();
            (Day { day, model: part.model.clone(), ..Day::default() }, Some(0))
        });
        row.requests += part.count;
        row.prompt_tokens += part.prompt_tokens;
        row.completion_tokens += part.completion_tokens;
        *row_cost = row_cost.zip(part.cost_micros).map(|(sum, micros)| sum + micros);
        totals.requests += part.count;
        totals.prompt_tokens += part.prompt_tokens;
        totals.completion_tokens += part.completion_tokens;
        cost = cost.zip(part.cost_micros).map(|(sum, micros)| sum + micros);
    }
    totals.cost_usd = cost.map(usd);
    let rows = days.into_values().map(|(row, cost)| Day { cost_usd: cost.map(usd), ..row });
    (rows.collect(), totals)
}

/// Ten bins of equal width; what is uncertain is neither right nor wrong.
fn calibration(judged: &[(f64, String)]) -> Vec<Bin> {
    let mut bins: Vec<Bin> = (0..10)
        .map(|at| Bin { from: f64::from(at) / 10.0, to: f64::from(at + 1) / 10.0, ..Bin::default() })
        .collect();
    for (confidence, verdict) in judged.iter().filter(|(_, verdict)| verdict != "uncertain") {
        if let Some(bin) = bins.get_mut(((confidence * 10.0) as usize).min(9)) {
            bin.count += 1;
            bin.accepted += i64::from(verdict == "accepted");
        }
    }
    bins
}
