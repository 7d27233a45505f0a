//! Which incidents a list shows, and in which order.

use outbox::Ts;
use serde::{Deserialize, Serialize};

use crate::error::{Error, FieldError, Result};
use crate::ids::IncidentId;
use crate::incident::{Incident, Severity, State};
use crate::page::PageQuery;

/// Words a search may have.
const MOST_WORDS: usize = 8;

/// Characters a search may have.
const MOST_CHARS: usize = 200;

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Open before closed, unacknowledged before the others, severe first, then the newest.
    NeedsMe,
    /// The newest first.
    #[default]
    Newest,
    /// The oldest first.
    Oldest,
}

/// Which incidents are shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// In any of these states; in every state when empty.
    pub states: Vec<State>,
    /// Of any of these severities; of every one when empty.
    pub severities: Vec<Severity>,
    /// Of any of these services; of every one when empty.
    pub services: Vec<String>,
    /// Only open or only closed ones.
    pub open: Option<bool>,
    /// Detected at this instant or later.
    pub from: Option<Ts>,
    /// Detected at this instant or earlier.
    pub to: Option<Ts>,
    /// Patterns that title, description, service, labels or number must all match.
    pub words: Vec<String>,
    /// The order.
    pub sort: Sort,
}

/// Where a page begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Position {
    /// How much the last incident needs somebody; 0 when the list is not sorted by it.
    pub need: i64,
    /// When the last incident was detected, in microseconds.
    pub micros: i64,
    /// The last incident.
    pub id: IncidentId,
}

impl Position {
    /// The position after `incident`.
    pub fn after(incident: &Incident) -> Self {
        let group = match (incident.open, incident.state) {
            (true, State::Detected) => 0,
            (true, _) => 10,
            (false, _) => 20,
        };
        let need = group + incident.severity.rank();
        Self { need, micros: incident.detected_at.micros(), id: incident.id }
    }
}

/// Reads a query string in which a name may stand several times; unknown names are refused.
///
/// # Errors
/// One line for each parameter that was not accepted.
pub fn read(query: &str) -> Result<(Filter, PageQuery)> {
    let (mut filter, mut page) = (Filter::default(), PageQuery::default());
    let mut errors = Vec::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if let Err(message) = one(&mut filter, &mut page, &name, &value) {
            errors.push(FieldError { field: name.into_owned(), message });
        }
    }
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    if filter.words.len() > MOST_WORDS || filter.words.iter().map(String::len).sum::<usize>() > 2 * MOST_CHARS
    {
        let why = format!("search for at most {MOST_WORDS} words and {MOST_CHARS} characters");
        return Err(Error::Refused("query-too-complex", why));
    }
    Ok((filter, page))
}

fn one(filter: &mut Filter, page: &mut PageQuery, name: &str, value: &str) -> Result<(), String> {
    match name {
        "state" => filter.states.push(value.parse()?),
        "severity" => filter.severities.push(value.parse()?),
        "service_name" => filter.services.push(value.to_owned()),
        "open" => filter.open = Some(value.parse().map_err(|_| "must be true or false")?),
        "from" => filter.from = Some(instant(value)?),
        "to" => filter.to = Some(instant(value)?),
        "q" => filter.words.extend(value.split_whitespace().map(pattern)),
        "limit" => page.limit = Some(value.parse().map_err(|_| "must be a number")?),
        "cursor" => page.cursor = Some(value.to_owned()),
        "sort" => {
            filter.sort = match value {
                "needs_me" => Sort::NeedsMe,
                "-detected_at" => Sort::Newest,
                "detected_at" => Sort::Oldest,
                _ => return Err("must be one of needs_me, -detected_at, detected_at".to_owned()),
            }
        }
        _ => return Err("is not a parameter of this list".to_owned()),
    }
    Ok(())
}

fn instant(text: &str) -> Result<Ts, String> {
    let instant: Result<jiff::Timestamp, _> = text.parse();
    instant.map(Ts::from).map_err(|_| "must be an RFC 3339 time".to_owned())
}

/// A LIKE pattern that finds `word` anywhere; its own wildcards are ordinary characters.
fn pattern(word: &str) -> String {
    let word = word.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{word}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_stand_several_times() {
        let (filter, page) =
            read("state=detected&state=resolved&severity=high&q=check%20100%25&limit=5").unwrap();
        assert_eq!(filter.states, [State::Detected, State::Resolved]);
        assert_eq!(filter.words, ["%check%", "%100\\%%"]);
        assert_eq!(page.limit, Some(5));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let Err(Error::Invalid(errors)) = read("state=asleep&from=yesterday&colour=red") else {
            panic!("accepted")
        };
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["state", "from", "colour"]);
    }
}
