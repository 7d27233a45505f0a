//! How good predictions are: AC@k, Avg@5, Brier score and expected calibration error for every data set.
//!
//! This is the one module that reads labels, and it never sees a case.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::evaluate::Prediction;
use crate::files::{ReadError, open};
use crate::kind::family;

/// What is right for a case.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Truth {
    /// The case.
    pub case_id: String,
    /// Its data set.
    pub dataset: String,
    /// The system the data set is from.
    #[serde(default)]
    pub system: String,
    /// What was done to the system.
    #[serde(default)]
    pub fault: String,
    /// The instance that was broken, where the data set says.
    #[serde(rename = "root_cause_instance")]
    pub instance: Option<String>,
    root_cause_service: String,
    root_cause_services: Option<Vec<String>>,
    root_cause_metric: Option<String>,
    aliases: Option<BTreeMap<String, String>>,
}

impl Truth {
    /// What is right for a case whose cause is any of `services`.
    #[must_use]
    pub fn of(case_id: &str, dataset: &str, services: &[String]) -> Self {
        Self {
            case_id: case_id.to_owned(),
            dataset: dataset.to_owned(),
            system: String::new(),
            fault: String::new(),
            instance: None,
            root_cause_service: services.first().cloned().unwrap_or_default(),
            root_cause_services: Some(services.to_vec()),
            root_cause_metric: None,
            aliases: None,
        }
    }

    /// The services any of which is right.
    #[must_use]
    pub fn services(&self) -> Vec<&str> {
        match self.root_cause_services.as_deref() {
            Some(all) if !all.is_empty() => all.iter().map(String::as_str).collect(),
            _ => vec![&self.root_cause_service],
        }
    }

    /// The component that a name counts as, its instance left off.
    fn resolve<'a>(&'a self, name: &'a str) -> &'a str {
        let component = name.split('#').next().unwrap_or(name);
        self.aliases.as_ref().and_then(|a| a.get(component)).map_or(component, String::as_str)
    }

    fn service_rank(&self, ranking: &[String]) -> Option<usize> {
        let right = self.services();
        let mut seen: Vec<&str> = Vec::new();
        for name in ranking.iter().map(|n| self.resolve(n)) {
            if !seen.contains(&name) {
                seen.push(name);
                if right.contains(&name) {
                    return Some(seen.len());
                }
            }
        }
        None
    }

    fn metric_rank(&self, ranking: &[String], wanted: &str) -> Option<usize> {
        let right = self.services();
        let mut seen: Vec<(&str, &str)> = Vec::new();
        for column in ranking {
            let (owner, metric) = column.rsplit_once('|').unwrap_or(("", column));
            let pair = (self.resolve(owner), family(metric));
            if !seen.contains(&pair) {
                seen.push(pair);
                if right.contains(&pair.0) && pair.1 == wanted {
                    return Some(seen.len());
                }
            }
        }
        None
    }
}

/// The labels of every case of a folder, by case.
///
/// # Errors
/// When the folder or a file in it cannot be read.
pub fn truths(dir: &Path) -> Result<BTreeMap<String, Truth>, ReadError> {
    let mut out = BTreeMap::new();
    collect(dir, &mut out)?;
    Ok(out)
}

fn collect(dir: &Path, out: &mut BTreeMap<String, Truth>) -> Result<(), ReadError> {
    let io = |source| ReadError::Io { path: dir.to_owned(), source };
    for entry in std::fs::read_dir(dir).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let json = |source| ReadError::Json { path: path.clone(), source };
        if path.is_dir() {
            collect(&path, out)?;
        } else if name == "case.json" {
            let truth: Truth = serde_json::from_reader(open(&path)?).map_err(json)?;
            out.insert(truth.case_id.clone(), truth);
        } else if name.ends_with(".jsonl.gz") {
            for line in BufReader::new(open(&path)?).lines() {
                let line = line.map_err(|source| ReadError::Io { path: path.clone(), source })?;
                if !line.trim().is_empty() {
                    let truth: Truth = serde_json::from_str(&line).map_err(json)?;
                    out.insert(truth.case_id.clone(), truth);
                }
            }
        }
    }
    Ok(())
}

/// Shares of cases whose cause is among the first 1, 3 and 5, and the mean over the first 1 to 5.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Accuracy {
    /// How many cases count.
    pub cases: usize,
    /// First.
    pub ac1: f64,
    /// Among the first three.
    pub ac3: f64,
    /// Among the first five.
    pub ac5: f64,
    /// Mean of AC@1 to AC@5.
    pub avg5: f64,
}

impl Accuracy {
    fn of(ranks: &[Option<usize>]) -> Self {
        let within = |k: usize| {
            ranks.iter().filter(|r| r.is_some_and(|r| r <= k)).count() as f64 / ranks.len().max(1) as f64
        };
        let avg5 = (1..=5).map(within).sum::<f64>() / 5.0;
        Self { cases: ranks.len(), ac1: within(1), ac3: within(3), ac5: within(5), avg5 }
    }
}

/// How honest the confidence of the first hypothesis is.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Honesty {
    /// Mean squared difference between confidence and outcome.
    pub brier: f64,
    /// Expected calibration error over ten bins of equal width.
    pub ece: f64,
    /// Mean confidence.
    pub mean_confidence: f64,
}

impl Honesty {
    fn of(pairs: &[(f64, bool)]) -> Option<Self> {
        if pairs.is_empty() {
            return None;
        }
        let count = pairs.len() as f64;
        let outcome = |right: bool| if right { 1.0 } else { 0.0 };
        let brier = pairs.iter().map(|(c, right)| (c - outcome(*right)).powi(2)).sum::<f64>() / count;
        let mut bins = [(0.0, 0.0); 10];
        for (confidence, right) in pairs {
            let bin = &mut bins[((confidence * 10.0) as usize).min(9)];
            bin.0 += confidence;
            bin.1 += outcome(*right);
        }
        let ece = bins.iter().map(|(confidence, right)| (confidence - right).abs()).sum::<f64>() / count;
        Some(Self { brier, ece, mean_confidence: pairs.iter().map(|(c, _)| c).sum::<f64>() / count })
    }
}

/// The scores of one data set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// The data set.
    pub dataset: String,
    /// Right service.
    pub service: Accuracy,
    /// Right service and metric family, over the cases where a metric is the cause.
    pub metric: Accuracy,
    /// Of the confidence of the first hypothesis.
    pub honesty: Option<Honesty>,
}

/// Scores predictions by data set, sorted by name. A case without a prediction counts as wrong; a data set without any
/// prediction is left out.
#[must_use]
pub fn score(truths: &BTreeMap<String, Truth>, predictions: &[Prediction]) -> Vec<Score> {
    let by_id: BTreeMap<&str, &Prediction> = predictions.iter().map(|p| (p.case_id.as_str(), p)).collect();
    let mut groups: BTreeMap<&str, Vec<&Truth>> = BTreeMap::new();
    for truth in truths.values() {
        groups.entry(&truth.dataset).or_default().push(truth);
    }
    groups.retain(|_, members| members.iter().any(|t| by_id.contains_key(t.case_id.as_str())));
    groups.into_iter().map(|(dataset, members)| score_group(dataset, &members, &by_id)).collect()
}

fn score_group(dataset: &str, members: &[&Truth], by_id: &BTreeMap<&str, &Prediction>) -> Score {
    let (mut ranks, mut metric_ranks, mut confidences) = (Vec::new(), Vec::new(), Vec::new());
    for truth in members {
        let prediction = by_id.get(truth.case_id.as_str());
        let rank = prediction.and_then(|p| truth.service_rank(&p.ranking));
        ranks.push(rank);
        if let Some(wanted) = truth.root_cause_metric.as_deref() {
            metric_ranks.push(prediction.and_then(|p| truth.metric_rank(&p.metric_ranking, wanted)));
        }
        if let Some(first) = prediction.and_then(|p| p.confidence.first()) {
            confidences.push((first.clamp(0.0, 1.0), rank == Some(1)));
        }
    }
    let (service, metric) = (Accuracy::of(&ranks), Accuracy::of(&metric_ranks));
    Score { dataset: dataset.to_owned(), service, metric, honesty: Honesty::of(&confidences) }
}

/// The scores as a table of fixed width, with the mean over the data sets as its last line.
#[must_use]
pub fn table(scores: &[Score]) -> String {
    let mut out = String::from(
        "data set                n |  AC@1  AC@3  AC@5 Avg@5 |    n  AC@1  AC@3  AC@5 Avg@5 | Brier   ECE\n",
    );
    let four = |a: &Accuracy| format!("{:5.3} {:5.3} {:5.3} {:5.3}", a.ac1, a.ac3, a.ac5, a.avg5);
    for s in scores {
        let metric = if s.metric.cases == 0 { format!("{:>23}", "-") } else { four(&s.metric) };
        let honesty = s.honesty.map_or_else(String::new, |h| format!("{:5.3} {:5.3}", h.brier, h.ece));
        let (name, n, m) = (&s.dataset, s.service.cases, s.metric.cases);
        out.push_str(&format!("{name:<20} {n:>4} | {} | {m:>4} {metric} | {honesty}\n", four(&s.service)));
    }
    let mean = |of: fn(&Accuracy) -> f64| {
        scores.iter().map(|s| of(&s.service)).sum::<f64>() / scores.len().max(1) as f64
    };
    let means = [mean(|a| a.ac1), mean(|a| a.ac3), mean(|a| a.ac5), mean(|a| a.avg5)];
    let [a, b, c, d] = means;
    out.push_str(&format!("{:<25} | {a:5.3} {b:5.3} {c:5.3} {d:5.3}\n", "mean over data sets"));
    out
}
