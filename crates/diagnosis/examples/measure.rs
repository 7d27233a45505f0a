//! Scores the engine on a folder of cases, next to the figures on record: `measure DIR [known|near] [PREDICTIONS.jsonl]`. With `near`, the start is
//! not given: it is looked for in the quarter of an hour before the end of the file.
#![expect(clippy::print_stdout, reason = "a program that prints a table")]

use std::path::Path;
use std::time::Instant;

use diagnosis::{Onset, Prediction, cases, diagnose, score};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = arguments.next().ok_or("usage: measure DIR [known|near] [PREDICTIONS.jsonl]")?;
    let near = arguments.next().is_some_and(|word| word == "near");
    let mut predictions = Vec::new();
    let mut spent: Vec<f64> = Vec::new();
    for file in cases(Path::new(&dir))? {
        let mut file = file?;
        if near {
            file.case.onset = Onset::Near(f64::INFINITY);
        }
        let begin = Instant::now();
        let diagnosis = diagnose(&file.case);
        spent.push(begin.elapsed().as_secs_f64() * 1e3);
        predictions.push(Prediction::of(&file.case_id, &diagnosis));
    }
    if let Some(path) = arguments.next() {
        let lines: Result<Vec<String>, _> = predictions.iter().map(serde_json::to_string).collect();
        std::fs::write(path, lines?.join("\n"))?;
    }
    let truths = score::truths(Path::new(&dir))?;
    let scores = score::score(&truths, &predictions);
    println!("Shipped weights, on these cases: the service, then service and family of metric\n");
    println!("{}", score::table(&scores));
    recorded(&scores)?;
    let mean = spent.iter().sum::<f64>() / spent.len().max(1) as f64;
    println!("{mean:.2} ms a case, at most {:.2} ms", spent.iter().copied().fold(0.0, f64::max));
    Ok(())
}

/// Prints the figures on record for the data sets that were scored: out of fold, and what others reach.
fn recorded(scores: &[score::Score]) -> Result<(), Box<dyn std::error::Error>> {
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
