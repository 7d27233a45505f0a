//! The same hour of earlier days: what happens every day at this time is usual, however rare it is in the hour before.

use futures_util::future::join_all;

use super::ask::{Ask, Owner};
use super::metrics::{Metrics, owner};
use crate::ai::prometheus::{Line, Prometheus};

/// Earlier days that are looked at: two working days and the same day of the week.
const DAYS: [u32; 3] = [1, 2, 7];

/// Seconds on both sides of the alarm's time of day.
const AROUND_S: f64 = 900.0;

/// Seconds between two points.
const STEP_S: f64 = 60.0;

/// Queries that are asked again for earlier days, the most telling first.
const ASKS: usize = 10;

/// What one query found on one earlier day.
pub struct Earlier {
    query: String,
    lines: Vec<Line>,
}

/// The earlier days, as seconds back, of which Prometheus has samples of these metrics.
pub async fn days(prometheus: &Prometheus, metrics: &[String], alarm: f64) -> Vec<f64> {
    let query = format!("count({{__name__=~\"{}\"}})", metrics.join("|"));
    let back = DAYS.map(|day| f64::from(day) * 86_400.0);
    let asked = join_all(back.iter().map(|seconds| prometheus.query(&query, alarm - seconds))).await;
    let known = |answer: &Result<Vec<Line>, _>| answer.as_ref().is_ok_and(|lines| !lines.is_empty());
    back.into_iter().zip(asked).filter(|(_, answer)| known(answer)).map(|(seconds, _)| seconds).collect()
}

/// Asks the first of `asks` again for each of those days.
pub async fn ask(prometheus: &Prometheus, asks: &[Ask], days: &[f64], alarm: f64) -> Vec<Earlier> {
    // Failures at this hour yesterday do not make failures usual.
    let fit = |ask: &&Ask| ask.kind != diagnosis::Kind::Errors && ask.kind != diagnosis::Kind::Success;
    let chosen: Vec<&Ask> = asks.iter().filter(fit).take(ASKS).collect();
    let all = days.iter().flat_map(|back| chosen.iter().map(move |ask| (*back, *ask)));
    let asked = all.map(|(back, ask)| async move {
        let (from, to) = (alarm - back - AROUND_S, alarm - back + AROUND_S);
        let lines = prometheus.range(&ask.query, from, to, STEP_S).await.ok()?;
        Some(Earlier { query: ask.query.clone(), lines })
    });
    join_all(asked).await.into_iter().flatten().collect()
}

/// Notes for every series what its least and its most were on the middle one of those days.
pub fn place(out: &mut Metrics, earlier: &[Earlier]) {
    let mut known = 0;
    for one in &mut out.measured {
        let Some(ask) = out.asks.get(one.ask) else { continue };
        let whose = (one.service.clone(), one.peer.clone());
        let days = earlier.iter().filter(|day| day.query == ask.query);
        let ranges: Vec<(f64, f64)> = days.filter_map(|day| range(day, &ask.owner, &whose)).collect();
        one.usual = middle(&ranges);
        known += usize::from(one.usual.is_some());
    }
    if known > 0 {
        out.checked.push(format!("{known} series were compared with the same hour of earlier days"));
    } else {
        out.checked.push("Prometheus has no samples of the same hour of earlier days".to_owned());
    }
}

fn range(day: &Earlier, by: &Owner, whose: &(String, Option<String>)) -> Option<(f64, f64)> {
    let line = day.lines.iter().find(|line| owner(by, &line.labels).as_ref() == Some(whose))?;
    let values = || line.points.iter().map(|(_, value)| *value).filter(|value| value.is_finite());
    let (least, most) = (values().reduce(f64::min)?, values().reduce(f64::max)?);
    Some((least, most))
}

/// The middle of the least ones and of the most ones: one bad day makes nothing usual. Of two days, the calmer.
fn middle(ranges: &[(f64, f64)]) -> Option<(f64, f64)> {
    let mut least: Vec<f64> = ranges.iter().map(|range| range.0).collect();
    let mut most: Vec<f64> = ranges.iter().map(|range| range.1).collect();
    least.sort_by(|a, b| b.total_cmp(a));
    most.sort_by(f64::total_cmp);
    let at = ranges.len().saturating_sub(1) / 2;
    Some((*least.get(at)?, *most.get(at)?))
}

#[cfg(test)]
mod tests {
    use super::middle;

    #[test]
    fn one_bad_day_makes_nothing_usual() {
        assert_eq!(middle(&[]), None);
        assert_eq!(middle(&[(1.0, 9.0)]), Some((1.0, 9.0)));
        assert_eq!(middle(&[(1.0, 9.0), (2.0, 90.0)]), Some((2.0, 9.0)));
        assert_eq!(middle(&[(1.0, 9.0), (1.5, 90.0), (2.0, 10.0)]), Some((1.5, 10.0)));
    }
}
