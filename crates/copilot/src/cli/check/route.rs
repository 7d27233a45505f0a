//! Which alerts the routes bring here. Alertmanager goes down from the first route: of the routes below one, those
//! that match are taken in order until one does not say `continue`; when none matches, its own receiver is told.

use std::collections::BTreeSet;

use super::Finding;
use super::matcher::{Matcher, of_route};
use super::yaml::Node;

/// Alertmanager's defaults, in seconds.
const GROUP_INTERVAL_S: i64 = 300;
const REPEAT_INTERVAL_S: i64 = 4 * 3600;

/// Silence after which an incident is called stale with the settings that an integration has at first, in seconds.
const STALE_AFTER_S: i64 = REPEAT_INTERVAL_S + REPEAT_INTERVAL_S / 2 + GROUP_INTERVAL_S;

/// How long the first message about a group may wait before it is worth a word, in seconds.
const LONG_WAIT_S: i64 = 60;

/// A route with what it has from the routes above it.
#[derive(Clone, Debug)]
pub struct Route {
    line: usize,
    /// Conditions that not every alert fulfils.
    matchers: Vec<Matcher>,
    goes_on: bool,
    receiver: String,
    /// Where it is said when it is quiet, if it is.
    quiet: Option<usize>,
    group_wait: Option<(usize, i64)>,
    group_interval_s: i64,
    repeat_interval: (usize, i64),
    below: Vec<Route>,
}

impl Route {
    /// The first route and all below it.
    pub fn first(line: usize, node: &Node) -> Self {
        let nothing = Self {
            line,
            matchers: Vec::new(),
            goes_on: false,
            receiver: String::new(),
            quiet: None,
            group_wait: None,
            group_interval_s: GROUP_INTERVAL_S,
            repeat_interval: (line, REPEAT_INTERVAL_S),
            below: Vec::new(),
        };
        let mut first = Self::read(node, &nothing);
        // It takes every alert, whatever stands there.
        first.matchers.clear();
        first.line = line;
        first
    }

    fn read(node: &Node, above: &Self) -> Self {
        let seconds = |name: &str| {
            let (line, text) = node.text_of(name)?;
            Some((line, seconds(text)?))
        };
        let quiet = ["mute_time_intervals", "active_time_intervals"].into_iter();
        let mut route = Self {
            line: node.line,
            matchers: of_route(node),
            goes_on: node.text_of("continue").is_some_and(|(_, text)| text == "true"),
            receiver: node
                .text_of("receiver")
                .map_or_else(|| above.receiver.clone(), |(_, name)| name.to_owned()),
            quiet: quiet
                .filter(|name| !node.list_of(name).is_empty())
                .find_map(|name| Some(node.get(name)?.0)),
            group_wait: seconds("group_wait").or(above.group_wait),
            group_interval_s: seconds("group_interval")
                .map_or(above.group_interval_s, |(_, seconds)| seconds),
            repeat_interval: seconds("repeat_interval").unwrap_or(above.repeat_interval),
            below: Vec::new(),
        };
        let below = node.list_of("routes").iter().map(|node| Self::read(node, &route)).collect();
        route.below = below;
        route
    }

    /// The names of the receivers that it and the routes below it tell.
    pub fn receivers(&self) -> BTreeSet<(usize, &str)> {
        let mut all = BTreeSet::from([(self.line, self.receiver.as_str())]);
        all.extend(self.below.iter().flat_map(Self::receivers));
        all
    }

    /// Whether every alert that enters is brought to one of `ours`.
    fn brings_all(&self, ours: &BTreeSet<&str>) -> bool {
        let [unmatched, _] = self.brings(ours).first().copied().unwrap_or_default();
        unmatched
    }

    /// For each route below it, and for their end: whether every alert that comes there and was not brought yet is brought
    /// after all, when no route before took it and when one did.
    fn brings(&self, ours: &BTreeSet<&str>) -> Vec<[bool; 2]> {
        let below: Vec<bool> = self.below.iter().map(|route| route.brings_all(ours)).collect();
        let mut rest = [ours.contains(self.receiver.as_str()), false];
        let mut all = vec![rest];
        for (place, (route, brings)) in self.below.iter().zip(&below).enumerate().rev() {
            let [unmatched, matched] = rest;
            let taken = *brings || (route.goes_on && matched) || self.brought_before(place, &below);
            rest = [
                taken && (self.takes_rest(place) || unmatched),
                taken && (route.matchers.is_empty() || matched),
            ];
            all.push(rest);
        }
        all.reverse();
        all
    }

    /// Whether all that a route below it takes was brought before, by one that asks for no more and goes on.
    fn brought_before(&self, place: usize, brings: &[bool]) -> bool {
        let Some(route) = self.below.get(place) else { return false };
        let mut before = self.below.iter().zip(brings).take(place);
        before.any(|(one, brings)| {
            *brings && one.goes_on && one.matchers.iter().all(|matcher| route.matchers.contains(matcher))
        })
    }

    /// Whether a route below it takes every alert that none before it took.
    fn takes_rest(&self, place: usize) -> bool {
        let Some(route) = self.below.get(place) else { return false };
        let [only] = route.matchers.as_slice() else { return route.matchers.is_empty() };
        let before = self.below.iter().take(place);
        before
            .filter_map(|other| if let [one] = other.matchers.as_slice() { Some(one) } else { None })
            .any(|one| one.completes(only))
    }

    /// Where alerts end that were not brought to one of `ours`.
    fn leaks<'a>(&'a self, ours: &BTreeSet<&str>, leaks: &mut Vec<Leak<'a>>, under: &[&'a Matcher]) {
        let below: Vec<bool> = self.below.iter().map(|route| route.brings_all(ours)).collect();
        let after = self.brings(ours);
        let mut left = true;
        for (place, (route, brings)) in self.below.iter().zip(&below).enumerate() {
            let later = route.goes_on && after.get(place + 1).is_some_and(|[_, matched]| *matched);
            if !brings && !later && !self.brought_before(place, &below) {
                let under: Vec<_> = under.iter().copied().chain(&route.matchers).collect();
                route.leaks(ours, leaks, &under);
            }
            left &= !self.takes_rest(place);
            // After such a one nothing is left that was not brought.
            if !left && (*brings || !route.goes_on) {
                return;
            }
        }
        if left && !ours.contains(self.receiver.as_str()) {
            leaks.push(Leak { route: self, under: under.to_vec() });
        }
    }

    /// The routes that tell one of `ours`.
    fn bringing<'a>(&'a self, ours: &BTreeSet<&str>, found: &mut Vec<&'a Self>) {
        if ours.contains(self.receiver.as_str()) {
            found.push(self);
        }
        for route in &self.below {
            route.bringing(ours, found);
        }
    }
}

/// Alerts that end without having been brought here.
struct Leak<'a> {
    route: &'a Route,
    /// What such alerts fulfil.
    under: Vec<&'a Matcher>,
}

/// What is wrong with the way to `ours`; of `empty` receivers it is known that they tell nobody.
pub fn check(first: &Route, ours: &BTreeSet<&str>, empty: &BTreeSet<&str>) -> Vec<Finding> {
    let mut bringing = Vec::new();
    first.bringing(ours, &mut bringing);
    let copy = ours.first().copied().unwrap_or_default();
    let last =
        Some(&first.receiver).filter(|name| !ours.contains(name.as_str()) && !empty.contains(name.as_str()));
    let last = last.map(|name| {
        format!("\nand as the last of them, or it would be told nothing more:\n- receiver: {name}")
    });
    let copy_all = format!(
        "as the first of the routes below the first one:\n- receiver: {copy}\n  group_wait: 0s\n  continue: true{}",
        last.unwrap_or_default()
    );
    if bringing.is_empty() {
        let what = format!("no route leads to receiver \"{copy}\"");
        return vec![Finding::error(first.line, what, "not a single alert arrives here", copy_all)];
    }
    let mut found = Vec::new();
    if !first.brings_all(ours) {
        let mut leaks = Vec::new();
        first.leaks(ours, &mut leaks, &[]);
        found.extend(leaks.iter().map(|leak| leak.finding(empty, &copy_all)));
    }
    for route in bringing {
        found.extend(route.quiet.map(|line| {
            let why = "while it is quiet no alert arrives, and an incident that fires looks as if its source had died";
            Finding::error(line, "the route that leads here is quiet at times", why, "nothing here; mute the receivers that page people")
        }));
        found.extend(route.slow());
    }
    first.taken_away(ours, empty, &mut found);
    found
}

/// What Alertmanager does not start with: the first route takes every alert and asks nothing of it.
pub fn unstartable(first: &Node) -> Vec<Finding> {
    let forbidden = ["match", "match_re", "matchers", "continue"].into_iter().filter_map(|name| {
        let (line, value) = first.get(name)?;
        let says = value.text() == Some("true") || value.names().next().is_some();
        (says || !first.list_of(name).is_empty()).then_some((line, name))
    });
    let why = "Alertmanager does not start with it";
    let mut found: Vec<Finding> = forbidden
        .map(|(line, name)| {
            Finding::error(
                line,
                format!("the first route has `{name}`"),
                why,
                "nothing; it takes every alert",
            )
        })
        .collect();
    found.extend(
        first
            .text_of("group_interval")
            .filter(|(_, text)| seconds(text) == Some(0))
            .map(|(line, _)| Finding::error(line, "group_interval is zero", why, "group_interval: 5m")),
    );
    found
}

impl Leak<'_> {
    fn finding(&self, empty: &BTreeSet<&str>, copy_all: &str) -> Finding {
        let receiver = &self.route.receiver;
        let which = match self.under.as_slice() {
            [] => "alerts that no route below matches".to_owned(),
            all => {
                format!("alerts with {}", all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
            }
        };
        let what = format!("{which} go to receiver \"{receiver}\" and not here");
        if empty.contains(receiver.as_str()) {
            let why = "nobody is told of them, which may be meant; a Watchdog that is dropped can't tell that alerts stopped coming";
            return Finding::warning(self.route.line, what, why, copy_all);
        }
        Finding::error(
            self.route.line,
            what,
            "no incident is opened for them, and no cause is looked for",
            copy_all,
        )
    }
}

impl Route {
    /// What those who were told before are no longer told, because a route that leads here takes it.
    fn taken_away(&self, ours: &BTreeSet<&str>, empty: &BTreeSet<&str>, found: &mut Vec<Finding>) {
        let tells = |name: &str| !ours.contains(name) && !empty.contains(name);
        for (place, route) in self.below.iter().enumerate() {
            route.taken_away(ours, empty, found);
            let takes_all = route.matchers.is_empty() && ours.contains(route.receiver.as_str());
            let after = || self.below.iter().skip(place + 1);
            if takes_all && !route.goes_on && after().any(|other| tells(&other.receiver)) {
                let why =
                    "it takes every alert, so the receivers below are told of none: nobody is paged any more";
                let what = "the routes after this one get nothing";
                found.push(Finding::error(route.line, what, why, "continue: true\non this route"));
            }
            let fallen_back =
                after().any(|other| other.matchers.is_empty() && other.receiver == self.receiver);
            if takes_all && route.goes_on && tells(&self.receiver) && !fallen_back {
                let name = &self.receiver;
                let what = format!("receiver \"{name}\" is not told any more of what no other route matches");
                let why = "a route stands in for the one above it when none below matches, and this one matches everything: such \
                           alerts page nobody";
                let instead = format!("as the last of these routes:\n- receiver: {name}");
                found.push(Finding::error(route.line, what, why, instead));
            }
        }
    }

    /// What comes late of what it brings.
    fn slow(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        let (line, repeat) = self.repeat_interval;
        if repeat + self.group_interval_s > STALE_AFTER_S {
            let what =
                format!("a firing alert is repeated every {} only", written(repeat + self.group_interval_s));
            let why = "after 6 h 5 min without a word an incident is shown as one whose source went silent, although it fires";
            let instead = format!(
                "repeat_interval: 4h\non the route that leads here, or say repeat_interval_s: {repeat} in the settings of the integration"
            );
            found.push(Finding::warning(line, what, why, instead));
        }
        if let Some((line, wait)) = self.group_wait.filter(|(_, wait)| *wait > LONG_WAIT_S) {
            let what = format!("the first message about a group waits for {}", written(wait));
            let why = "that much later everybody learns of a fault; alerts are put together here, nothing is gained by waiting";
            found.push(Finding::warning(line, what, why, "group_wait: 0s\non the route that leads here"));
        }
        found
    }
}

/// A duration as Prometheus writes it, such as `1h30m`, in whole seconds.
fn seconds(text: &str) -> Option<i64> {
    const UNITS: [(&str, i64); 7] = [
        ("ms", 1),
        ("s", 1_000),
        ("m", 60_000),
        ("h", 3_600_000),
        ("d", 86_400_000),
        ("w", 604_800_000),
        ("y", 31_536_000_000),
    ];
    let (mut rest, mut millis) = (text, 0_i64);
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let (count, after) = rest.split_at(digits);
        let (unit, factor) = UNITS.iter().find(|(unit, _)| after.starts_with(unit))?;
        millis = millis.checked_add(count.parse::<i64>().ok()?.checked_mul(*factor)?)?;
        rest = after.get(unit.len()..)?;
    }
    (!text.is_empty()).then_some(millis / 1_000)
}

/// Seconds as a person says them.
fn written(seconds: i64) -> String {
    let parts = [(seconds / 3_600, "h"), (seconds % 3_600 / 60, "min"), (seconds % 60, "s")];
    let said = parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count} {unit}"));
    said.collect::<Vec<_>>().join(" ")
}
