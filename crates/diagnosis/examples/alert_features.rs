//! Prints the alert features of every alert case of a folder with its label, one JSON object a line, for
//! `fit/fit-alerts.py`: `alert_features DIR`.
#![expect(clippy::print_stdout, reason = "a program that prints data")]

use std::path::Path;

use diagnosis::alerts::alert_rows;
use diagnosis::tracks::Components;
use diagnosis::{cases, score};
use serde_json::json;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args().nth(1).ok_or("usage: alert_features DIR")?;
    let truths = score::truths(Path::new(&dir))?;
    for file in cases(Path::new(&dir))? {
        let file = file?;
        let (false, Some(truth)) = (file.case.alerts.is_empty(), truths.get(&file.case_id)) else { continue };
        let components = Components::of(&file.case);
        let right: Vec<usize> = truth.services().iter().filter_map(|s| components.find(s)).collect();
        let rows: Vec<_> = alert_rows(&file.case, &components)
            .into_iter()
            .map(|r| json!({"instance": r.instance, "component": r.component, "features": r.features}))
            .collect();
        println!(
            "{}",
            json!({
                "case_id": file.case_id, "dataset": truth.dataset, "right": right, "rows": rows,
                "instance": truth.instance, "components": components.names,
            })
        );
    }
    Ok(())
}
