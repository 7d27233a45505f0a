//! Which incidents a list shows, and in which order.

use std::collections::{BTreeMap, BTreeSet};

use outbox::Ts;
use serde::{Deserialize, Serialize};

use crate::error::{Error, FieldError, Result};
use crate::ids::{IncidentId, UserId};
use crate::incident::{Incident, Severity, State};
use crate::page::{PageQuery, in_order};

pub mod store;

/// Words a search may have.
const MOST_WORDS: usize = 24;

/// Services a list may be narrowed to.
const MOST_SERVICES: usize = 10;

/// Labels a list may be narrowed by.
const MOST_LABELS: usize = 5;

/// Words of one label that the index is asked for; the label itself is compared whole.
const MOST_LABEL_WORDS: usize = 8;

/// Bytes of a word that are looked at; a longer one may begin like others.
const WORD_LENGTH: usize = 64;

/// Characters a search may have.
const MOST_CHARS: usize = 200;

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Open before closed, what is put off after the others that are open, unacknowledged first, severe first, then the newest.
    NeedsMe,
    /// The newest first.
    #[default]
    Newest,
    /// The oldest first.
    Oldest,
}

crate::words! {
    /// What sets an incident apart, whatever its state.
    pub enum Mark {
        /// One of its alerts opens and closes too often to be believed.
        Flapping = "flapping",
        /// Its sender has been silent for longer than it should be.
        Stale = "stale",
        /// Somebody put it off.
        Snoozed = "snoozed",
    }
}

/// Whose incidents are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Those of nobody.
    Nobody,
    /// Those of whoever asks.
    Asker,
    /// Those of who signs in with this address.
    Email(String),
    /// Those of this person.
    Person(UserId),
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
    /// Only those of whom this names.
    pub whose: Option<Whose>,
    /// Only those with all of these labels.
    pub labels: BTreeMap<String, String>,
    /// Only open or only closed ones.
    pub open: Option<bool>,
    /// Only those with all of these marks.
    pub marks: BTreeSet<Mark>,
    /// Only those that are resolved while an alert of them fires.
    pub still_firing: bool,
    /// Detected at this instant or later.
    pub from: Option<Ts>,
    /// Detected at this instant or earlier.
    pub to: Option<Ts>,
    /// Words of title, description, service, labels or number.
    pub words: Vec<Word>,
    /// The number of the only incident that is meant, when the search names one.
    pub number: Option<i64>,
    /// The search asks for something that no incident can have.
    pub nothing: bool,
    /// The order.
    pub sort: Sort,
}

/// A word of a search: letters and digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The ways in which it may be written. The index folds the case of ASCII letters alone, so a word with others is
    /// looked for in small letters, in capitals and with a capital first.
    pub forms: Vec<String>,
    /// Whether longer words that begin with it are meant too.
    pub prefix: bool,
}

/// Where a page begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Position {
    /// How much the last incident needs somebody; 0 when the list is not sorted by it.
    pub need: i64,
    /// When the last incident was detected, in microseconds since 1970.
    pub micros: i64,
    /// The last incident.
    pub id: IncidentId,
}

impl Position {
    /// The position after `incident`.
    pub fn after(incident: &Incident) -> Self {
        let need = need(incident.state, incident.severity, incident.snoozed_until.is_some());
        Self { need, micros: incident.detected_at.micros(), id: incident.id }
    }

    /// When the last incident was detected; a cursor that somebody made up may say anything.
    pub fn at(&self) -> Ts {
        Ts::from_micros(self.micros.max(0))
    }
}

/// How much an incident needs somebody, the least first: open before closed, what is put off after the others that are open,
/// unacknowledged first, severe first.
pub fn need(state: State, severity: Severity, snoozed: bool) -> i64 {
    let group = match state {
        state if !state.is_open() => 20,
        _ if snoozed => 15,
        State::Detected => 0,
        _ => 10,
    };
    group + severity.rank()
}

impl Filter {
    /// The states that pass.
    pub fn passing_states(&self) -> Vec<State> {
        let named = |state: &State| self.states.is_empty() || self.states.contains(state);
        let open = |state: &State| self.open.is_none_or(|open| open == state.is_open());
        State::ALL.iter().copied().filter(|state| named(state) && open(state)).collect()
    }

    /// The severities that pass.
    pub fn passing_severities(&self) -> Vec<Severity> {
        let named = |severity: &Severity| self.severities.is_empty() || self.severities.contains(severity);
        Severity::ALL.iter().copied().filter(named).collect()
    }

    /// Whether only some states, severities, services or marks pass.
    pub fn narrows(&self) -> bool {
        let named = !(self.states.is_empty() && self.severities.is_empty() && self.services.is_empty());
        named || self.open.is_some() || self.person().is_some() || !self.marks.is_empty()
    }

    /// The one person whose incidents pass.
    pub fn person(&self) -> Option<UserId> {
        match self.whose {
            Some(Whose::Person(user)) => Some(user),
            _ => None,
        }
    }

    /// Whether the index of words is needed.
    pub fn searches(&self) -> bool {
        !(self.words.is_empty() && self.labels.is_empty())
    }

    fn label(&mut self, text: &str) -> Result<(), String> {
        let (name, value) = text.split_once('=').ok_or("must be NAME=VALUE")?;
        if self.labels.insert(name.to_owned(), value.to_owned()).is_some_and(|other| other != value) {
            self.nothing = true;
        }
        self.words.extend(parts(text).map(Word::exact).take(MOST_LABEL_WORDS));
        Ok(())
    }

    fn search(&mut self, text: &str) {
        let says = |word: &&str| word.chars().any(char::is_alphanumeric);
        // What is only punctuation beside words narrows nothing; alone it is in no incident.
        self.nothing |= !text.trim().is_empty() && !text.split_whitespace().any(|word| says(&word));
        for word in text.split_whitespace().filter(says) {
            let number = word.get(..4).filter(|begin| begin.eq_ignore_ascii_case("inc-")).and(word.get(4..));
            if let Some(number) = number.and_then(|digits| digits.parse().ok()) {
                self.nothing |= self.number.is_some_and(|other| other != number);
                self.number = Some(number);
                continue;
            }
            let before = self.words.len();
            self.words.extend(parts(word).map(Word::exact));
            if let Some(last) = self.words.get_mut(before..).and_then(<[Word]>::last_mut) {
                last.prefix = true;
            }
        }
    }
}

/// What both databases take for the words of a text.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let between = |letter: char| letter.is_ascii() && !letter.is_ascii_alphanumeric();
    text.split(between).filter(|part| !part.is_empty())
}

impl Word {
    fn exact(text: &str) -> Self {
        // Letters, not bytes, are cut off: both databases count them.
        let cut: String = text.chars().take(WORD_LENGTH).collect();
        let small = cut.to_lowercase();
        let mut letters = small.chars();
        let capital = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
        let mut forms = Vec::new();
        for form in [cut.to_uppercase(), capital, small.clone(), cut] {
            let form = form.to_ascii_lowercase();
            if !forms.contains(&form) {
                forms.push(form);
            }
        }
        Self { prefix: text.chars().count() >= WORD_LENGTH, forms }
    }
}

/// Reads a query string in which a name may stand several times; unknown names are refused.
///
/// # Errors
/// One line for each parameter that was not accepted.
pub fn read(query: &str) -> Result<(Filter, PageQuery)> {
    let (mut filter, mut page) = (Filter::default(), PageQuery::default());
    let (mut errors, mut words, mut searched, mut wild) = (Vec::new(), 0, 0, 0);
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if name == "q" {
            words += value.split_whitespace().count();
            searched += value.trim().chars().count();
            wild += value.matches(['*', '%']).count();
        }
        if let Err(message) = one(&mut filter, &mut page, &name, &value) {
            errors.push(FieldError { field: name.into_owned(), message });
        }
    }
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    in_order(filter.from, filter.to)?;
    if words.max(wild) > MOST_WORDS || searched > MOST_CHARS {
        let why = format!("search for at most {MOST_WORDS} words or wildcards and {MOST_CHARS} characters");
        return Err(Error::Refused("query-too-complex", why));
    }
    if filter.still_firing && filter.searches() {
        return Err(Error::field("still_firing", "can't be combined with a search or a label"));
    }
    filter.services.sort();
    filter.services.dedup();
    if filter.services.len() > MOST_SERVICES {
        let why = format!("name at most {MOST_SERVICES} services");
        return Err(Error::Refused("query-too-complex", why));
    }
    if filter.labels.len() > MOST_LABELS {
        let why = format!("name at most {MOST_LABELS} labels");
        return Err(Error::Refused("query-too-complex", why));
    }
    Ok((filter, page))
}

fn one(filter: &mut Filter, page: &mut PageQuery, name: &str, value: &str) -> Result<(), String> {
    if value.contains('\0') {
        return Err("must not contain a NUL character".to_owned());
    }
    match name {
        "state" => filter.states.push(value.parse()?),
        "severity" => filter.severities.push(value.parse()?),
        "service_name" => filter.services.push(value.to_owned()),
        "assigned_to" => filter.whose = Some(whose(value)?),
        "label" => filter.label(value)?,
        "open" => filter.open = Some(value.parse().map_err(|_| "must be true or false")?),
        "is" => drop(filter.marks.insert(value.parse()?)),
        "still_firing" => filter.still_firing = value.parse().map_err(|_| "must be true or false")?,
        "from" => filter.from = Some(instant(value)?),
        "to" => filter.to = Some(instant(value)?),
        "q" => filter.search(value),
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

fn whose(text: &str) -> Result<Whose, String> {
    match text {
        "none" => Ok(Whose::Nobody),
        "me" => Ok(Whose::Asker),
        _ if text.contains('@') => Ok(Whose::Email(text.to_lowercase())),
        _ => text
            .parse()
            .map(Whose::Person)
            .map_err(|_| "must be me, none, an e-mail address or an id".to_owned()),
    }
}

fn instant(text: &str) -> Result<Ts, String> {
    let instant: Option<Ts> = text.parse().ok().filter(|instant: &Ts| instant.micros() >= 0);
    instant.ok_or_else(|| "must be an RFC 3339 time since 1970".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(filter: &Filter) -> String {
        let written = |word: &Word| format!("{}{}", word.forms.join("|"), if word.prefix { "*" } else { "" });
        filter.words.iter().map(written).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_name_may_stand_several_times() {
        let (filter, page) =
            read("state=detected&state=resolved&severity=high&q=check%20100%25&limit=5").unwrap();
        assert_eq!(filter.states, [State::Detected, State::Resolved]);
        assert_eq!(words(&filter), "check* 100*");
        assert_eq!(page.limit, Some(5));
    }

    #[test]
    fn a_search_is_words_a_number_or_nothing() {
        for (query, meant, number, nothing) in [
            ("q=Api-Gateway", "api gateway*", None, false),
            ("q=INC-42", "", Some(42), false),
            ("q=inc-42+slow", "slow*", Some(42), false),
            ("q=inc-1+inc-2", "", Some(2), true),
            ("q=inc-x", "inc x*", None, false),
            ("q=%25+--", "", None, true),
            ("q=Pay+%26+go+-+%E2%80%94+errors", "pay* go* errors*", None, false),
            ("q=%C3%9Cber", "Über|über*", None, false),
            ("q=+", "", None, false),
        ] {
            let (filter, _) = read(query).unwrap();
            let found = (words(&filter), filter.number, filter.nothing);
            assert_eq!(found, (meant.to_owned(), number, nothing), "{query}");
        }
        let services = (0..11).map(|at| format!("service_name=s{at}")).collect::<Vec<_>>().join("&");
        assert!(matches!(read(&services), Err(Error::Refused("query-too-complex", _))));
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
