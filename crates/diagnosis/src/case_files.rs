//! Reading a folder with a case: what is known as JSON, metrics as CSV. Labels are never read here.
//!
//! Everything but the file itself is optional. What is absent, null or of another type than it should be is unknown,
//! so that one odd field does not cost the answer.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use crate::case::{Case, Change, Onset};
use crate::files::{ReadError, parse, read_metrics, read_text};
use crate::kind::Kind;

/// A case from a file, with its name.
#[derive(Debug)]
pub struct CaseFile {
    /// Its id.
    pub case_id: String,
    /// The data set it belongs to; empty where none is named.
    pub dataset: String,
    /// What is known.
    pub case: Case,
    /// Why a part of it is missing: a file of it could not be read.
    pub unread: Option<ReadError>,
}

/// Reads `case.json` and `metrics.csv.gz` (or `metrics.csv`) of a folder. A file that cannot be read is named in
/// [`CaseFile::unread`], and the case is what the other one says; its id is then that of the folder.
#[must_use]
pub fn read_case(folder: &Path) -> CaseFile {
    let path = folder.join("case.json");
    let known = read_text(&path).and_then(|text| parse::<Map<String, Value>>(&path, &text));
    let packed = folder.join("metrics.csv.gz");
    let table = read_metrics(&if packed.exists() { packed } else { folder.join("metrics.csv") });
    let (known, mut unread) = known.map_or_else(|e| (Map::new(), Some(e)), |known| (known, None));
    let (times, series) = table.unwrap_or_else(|error| {
        unread.get_or_insert(error);
        (Vec::new(), Vec::new())
    });
    let name = || folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    CaseFile {
        case_id: text(&known, "case_id").unwrap_or_else(name),
        dataset: text(&known, "dataset").unwrap_or_default(),
        case: Case { times, series, ..about(&known) },
        unread,
    }
}

pub(crate) fn about(known: &Map<String, Value>) -> Case {
    let noticed = number(known, "detect_time");
    let onset = match (number(known, "inject_time"), noticed) {
        (Some(start), _) => Onset::Known(start),
        (None, Some(noticed)) => Onset::Near(noticed),
        (None, None) => Onset::Near(f64::INFINITY),
    };
    let target = text(known, "target_metric").and_then(|name| {
        let (owner, metric) = name.rsplit_once('|')?;
        Some((owner.to_owned(), Kind::of_metric(metric)))
    });
    Case {
        onset,
        noticed,
        graph: list(known, "graph").filter_map(call).collect(),
        candidates: list(known, "candidates").filter_map(|v| v.as_str().map(str::to_owned)).collect(),
        aliases: aliases(known),
        changes: list(known, "changes").filter_map(|v| change(v.as_object()?)).collect(),
        entry: text(known, "entry_service"),
        target,
        ..Case::default()
    }
}

fn text(known: &Map<String, Value>, key: &str) -> Option<String> {
    known.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn number(known: &Map<String, Value>, key: &str) -> Option<f64> {
    let value = known.get(key)?;
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|n| n.is_finite())
}

pub(crate) fn list<'a>(known: &'a Map<String, Value>, key: &str) -> impl Iterator<Item = &'a Value> {
    known.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// A call: a pair of names, with or without more behind it.
pub(crate) fn call(pair: &Value) -> Option<(String, String)> {
    let name = |place: usize| pair.get(place).and_then(Value::as_str).map(str::to_owned);
    Some((name(0)?, name(1)?))
}

pub(crate) fn aliases(known: &Map<String, Value>) -> BTreeMap<String, String> {
    let pairs = known.get("aliases").and_then(Value::as_object).into_iter().flatten();
    pairs.filter_map(|(name, target)| Some((name.clone(), target.as_str()?.to_owned()))).collect()
}

/// A change has a time and a service; whichever list begins with `new` or `added` names what it brought.
fn change(fields: &Map<String, Value>) -> Option<Change> {
    let brought = |key: &str| key.starts_with("new") || key.starts_with("added");
    let lists = fields.iter().filter(|(key, _)| brought(key)).filter_map(|(_, value)| value.as_array());
    Some(Change {
        time: number(fields, "time")?,
        service: text(fields, "service")?,
        what: text(fields, "what").or_else(|| text(fields, "version")),
        new_instances: lists.flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect(),
    })
}
