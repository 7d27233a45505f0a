//! Predictions for files and folders of cases, one JSON object a case.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::alert_files::read_alert_cases;
use crate::case_files::{CaseFile, read_case};
use crate::diagnose::{Diagnosis, diagnose};
use crate::files::{ReadError, read_file};

/// What `eval` and `diagnose -o json` print for a case, on one line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// The case.
    pub case_id: String,
    /// Services, most probable first.
    pub ranking: Vec<String>,
    /// `service|metric` columns, best first.
    pub metric_ranking: Vec<String>,
    /// Probability of every service of the ranking, in its order.
    pub confidence: Vec<f64>,
}

impl Prediction {
    /// The prediction a diagnosis makes.
    #[must_use]
    pub fn of(case_id: &str, diagnosis: &Diagnosis) -> Self {
        Self {
            case_id: case_id.to_owned(),
            ranking: diagnosis.causes.iter().map(|c| c.service.clone()).collect(),
            metric_ranking: diagnosis.metric_ranking.iter().map(|(_, column)| column.clone()).collect(),
            confidence: diagnosis.causes.iter().map(|c| (c.probability * 1e4).round() / 1e4).collect(),
        }
    }
}

/// What was found in one metrics file.
#[derive(Debug)]
pub struct Diagnosed {
    /// The causes.
    pub diagnosis: Diagnosis,
    /// The same on one line.
    pub prediction: Prediction,
    /// The first and the last time of the file, in unix seconds; nothing in an empty one.
    pub span: Option<(f64, f64)>,
}

/// Diagnoses one metrics file; see [`read_file`].
///
/// # Errors
/// When a file cannot be read.
pub fn diagnose_file(path: &Path, at: Option<f64>, topology: Option<&Path>) -> Result<Diagnosed, ReadError> {
    let file = read_file(path, at, topology)?;
    let diagnosis = diagnose(&file.case);
    let prediction = Prediction::of(&file.case_id, &diagnosis);
    let times = &file.case.times;
    Ok(Diagnosed { diagnosis, prediction, span: times.first().copied().zip(times.last().copied()) })
}

/// How deep folders may be nested: a link that leads back up must end somewhere.
const DEEPEST: usize = 12;

/// Every case in a folder and the folders in it: those with a `case.json`, and the lines of `*.jsonl.gz` files. A line
/// that cannot be read is an error in its place and does not keep the others from being read.
///
/// # Errors
/// When the folder itself cannot be read.
pub fn cases(dir: &Path) -> Result<impl Iterator<Item = Result<CaseFile, ReadError>>, ReadError> {
    let mut folders = Vec::new();
    let mut lists = Vec::new();
    walk(dir, DEEPEST, &mut folders, &mut lists)?;
    folders.sort();
    lists.sort();
    let of_lists = lists.into_iter().flat_map(|path| match read_alert_cases(&path) {
        Ok(cases) => cases,
        Err(error) => vec![Err(error)],
    });
    Ok(folders.into_iter().map(|folder| Ok(read_case(&folder))).chain(of_lists))
}

fn walk(
    dir: &Path,
    deeper: usize,
    folders: &mut Vec<PathBuf>,
    lists: &mut Vec<PathBuf>,
) -> Result<(), ReadError> {
    let io = |source| ReadError::Io { path: dir.to_owned(), source };
    for entry in std::fs::read_dir(dir).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if path.is_dir() {
            if deeper > 0 {
                walk(&path, deeper - 1, folders, lists)?;
            }
        } else if name == "case.json" {
            folders.push(dir.to_owned());
        } else if name.ends_with(".jsonl.gz") {
            lists.push(path);
        }
    }
    Ok(())
}

/// A prediction, and what of its case could not be read.
#[derive(Debug)]
pub struct Evaluated {
    /// The prediction, from what could be read.
    pub prediction: Prediction,
    /// Why a part of the case is missing.
    pub unread: Option<ReadError>,
}

/// A prediction for every case of a folder, in the order of [`cases`].
///
/// # Errors
/// When the folder itself cannot be read; a line of alerts that is not a case is an error in its place.
pub fn evaluate(dir: &Path) -> Result<impl Iterator<Item = Result<Evaluated, ReadError>>, ReadError> {
    let one = |file: CaseFile| Evaluated {
        prediction: Prediction::of(&file.case_id, &diagnose(&file.case)),
        unread: file.unread,
    };
    Ok(cases(dir)?.map(move |file| file.map(one)))
}
