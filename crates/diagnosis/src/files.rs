//! Reading metrics from tables, with a topology file beside them.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::case::{Case, Onset, Series};
use crate::case_files::{self, CaseFile};
use crate::columns::columns;

/// No file is read beyond this many bytes, compressed or not.
const MOST_BYTES: u64 = 1 << 30;

/// Why a file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be opened or read.
    #[error("{path} cannot be read")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is not valid JSON or lacks what is needed.
    #[error("{path} is not what it should be")]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: serde_json::Error,
    },
    /// It is not a table of numbers.
    #[error("{path}: {problem}")]
    Table {
        /// The file.
        path: PathBuf,
        /// Where and what.
        problem: String,
    },
}

/// Opens a file, unpacking it when it begins like gzip.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Read>, ReadError> {
    let io = |source| ReadError::Io { path: path.to_owned(), source };
    let mut file = BufReader::with_capacity(1 << 16, File::open(path).map_err(io)?);
    let packed = std::io::BufRead::fill_buf(&mut file).map_err(io)?.starts_with(&[0x1f, 0x8b]);
    Ok(if packed {
        Box::new(flate2::bufread::MultiGzDecoder::new(file).take(MOST_BYTES))
    } else {
        Box::new(file.take(MOST_BYTES))
    })
}

pub(crate) fn read_text(path: &Path) -> Result<String, ReadError> {
    let mut text = String::new();
    open(path)?
        .read_to_string(&mut text)
        .map_err(|source| ReadError::Io { path: path.to_owned(), source })?;
    Ok(text)
}

pub(crate) fn parse<'a, T: Deserialize<'a>>(path: &Path, text: &'a str) -> Result<T, ReadError> {
    serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|source| ReadError::Json { path: path.to_owned(), source })
}

/// Times and series of a metrics file: the first column is the time in unix seconds, the others are named
/// `service|metric` or `service#instance|metric`, or as [`columns`] reads them. An empty field is a missing sample. Rows are
/// put in order of time.
///
/// # Errors
/// When the file cannot be read, a column has no such name, or a field is neither empty nor a number.
pub fn read_metrics(path: &Path) -> Result<(Vec<f64>, Vec<Series>), ReadError> {
    let bad = |problem: String| ReadError::Table { path: path.to_owned(), problem };
    let mut reader = csv::ReaderBuilder::new().buffer_capacity(1 << 16).from_reader(open(path)?);
    let header = reader.headers().map_err(|e| bad(e.to_string()))?.clone();
    if header.len() < 2 {
        return Err(bad("expected a time column and at least one `service|metric` column".to_owned()));
    }
    let names: Vec<&str> = header.iter().skip(1).collect();
    let mut series = columns(&names).map_err(|name| {
        bad(format!("column {name:?} is not named `service|metric`, and is not read otherwise"))
    })?;
    let mut times = Vec::new();
    let mut record = csv::ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(|e| bad(e.to_string()))? {
        let line = record.position().map_or(0, csv::Position::line);
        for (i, field) in record.iter().enumerate() {
            let name = header.get(i).unwrap_or("?");
            let value = number(field).ok_or_else(|| {
                bad(format!("line {line}, column {name:?}: {:?} is not a number", lossy(field)))
            })?;
            match i.checked_sub(1) {
                None if value.is_finite() => times.push(value),
                None => return Err(bad(format!("line {line}: the time is missing"))),
                Some(j) => series[j].values.push(value),
            }
        }
    }
    sort_by_time(&mut times, &mut series);
    Ok((times, series))
}

fn lossy(field: &[u8]) -> String {
    String::from_utf8_lossy(field).chars().take(40).collect()
}

/// A field as a number; empty and the usual words for nothing are missing samples.
fn number(field: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(field).ok()?.trim();
    if ["", "null", "none", "na", "n/a"].iter().any(|nothing| text.eq_ignore_ascii_case(nothing)) {
        return Some(f64::NAN);
    }
    text.parse().ok()
}

fn sort_by_time(times: &mut Vec<f64>, series: &mut [Series]) {
    if times.is_sorted() {
        return;
    }
    let mut order: Vec<usize> = (0..times.len()).collect();
    order.sort_by(|&a, &b| times[a].total_cmp(&times[b]));
    *times = order.iter().map(|&i| times[i]).collect();
    for one in series {
        one.values = order.iter().map(|&i| one.values[i]).collect();
    }
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only whether it can be read is asked")]
struct TopologyJson {
    graph: Vec<(String, String)>,
    #[serde(default)]
    candidates: Vec<String>,
}

/// A case from a metrics file and, where there is one, a topology file: `{"graph": [[caller, callee], …]}` with an
/// optional list of `candidates`, and whatever else a `case.json` may say but the time, so that one can be given. `at` is
/// the time of the incident in unix seconds; without it the incident is looked for at the end of the file.
///
/// # Errors
/// When one of the files cannot be read.
pub fn read_file(path: &Path, at: Option<f64>, topology: Option<&Path>) -> Result<CaseFile, ReadError> {
    let (times, series) = read_metrics(path)?;
    let mut known = Map::new();
    if let Some(file) = topology {
        let text = read_text(file)?;
        // What it must hold must be right; of the rest what can be used is.
        parse::<TopologyJson>(file, &text)?;
        known = parse(file, &text)?;
    }
    let onset = at.map_or(Onset::Near(f64::INFINITY), Onset::Known);
    let case = Case { times, series, onset, ..case_files::about(&known) };
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let name = name.trim_end_matches(".gz").trim_end_matches(".csv").to_owned();
    let case_id = known.get("case_id").and_then(Value::as_str).map_or(name, str::to_owned);
    Ok(CaseFile { case_id, dataset: String::new(), case, unread: None })
}
