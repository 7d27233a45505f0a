//! Prints the features of every case of a folder with its label, one JSON object a line, for `fit/fit-weights.py`:
//! `features DIR [known|near|quiet|bare]`. `near` hides the start, `quiet` ends each case before its incident, so that
//! there is nothing to find, and `bare` hides call graph, entry and alarm.
#![expect(clippy::print_stdout, reason = "a program that prints data")]

use std::path::Path;

use diagnosis::analysis::analyse;
use diagnosis::{Case, Onset, cases, score};
use serde_json::json;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = arguments.next().ok_or("usage: features DIR [known|near|quiet|bare]")?;
    let mode = arguments.next().unwrap_or_else(|| "known".to_owned());
    let truths = score::truths(Path::new(&dir))?;
    for file in cases(Path::new(&dir))? {
        let mut file = file?;
        let Some(truth) = truths.get(&file.case_id) else { continue };
        match mode.as_str() {
            "near" => file.case.onset = Onset::Near(f64::INFINITY),
            "quiet" => end_before_incident(&mut file.case),
            "bare" => {
                file.case.graph.clear();
                file.case.entry = None;
                file.case.target = None;
            }
            _ => {}
        }
        let analysis = analyse(&file.case);
        let right: Vec<usize> = if mode == "quiet" {
            Vec::new()
        } else {
            truth.services().iter().filter_map(|s| analysis.components.find(s)).collect()
        };
        let windows: Vec<_> = analysis
            .windows
            .iter()
            .map(|w| {
                let values: Vec<_> = w.features.columns.iter().map(|(_, v)| v).collect();
                json!({"weight": w.start.weight, "row": w.start.row, "columns": values, "case": w.features.of_case})
            })
            .collect();
        let names: Vec<_> = analysis
            .windows
            .iter()
            .take(1)
            .flat_map(|w| w.features.columns.iter().map(|(n, _)| *n))
            .collect();
        let start = analysis.windows.first().and_then(|w| file.case.times.get(w.start.row));
        println!(
            "{}",
            json!({
                "case_id": file.case_id, "dataset": truth.dataset, "system": truth.system, "mode": mode, "right": right,
                "components": analysis.components.names, "names": names, "windows": windows, "start": start,
                "fault": truth.fault,
            })
        );
    }
    Ok(())
}

/// Leaves out the incident and the guard before it, and puts the supposed start as far from the end as it was.
fn end_before_incident(case: &mut Case) {
    let start = case.times.partition_point(|t| *t < case.onset.time());
    let inside = case.times.len() - start;
    let keep = start.saturating_sub(start / 8);
    case.times.truncate(keep);
    for series in &mut case.series {
        series.values.truncate(keep);
    }
    let onset = case.times.get(keep.saturating_sub(inside.max(3))).copied().unwrap_or(f64::INFINITY);
    case.onset = Onset::Known(onset);
}
