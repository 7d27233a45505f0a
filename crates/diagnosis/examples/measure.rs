//! Scores the engine on a folder of cases, next to the figures on record: `measure DIR [known|near] [PREDICTIONS.jsonl]`.
//! With `near`, the start is not given: it is looked for in the quarter of an hour before the end of the file. Without
//! either, both are printed.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints tables")]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use diagnosis::score::{self, Score, Truth};
use diagnosis::{Onset, Prediction, cases, diagnose};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let why = error.source().map(|source| format!(": {source}")).unwrap_or_default();
            eprintln!("measure: {error}{why}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = arguments.next().ok_or("usage: measure DIR [known|near] [PREDICTIONS.jsonl]")?;
    let modes = match arguments.next().as_deref() {
        None => vec!["known", "near"],
        Some("known") => vec!["known"],
        Some("near") => vec!["near"],
        Some(other) => return Err(format!("{other:?} is neither known nor near").into()),
    };
    let out = arguments.next();
    let truths = score::truths(Path::new(&dir))?;
    let mut scores = Vec::new();
    for mode in modes {
        let predictions = predict(Path::new(&dir), mode == "near")?;
        if let Some(path) = &out {
            let lines: Result<Vec<String>, _> = predictions.iter().map(serde_json::to_string).collect();
            std::fs::write(path, lines?.join("\n") + "\n")?;
        }
        let start = if mode == "near" { "estimated" } else { "known" };
        println!("Shipped weights, start {start}: the service, then service and family of metric\n");
        let found = score::score(&truths, &predictions);
        println!("{}{}\n", score::table(&found), pooled(&truths, &predictions));
        if scores.is_empty() {
            scores = found;
        }
    }
    if scores.is_empty() {
        return Err(format!("no case of {dir} has a label").into());
    }
    recorded(&scores)
}

/// Predictions for a folder, and how long they took. Alerts alone have no start that could be looked for.
fn predict(dir: &Path, near: bool) -> Result<Vec<Prediction>, Box<dyn Error>> {
    let mut predictions = Vec::new();
    let mut spent: Vec<f64> = Vec::new();
    let mut found = 0;
    for file in cases(dir)? {
        let mut file = file?;
        found += 1;
        if let Some(why) = &file.unread {
            eprintln!("warning: {}: {why}", file.case_id);
        }
        if near && file.case.series.is_empty() {
            continue;
        }
        if near {
            file.case.onset = Onset::Near(f64::INFINITY);
        }
        let begin = Instant::now();
        let diagnosis = diagnose(&file.case);
        spent.push(begin.elapsed().as_secs_f64() * 1e3);
        predictions.push(Prediction::of(&file.case_id, &diagnosis));
    }
    if found == 0 {
        let why = "holds no case: a folder with case.json, or a file *.jsonl.gz of alerts";
        return Err(format!("{} {why}", dir.display()).into());
    }
    let mean = spent.iter().sum::<f64>() / spent.len().max(1) as f64;
    println!("{mean:.2} ms a case, at most {:.2} ms\n", spent.iter().copied().fold(0.0, f64::max));
    Ok(predictions)
}

/// How honest the confidence is over all cases together: that of ten cases alone is mostly chance.
fn pooled(truths: &BTreeMap<String, Truth>, predictions: &[Prediction]) -> String {
    let mut all = truths.clone();
    all.values_mut().for_each(|truth| truth.dataset.clear());
    let honesty = score::score(&all, predictions).first().and_then(|score| score.honesty);
    honesty
        .map_or_else(String::new, |h| format!("{:<78} | {:5.3} {:5.3}", "all cases together", h.brier, h.ece))
}

/// Prints the figures on record for the data sets that were scored: out of fold, and what others reach.
fn recorded(scores: &[Score]) -> Result<(), Box<dyn Error>> {
    let mut reader = csv::Reader::from_reader(include_str!("../figures/figures.csv").as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>()?;
    for s in scores {
        let own: Vec<_> = rows.iter().filter(|row| row.get(0) == Some(s.dataset.as_str())).collect();
        if own.is_empty() {
            continue;
        }
        println!("On record for {}\n  {:<30}   n  AC@1  AC@3  AC@5 Avg@5 Brier   ECE", s.dataset, "");
        for row in own {
            let at = |column: usize| row.get(column).filter(|text| !text.is_empty()).unwrap_or("-");
            let figures: Vec<String> = (3..9).map(|column| format!("{:>5}", at(column))).collect();
            println!("  {:<30} {:>3} {}", at(1), at(2), figures.join(" "));
            if at(9).starts_with("published") {
                println!("      {}", at(9));
            }
        }
        println!();
    }
    Ok(())
}
