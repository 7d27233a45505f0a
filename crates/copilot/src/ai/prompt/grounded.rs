//! Whether what a model says stands in what it was told: numbers, versions, who is to blame. No check of meaning, which a
//! program can't make; what is caught is what models are known to make up.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

/// Words in a row that only a text which repeats our instructions shares with them.
const REPEATED: usize = 7;

/// Whole numbers up to this one are counted, not quoted: two services, three steps.
const SMALL: f64 = 10.0;

/// How far a number may be from the one it rounds.
const ROUNDED: f64 = 0.02;

/// A number, a version, a time of day or a date.
static NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\d+(?:[.:,-]\d+)*").ok());

/// What the model was told, as far as an answer is compared with it.
#[derive(Debug)]
pub struct Known<'a> {
    numbers: BTreeSet<&'a str>,
    values: Vec<f64>,
    instructions: Vec<String>,
    services: &'a [String],
}

impl<'a> Known<'a> {
    /// Of the data of a prompt, its instructions and the services that may be named.
    pub fn new(data: &'a str, instructions: &str, services: &'a [String]) -> Self {
        let numbers: BTreeSet<&str> = numbers(data).collect();
        let values = numbers.iter().filter_map(|number| number.parse().ok()).collect();
        Self { numbers, values, instructions: words(instructions), services }
    }

    /// Whether every number of the text was told, but for small ones and for rounding.
    pub fn has_numbers_of(&self, text: &str) -> bool {
        let told = |number: &str| self.numbers.contains(number) || self.has_value(number);
        claimed(text).all(told)
    }

    fn has_value(&self, number: &str) -> bool {
        let Ok(value) = number.parse::<f64>() else { return false };
        let is_whole = !number.contains('.');
        let near = |known: &f64| (known - value).abs() <= ROUNDED * known.abs();
        let rounds = |known: &f64| is_whole && (known.round() - value).abs() < 0.5;
        (is_whole && value <= SMALL) || self.values.iter().any(|known| near(known) || rounds(known))
    }

    /// Whether the text repeats the instructions.
    pub fn is_repeated_by(&self, text: &str) -> bool {
        let said = words(text);
        said.windows(REPEATED).any(|row| self.instructions.windows(REPEATED).any(|own| own == row))
    }

    /// Whether the text blames another service than `suspected`, or says that one to be well.
    pub fn is_blamed_elsewhere(&self, text: &str, suspected: &str) -> bool {
        let text = text.to_lowercase();
        let suspected = suspected.to_lowercase();
        let blames = |service: &str| {
            let before = ["caused by ", "due to ", "because of ", "root cause is ", "cause is "];
            let after =
                [" is the cause", " is the root cause", " is the real cause", " caused it", " is to blame"];
            found(&text, service).any(|(at, end)| {
                let (front, rest) = (text.get(..at).unwrap_or_default(), text.get(end..).unwrap_or_default());
                let front = front.trim_end_matches("the ");
                before.iter().any(|words| front.ends_with(words))
                    || after.iter().any(|words| rest.starts_with(words))
            })
        };
        let is_well = || {
            let well = [" is healthy", " is fine", " is well", " is not the cause", " works normally"];
            found(&text, &suspected).any(|(_, end)| {
                well.iter().any(|words| text.get(end..).unwrap_or_default().starts_with(words))
            })
        };
        let others = self.services.iter().map(|one| one.to_lowercase()).filter(|one| *one != suspected);
        is_well() || (!blames(&suspected) && others.into_iter().any(|other| blames(&other)))
    }
}

/// Where a name stands by itself, as bytes.
fn found<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = (usize, usize)> + 't {
    let part = |letter: char| letter.is_alphanumeric() || letter == '-' || letter == '_';
    text.match_indices(name).map(move |(at, name)| (at, at + name.len())).filter(move |(at, end)| {
        let front = text.get(..*at).and_then(|front| front.chars().next_back());
        let rest = text.get(*end..).and_then(|rest| rest.chars().next());
        !front.is_some_and(part) && !rest.is_some_and(part)
    })
}

/// The numbers by which a text claims something: not those of a name (`p99`, `s3`), an order (`95th`) or an HTTP status.
fn claimed(text: &str) -> impl Iterator<Item = &str> {
    let all = NUMBER.as_ref().into_iter().flat_map(|pattern| pattern.find_iter(text));
    let claims = |found: &regex::Match<'_>| {
        let front = text.get(..found.start()).unwrap_or_default();
        let rest = text.get(found.end()..).unwrap_or_default();
        let named = front.ends_with(|letter: char| letter.is_alphabetic() && !"vV".contains(letter));
        let status = front.to_lowercase().ends_with("http ");
        !named && !status && !rest.starts_with("th")
    };
    all.filter(claims).map(|found| found.as_str())
}

fn numbers(text: &str) -> impl Iterator<Item = &str> {
    NUMBER.as_ref().into_iter().flat_map(|pattern| pattern.find_iter(text)).map(|found| found.as_str())
}

fn words(text: &str) -> Vec<String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: &str =
        "14.2% of requests fail against 0.2% before, since 12:05:00; deploy v2.41.0, 1834 connections";

    fn services() -> Vec<String> {
        ["checkout", "db", "db-replica"].map(str::to_owned).to_vec()
    }

    #[test]
    fn numbers_must_have_been_told() {
        assert!(NUMBER.is_some());
        let services = services();
        let known = Known::new(DATA, "", &services);
        for told in [
            "14% of requests fail",
            "14.2%, up from 0.2%",
            "since 12:05:00",
            "v2.41.0 broke it",
            "about 1830 connections",
            "two of 3 pods",
            "no numbers",
            "p99 above the 95th percentile, HTTP 503 from s3",
        ] {
            assert!(known.has_numbers_of(told), "{told}");
        }
        for made_up in ["4711 errors", "release 9.9.9", "45% fail", "since 13:05", "0.35 of all", "v2.42.0"] {
            assert!(!known.has_numbers_of(made_up), "{made_up}");
        }
    }

    #[test]
    fn the_cause_and_the_suspect_are_one() {
        let services = services();
        let known = Known::new(DATA, "", &services);
        for (claim, suspected, elsewhere) in [
            ("checkout is healthy, db is the cause", "checkout", true),
            ("db is the cause", "checkout", true),
            ("slow answers caused by the db", "checkout", true),
            ("slow answers caused by db-replica", "db", true),
            ("checkout fails because of db", "db", false),
            ("db ran out of connections, so checkout fails", "db", false),
            ("checkout ran out of memory", "checkout", false),
        ] {
            assert_eq!(known.is_blamed_elsewhere(claim, suspected), elsewhere, "{claim}");
        }
    }

    #[test]
    fn instructions_are_not_repeated() {
        let known = Known::new(DATA, "claim is what went wrong and in which service, in one sentence.", &[]);
        assert!(known.is_repeated_by("Claim is what went wrong, and in which service"));
        assert!(!known.is_repeated_by("what went wrong is the pool of the db"));
    }
}
