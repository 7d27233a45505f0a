//! The model against the pitfalls that the rules were written for.

use proptest::prelude::*;

use super::generate::{history, statement};
use super::history::{By, Incident, State, Step, What, World};
use super::run;

/// An alert that fires at `at`, having started at `starts`.
fn fire(at: i64, starts: i64) -> Step {
    Step { at, what: What::Body(vec![statement(0, true, Some(starts), None)]) }
}

/// The end of an alert that started at `starts`, received when it ended.
fn resolve(at: i64, starts: i64) -> Step {
    Step { at, what: What::Body(vec![statement(0, false, Some(starts), Some(at))]) }
}

fn step(at: i64, what: What) -> Step {
    Step { at, what }
}

/// State, openness and resolver of each incident of the first key.
fn cases(world: &World) -> Vec<(State, bool, Option<By>)> {
    let cases = world.incidents.get(&0).map_or(&[][..], Vec::as_slice);
    cases.iter().map(|case| (case.state, case.open, case.resolved)).collect()
}

/// Where the first alert key and its incidents stand after `history`: open or not, its episodes, the incidents.
fn check(history: &[Step], open: bool, episodes: usize, expected: &[(State, bool, Option<By>)]) {
    let world = run(history);
    let alert = world.alerts.get(&0).cloned().unwrap_or_default();
    assert_eq!(
        (alert.open, alert.episodes, cases(&world).as_slice()),
        (open, episodes, expected),
        "{history:?}"
    );
}

const DETECTED: (State, bool, Option<By>) = (State::Detected, true, None);
const BACK: (State, bool, Option<By>) = (State::Investigating, true, None);
const OVER: (State, bool, Option<By>) = (State::Resolved, false, Some(By::Source));
const BY_HAND: (State, bool, Option<By>) = (State::Resolved, false, Some(By::Hand));
const LEARNED: (State, bool, Option<By>) = (State::Learned, false, Some(By::Hand));

#[test]
fn an_alert_fires_repeats_and_ends() {
    check(&[fire(100, 90)], true, 1, &[DETECTED]);
    check(&[fire(100, 90), fire(400, 90), fire(700, 80)], true, 1, &[DETECTED]);
    check(&[fire(100, 90), fire(400, 90), resolve(500, 90)], false, 1, &[OVER]);
    check(&[resolve(100, 50)], false, 0, &[]);
    // R7: what ended before the open episode began is another one's end.
    let older = step(200, What::Body(vec![statement(0, false, Some(50), Some(80))]));
    check(&[fire(100, 90), older], true, 1, &[DETECTED]);
    // The earliest start counts.
    let ended = step(300, What::Body(vec![statement(0, false, Some(90), Some(92))]));
    check(&[fire(100, 90), fire(200, 95), ended], false, 1, &[OVER]);
}

#[test]
fn a_swapped_pair_ends_closed_and_a_late_firing_is_new() {
    for gap in [0, 1, 10, 30, 55, 60] {
        let swapped = [resolve(1_000, 900), fire(1_000 + gap, 900), step(5_000, What::Tick)];
        check(&swapped, false, 1, &[OVER]);
    }
    check(&[resolve(1_000, 900), fire(1_065, 900), step(5_000, What::Tick)], true, 1, &[DETECTED]);
    // Another start is another occurrence.
    check(&[resolve(1_000, 900), fire(1_010, 901)], true, 1, &[DETECTED]);
    // The pair of a second occurrence, swapped, after a first that ended in order.
    let second =
        [fire(0, 0), resolve(500, 0), resolve(1_000, 900), fire(1_010, 900), step(9_000, What::Tick)];
    check(&second, false, 2, &[OVER]);
    // Two occurrences, both swapped, at once.
    let both = [resolve(1_000, 900), resolve(1_020, 1_010), fire(1_030, 900), fire(1_031, 1_010)];
    check(&both, false, 2, &[OVER]);
}

#[test]
fn a_revival_is_open_after_the_hold() {
    let revival = [fire(0, 0), resolve(300, 0), fire(320, 0)];
    check(&revival, false, 1, &[OVER]);
    let until = |at| [&revival[..], &[step(at, What::Tick)]].concat();
    check(&until(359), false, 1, &[OVER]);
    check(&until(360), true, 2, &[BACK]);
    // After the hold there is nothing to wait for.
    check(&[fire(0, 0), resolve(300, 0), fire(360, 0)], true, 2, &[BACK]);
    check(&[fire(0, 0), resolve(300, 0), fire(359, 0)], false, 1, &[OVER]);
    // A start after the end is a new occurrence at once.
    check(&[fire(0, 0), resolve(300, 0), fire(320, 301)], true, 2, &[BACK]);
    check(&[fire(0, 0), resolve(300, 0), fire(310, 0), fire(320, 301)], true, 2, &[BACK]);
    // A second end of what has ended is not the end of what revives.
    let twice = [fire(0, 0), resolve(300, 0), resolve(310, 0), fire(320, 0), step(360, What::Tick)];
    check(&twice, true, 2, &[BACK]);
}

#[test]
fn an_echo_of_a_peer_reopens_nothing() {
    let echo = [fire(0, 0), resolve(300, 0), fire(310, 0), resolve(326, 0), step(5_000, What::Tick)];
    check(&echo, false, 1, &[OVER]);
}

#[test]
fn an_incident_comes_back_for_half_an_hour() {
    check(&[fire(0, 0), resolve(300, 0), fire(2_100, 2_100)], true, 2, &[BACK]);
    check(&[fire(0, 0), resolve(300, 0), fire(2_101, 2_101)], true, 2, &[OVER, DETECTED]);
}

#[test]
fn a_flapping_alert_keeps_one_incident_open() {
    let mut flaps = Vec::new();
    for at in [0, 200, 400] {
        flaps.extend([fire(at, at), resolve(at + 100, at)]);
    }
    // The fifth change, the third opening, makes it flap: the close after it resolves nothing.
    check(&flaps[..4], false, 2, &[OVER]);
    check(&flaps, false, 3, &[BACK]);
    assert!(run(&flaps[..5]).incidents[&0][0].flapping);
    // 15 minutes after the last change.
    let until = |at| [&flaps[..], &[step(at, What::Tick)]].concat();
    check(&until(1_399), false, 3, &[BACK]);
    check(&until(1_400), false, 3, &[OVER]);
    // A change in between begins the 15 minutes anew, and what fires then goes on.
    let on = [&flaps[..], &[fire(1_000, 1_000), step(1_899, What::Tick)]].concat();
    assert!(run(&on).alerts[&0].flapping);
    check(&[&on[..], &[step(1_900, What::Tick)]].concat(), true, 4, &[BACK]);
    let late = [&flaps[..], &[fire(1_390, 1_390), step(2_289, What::Tick)]].concat();
    assert!(run(&late).alerts[&0].flapping);
    // Four changes are not five, and one that is 15 minutes old no longer counts.
    assert!(!run(&flaps[..4]).incidents[&0][0].flapping);
    assert!(!run(&[&flaps[..4], &[fire(900, 900)]].concat()).alerts[&0].flapping);
    assert!(run(&[&flaps[..4], &[fire(899, 899)]].concat()).alerts[&0].flapping);
}

#[test]
fn a_body_is_not_in_order() {
    let (firing, ended) = (statement(0, true, Some(90), None), statement(0, false, Some(90), Some(100)));
    for body in [vec![firing.clone(), ended.clone()], vec![ended, firing.clone()]] {
        check(&[step(100, What::Body(body))], false, 1, &[OVER]);
    }
    check(&[step(100, What::Body(vec![firing.clone(), firing.clone()]))], true, 1, &[DETECTED]);
    let before = statement(0, false, Some(10), Some(80));
    check(&[fire(20, 10), step(100, What::Body(vec![before, firing]))], true, 1, &[DETECTED]);
}

#[test]
fn a_persons_word_is_kept() {
    let by_hand = [fire(0, 0), step(50, What::Acknowledge(0)), step(100, What::Resolve(0))];
    check(&by_hand[..2], true, 1, &[(State::Acknowledged, true, None)]);
    check(&by_hand, true, 1, &[BY_HAND]);
    let and = |more: &[Step]| [&by_hand[..], more].concat();
    // The source disagrees, later than the hold.
    check(&and(&[fire(160, 0)]), true, 1, &[BY_HAND]);
    check(&and(&[fire(161, 0)]), true, 1, &[BACK]);
    // It agrees, and what comes after that is another incident.
    check(&and(&[resolve(120, 0)]), false, 1, &[BY_HAND]);
    check(&and(&[resolve(120, 0), fire(300, 300)]), true, 2, &[BY_HAND, DETECTED]);
    // Learned is for good.
    check(&and(&[step(110, What::Learn(0)), fire(300, 0)]), true, 1, &[LEARNED, DETECTED]);
    // Who closes for good is not given the minute that who resolves is.
    check(&and(&[step(110, What::Learn(0)), fire(111, 0)]), true, 1, &[LEARNED, DETECTED]);
    let over = [fire(0, 0), resolve(10, 0), step(20, What::Learn(0)), fire(90, 90)];
    check(&over, true, 2, &[(State::Learned, false, Some(By::Source)), DETECTED]);
    // What is not legal changes nothing.
    check(&[fire(0, 0), step(1, What::Learn(0)), step(2, What::Resolve(1))], true, 1, &[DETECTED]);
}

#[test]
fn alerts_of_one_incident_key_share_an_incident() {
    let other = |at, firing| step(at, What::Body(vec![statement(2, firing, Some(5), Some(at))]));
    let world = run(&[fire(0, 0), other(5, true), resolve(50, 0)]);
    let shared = Incident {
        state: State::Detected,
        open: true,
        resolved: None,
        alert_count: 2,
        open_alert_count: 1,
        flapping: false,
        stale: false,
    };
    assert_eq!(world.incidents[&0], [shared]);
    assert_eq!(cases(&run(&[fire(0, 0), other(5, true), resolve(50, 0), other(60, false)])), [OVER]);
    // By hand, then another alert: its incident takes the first along once that fires on.
    let split = [fire(0, 0), step(10, What::Resolve(0)), other(20, true), fire(100, 0)];
    let world = run(&split);
    assert_eq!(cases(&world), [BY_HAND, DETECTED]);
    assert_eq!(world.incidents[&0][1].open_alert_count, 2);
}

#[test]
fn what_was_merged_goes_on_elsewhere() {
    let other = |at, firing| step(at, What::Body(vec![statement(1, firing, Some(5), Some(at))]));
    let merged = [fire(0, 0), other(5, true), step(10, What::Merge(0, 1))];
    let counts = |history: &[Step]| {
        let world = run(history);
        let of = |key: u8| -> Vec<(bool, usize)> {
            world.incidents[&key].iter().map(|case| (case.open, case.open_alert_count)).collect()
        };
        (of(0), of(1))
    };
    assert_eq!(counts(&merged), (vec![(false, 0)], vec![(true, 2)]));
    // The target ends with the last of them, and a firing of the merged key brings it back.
    let over = [&merged[..], &[resolve(20, 0), other(30, false)]].concat();
    assert_eq!(counts(&over), (vec![(false, 0)], vec![(false, 0)]));
    assert_eq!(counts(&[&over[..], &[fire(100, 100)]].concat()), (vec![(false, 0)], vec![(true, 1)]));
    // Once the target is closed for good, the key has incidents of its own again.
    let closed = [&over[..], &[step(40, What::Learn(1)), fire(100, 100)]].concat();
    assert_eq!(counts(&closed), (vec![(false, 0), (true, 1)], vec![(false, 0)]));
}

#[test]
fn silence_is_shown_and_ends_nothing() {
    let world = run(&[fire(0, 0), step(super::STALE + 1, What::Tick)]);
    assert!(world.incidents[&0][0].stale && world.incidents[&0][0].open);
    assert!(!run(&[fire(0, 0), step(super::STALE, What::Tick)]).incidents[&0][0].stale);
}

#[test]
fn wrong_clocks_change_labels_only() {
    let said = |firing, starts, ends| step(100, What::Body(vec![statement(0, firing, starts, ends)]));
    check(&[said(true, None, None)], true, 1, &[DETECTED]);
    check(&[said(true, Some(1_000_000), None), resolve(200, 0)], false, 1, &[OVER]);
    // An end in the future is now, and one before its start is its start.
    check(&[fire(50, 40), said(false, Some(40), Some(9_000))], false, 1, &[OVER]);
    check(&[fire(50, 40), said(false, Some(40), Some(9_000)), fire(130, 120)], true, 2, &[BACK]);
    check(&[fire(50, 40), said(false, Some(40), None)], false, 1, &[OVER]);
    check(&[fire(50, 40), said(false, Some(60), Some(10))], false, 1, &[OVER]);
}

/// What must hold after every history.
fn check_world(history: &[Step]) -> Result<(), TestCaseError> {
    let world = run(history);
    for cases in world.incidents.values() {
        prop_assert!(cases.iter().filter(|case| case.open).count() <= 1, "two open incidents of one key");
        for case in cases {
            prop_assert!(case.open_alert_count <= case.alert_count);
        }
    }
    let open = world.alerts.values().filter(|alert| alert.open).count();
    let counted: usize = world.incidents.values().flatten().map(|case| case.open_alert_count).sum();
    prop_assert_eq!(open, counted);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_history_breaks_what_must_hold(history in history()) {
        for end in 1..=history.len() {
            check_world(&history[..end])?;
        }
    }

    #[test]
    fn ticks_change_nothing_but_what_is_due(history in history()) {
        let ticked: Vec<Step> = history.iter()
            .flat_map(|each| [Step { at: each.at, what: What::Tick }, each.clone()])
            .collect();
        prop_assert_eq!(run(&ticked), run(&history));
    }

    #[test]
    fn a_firing_that_is_the_last_word_is_open(history in history(), starts in 0_i64..300) {
        // Nobody has heard of this start, and the hold passes.
        let at = history.last().map_or(0, |last| last.at) + 1;
        let now = at + 2_000_000;
        let end = [fire(now, now - starts), Step { at: now + super::HOLD, what: What::Tick }];
        let world = run(&[&history[..], &end[..]].concat());
        prop_assert!(world.alerts[&0].open);
        // A merge may have sent it to an incident of the other key.
        prop_assert!(world.incidents.values().flatten().any(|case| case.open && case.open_alert_count > 0));
    }
}
