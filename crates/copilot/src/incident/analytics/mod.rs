//! The numbers: how many incidents, how quickly acknowledged and resolved, how noisy.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State as With;
use outbox::Ts;
use serde::{Deserialize, Serialize};

use super::read::store::{self, Measured};
use super::{Severity, State};
use crate::app::App;
use crate::auth::{Query, Viewer};
use crate::error::{Error, Result};

/// Incidents that are counted at most, the newest of the range.
pub const MOST: i64 = 100_000;

/// The longest range, in days.
const MOST_DAYS: i64 = 366;

/// The most buckets.
const MOST_BUCKETS: i64 = 2_000;

/// How long something took, over all incidents that got there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Stat {
    /// The median, in seconds.
    pub median_s: Option<f64>,
    /// The 90th percentile, in seconds.
    pub p90_s: Option<f64>,
    /// How many there are.
    pub count: usize,
}

/// What happened in one stretch of time.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Bucket {
    /// When it begins.
    start: Ts,
    /// Incidents detected in it.
    opened: i64,
    /// Incidents resolved in it.
    resolved: i64,
    /// Incidents detected in it, by severity.
    by_severity: BTreeMap<&'static str, i64>,
}

/// How many incidents a service had.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ServiceCount {
    /// The service; null for incidents that name none.
    service_name: Option<String>,
    /// How many.
    count: i64,
}

/// The numbers of a range.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct IncidentAnalytics {
    from: Ts,
    to: Ts,
    /// `hour` or `day`, in UTC.
    bucket: &'static str,
    buckets: Vec<Bucket>,
    by_state: BTreeMap<&'static str, i64>,
    by_severity: BTreeMap<&'static str, i64>,
    by_service: Vec<ServiceCount>,
    /// Acknowledged − detected.
    mtta: Stat,
    /// Resolved − detected.
    mttr: Stat,
    /// Distinct alerts of these incidents.
    alerts: i64,
    incidents: usize,
    /// How many alerts an incident stands for.
    alerts_per_incident: Option<f64>,
}

/// The range that is asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Range {
    /// From this instant; a week before `to` when absent.
    from: Option<Ts>,
    /// Until before this instant; now when absent.
    to: Option<Ts>,
    /// `hour` or `day`; `day` when absent.
    #[param(pattern = "^(hour|day)$")]
    bucket: Option<String>,
}

/// Counts incidents and how long they took.
#[utoipa::path(get, path = "/api/v1/analytics/incidents", tag = "analytics", params(Range),
    responses((status = 200, body = IncidentAnalytics)))]
pub async fn incidents(
    With(app): With<App>,
    member: Viewer,
    Query(range): Query<Range>,
) -> Result<Json<IncidentAnalytics>> {
    let now = app.clock().now();
    let to = range.to.unwrap_or(now.plus_seconds(1));
    let from = range.from.unwrap_or(to.plus_seconds(-7 * 86_400));
    let (bucket, seconds) = match range.bucket.as_deref() {
        None | Some("day") => ("day", 86_400),
        Some("hour") => ("hour", 3_600),
        Some(_) => return Err(Error::field("bucket", "must be hour or day")),
    };
    let length = (to.micros() - from.micros()) / 1_000_000;
    if length <= 0 || length > MOST_DAYS * 86_400 || length / seconds > MOST_BUCKETS || from.micros() < 0 {
        let why = "the range must be positive, since 1970, at most 366 days and 2000 buckets";
        return Err(Error::field("from", why));
    }
    let mut tx = app.db.read(member.tenant.0).await?;
    let rows = store::measured(&mut tx, member.tenant, member.project, (from, to), MOST).await?;
    let resolved = store::resolved(&mut tx, member.tenant, member.project, (from, to), MOST).await?;
    let alerts = rows.iter().map(|row| row.alert_count).sum();
    Ok(Json(IncidentAnalytics {
        from,
        to,
        bucket,
        buckets: buckets(&rows, &resolved, (from, to), seconds),
        by_state: count(
            State::ALL.iter().map(|state| state.as_str()),
            rows.iter().map(|row| row.state.as_str()),
        ),
        by_severity: by_severity(rows.iter()),
        by_service: by_service(&rows),
        mtta: stat(rows.iter().filter_map(|row| Some(row.acknowledged_at?.seconds_since(row.detected_at)))),
        mttr: stat(rows.iter().filter_map(|row| Some(row.resolved_at?.seconds_since(row.detected_at)))),
        alerts,
        incidents: rows.len(),
        alerts_per_incident: (!rows.is_empty()).then(|| alerts as f64 / rows.len() as f64),
    }))
}

/// Median and 90th percentile by the nearest rank; the median of an even number is the mean of the middle two.
pub fn stat(seconds: impl Iterator<Item = f64>) -> Stat {
    let mut sorted: Vec<f64> = seconds.collect();
    sorted.sort_by(f64::total_cmp);
    let count = sorted.len();
    let at = |rank: usize| sorted.get(rank.saturating_sub(1)).copied();
    let median_s = at(count.div_ceil(2)).zip(at(count / 2 + 1)).map(|(low, high)| f64::midpoint(low, high));
    Stat { median_s, p90_s: at((count * 9).div_ceil(10)), count }
}

fn count<'a>(
    all: impl Iterator<Item = &'static str>,
    seen: impl Iterator<Item = &'a str>,
) -> BTreeMap<&'static str, i64> {
    let mut counts: BTreeMap<_, _> = all.map(|word| (word, 0)).collect();
    for word in seen {
        if let Some(sum) = counts.get_mut(word) {
            *sum += 1;
        }
    }
    counts
}

fn by_severity<'a>(rows: impl Iterator<Item = &'a Measured>) -> BTreeMap<&'static str, i64> {
    count(Severity::ALL.iter().map(|severity| severity.as_str()), rows.map(|row| row.severity.as_str()))
}

fn by_service(rows: &[Measured]) -> Vec<ServiceCount> {
    let mut counts: BTreeMap<Option<&str>, i64> = BTreeMap::new();
    for row in rows {
        *counts.entry(row.service_name.as_deref()).or_default() += 1;
    }
    let named =
        counts.into_iter().map(|(name, count)| ServiceCount { service_name: name.map(str::to_owned), count });
    let mut services: Vec<_> = named.collect();
    services.sort_by_key(|service| std::cmp::Reverse(service.count));
    services
}

fn buckets(rows: &[Measured], resolved: &[Ts], (from, to): (Ts, Ts), seconds: i64) -> Vec<Bucket> {
    let width = seconds * 1_000_000;
    let first = from.micros().div_euclid(width);
    let last = (to.micros() - 1).div_euclid(width);
    let index = |at: Ts| at.micros().div_euclid(width);
    let mut opened: BTreeMap<i64, Vec<&Measured>> = BTreeMap::new();
    for row in rows {
        opened.entry(index(row.detected_at)).or_default().push(row);
    }
    let mut ended: BTreeMap<i64, i64> = BTreeMap::new();
    for at in resolved {
        *ended.entry(index(*at)).or_default() += 1;
    }
    (first..=last)
        .map(|number| {
            let rows = opened.get(&number).map(Vec::as_slice).unwrap_or_default();
            Bucket {
                start: Ts::from_micros(number * width),
                opened: rows.len() as i64,
                resolved: ended.get(&number).copied().unwrap_or_default(),
                by_severity: by_severity(rows.iter().copied()),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_percentiles_are_exact() {
        assert_eq!(stat([].into_iter()), Stat::default());
        let ten = stat((1..=10).map(f64::from));
        assert_eq!((ten.median_s, ten.p90_s, ten.count), (Some(5.5), Some(9.0), 10));
        let three = stat([30.0, 10.0, 20.0].into_iter());
        assert_eq!((three.median_s, three.p90_s), (Some(20.0), Some(30.0)));
    }
}
