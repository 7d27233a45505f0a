//! What is told, and how it is written.

use std::collections::BTreeMap;

use outbox::Ts;
use serde_json::{Value, json};
use uuid::Uuid;

use super::decide::{BRIEF, FLAPPING, Rules, SNOOZED, Telling, Touched};
use super::facts::{Brief, Cause, Facts, Fault, Message, Project, Request};
use super::group::{self, Told};
use super::store::pass::Mark;
use super::{ChannelKind, What, faults, pagerduty, slack, webhook};
use crate::config::Config;
use crate::ids::{ChannelId, IncidentId, NotificationId, ProjectId};
use crate::incident::{Severity, State};

const NOON: i64 = 1_795_384_800_000_000;

fn brief(number: u128, severity: Severity) -> Brief {
    let at = Ts::from_micros(NOON);
    Brief {
        id: IncidentId(Uuid::from_u128(number)),
        number: i64::try_from(number).unwrap(),
        title: "HighLatency".to_owned(),
        description: "p99 > 2 s & rising <!channel>".to_owned(),
        service_name: Some("checkout".to_owned()),
        severity,
        state: State::Detected,
        open: true,
        source: "my alertmanager".to_owned(),
        alert_count: 2,
        flapping: false,
        snoozed: false,
        started_at: at,
        detected_at: at,
        acknowledged_at: None,
        acknowledged_by: None,
        resolved_at: None,
        resolved_by: None,
        merged_into: None,
        url: format!("http://copilot.example/incidents/INC-{number}"),
    }
}

fn over(mut one: Brief) -> Brief {
    one.open = false;
    one.state = State::Resolved;
    one.resolved_at = Some(one.started_at.plus_seconds(750));
    one
}

fn rules(kind: ChannelKind) -> Rules {
    Rules { kind, min_severity: Severity::High, services: Vec::new() }
}

const NEW: Touched = Touched { created: true, was_open: true };
const OPEN: Touched = Touched { created: false, was_open: true };
const QUIET: Touched = Touched { created: false, was_open: false };

/// Steps through what an incident was like, and says what was told each time.
fn told(rules: &Rules, steps: &[(Brief, Touched, Option<&str>)]) -> (Option<Mark>, Vec<Vec<What>>) {
    let mut known = None;
    let mut all = Vec::new();
    for (one, touched, likely) in steps {
        let (mark, tells) = rules.step(one, *touched, known.as_ref(), *likely);
        known = mark.or(known);
        all.push(tells.into_iter().map(|telling| telling.what).collect());
    }
    (known, all)
}

#[test]
fn an_incident_is_told_from_its_beginning_to_its_end() {
    let one = brief(1, Severity::High);
    let seen = Brief { acknowledged_at: Some(one.started_at), ..one.clone() };
    let worse = Brief { severity: Severity::Critical, ..seen.clone() };
    let steps = [
        (one.clone(), NEW, None),
        (one.clone(), OPEN, None),
        (seen.clone(), OPEN, Some("cart|latency")),
        (seen.clone(), OPEN, Some("cart|latency")),
        (worse.clone(), OPEN, Some("db|locks")),
        (over(worse.clone()), QUIET, None),
        (over(worse.clone()), QUIET, None),
        (worse, OPEN, None),
    ];
    let expected = [
        vec![What::Opened],
        vec![],
        vec![What::Acknowledged, What::Cause],
        vec![],
        vec![What::Escalated, What::Cause],
        vec![What::Resolved],
        vec![],
        vec![What::Reopened],
    ];
    for kind in [ChannelKind::Slack, ChannelKind::Pagerduty] {
        assert_eq!(told(&rules(kind), &steps).1, expected, "{kind}");
    }
}

/// Who acknowledged it before it ended has not acknowledged what fires again.
#[test]
fn what_was_acknowledged_before_the_end_is_not_told_after_it() {
    let one = brief(1, Severity::High);
    let seen = Brief { acknowledged_at: Some(one.started_at), ..one.clone() };
    let steps =
        [(one, NEW, None), (over(seen.clone()), QUIET, None), (seen.clone(), OPEN, None), (seen, OPEN, None)];
    let expected = [vec![What::Opened], vec![What::Resolved], vec![What::Reopened], vec![]];
    for kind in [ChannelKind::Slack, ChannelKind::Pagerduty, ChannelKind::Webhook] {
        assert_eq!(told(&rules(kind), &steps).1, expected, "{kind}");
    }
}

#[test]
fn what_was_over_before_it_could_be_told_is_told_as_one() {
    let steps = [(over(brief(1, Severity::High)), NEW, None)];
    assert_eq!(told(&rules(ChannelKind::Slack), &steps).1, [[What::Resolved]]);
    let (_, tells) = rules(ChannelKind::Slack).step(&steps[0].0, NEW, None, None);
    assert_eq!(tells, [Telling { what: What::Resolved, note: Some(BRIEF) }]);
    // Nobody is called for what is over.
    assert_eq!(told(&rules(ChannelKind::Pagerduty), &steps).1, [[]]);
    // What was over before the channel began is none of its business.
    assert_eq!(told(&rules(ChannelKind::Slack), &[(steps[0].0.clone(), QUIET, None)]), (None, vec![vec![]]));
}

#[test]
fn what_becomes_bad_enough_is_told_as_opened() {
    let (low, high) = (brief(1, Severity::Low), brief(1, Severity::High));
    let steps = [(low.clone(), NEW, None), (high, OPEN, None), (over(low), QUIET, None)];
    let expected = [vec![], vec![What::Opened], vec![What::Resolved]];
    assert_eq!(told(&rules(ChannelKind::Slack), &steps).1, expected);
    let elsewhere = Rules { services: vec!["cart".to_owned()], ..rules(ChannelKind::Slack) };
    assert_eq!(told(&elsewhere, &steps).1, vec![Vec::<What>::new(); 3]);
}

#[test]
fn what_was_open_before_the_channel_is_told_when_it_gets_worse() {
    let (high, critical) = (brief(1, Severity::High), brief(1, Severity::Critical));
    let known = Mark { matched: true, ..Mark::unknown(&high) };
    let step = |one: &Brief| rules(ChannelKind::Slack).step(one, OPEN, Some(&known), None).1;
    assert_eq!(step(&high), []);
    assert_eq!(step(&critical), [Telling { what: What::Opened, note: None }]);
}

#[test]
fn what_flaps_is_told_once_until_it_settles() {
    let one = brief(1, Severity::High);
    let flaps = Brief { flapping: true, ..one.clone() };
    let steps = [
        (one.clone(), NEW, None),
        (over(one.clone()), QUIET, None),
        (flaps.clone(), OPEN, None),
        (over(flaps.clone()), QUIET, None),
        (flaps.clone(), OPEN, None),
        (over(flaps.clone()), QUIET, None),
        (over(one), QUIET, None),
    ];
    let expected = [
        vec![What::Opened],
        vec![What::Resolved],
        vec![What::Reopened],
        vec![],
        vec![],
        vec![],
        vec![What::Resolved],
    ];
    assert_eq!(told(&rules(ChannelKind::Slack), &steps).1, expected);
    let (_, tells) = rules(ChannelKind::Slack).step(&flaps, NEW, None, None);
    assert_eq!(tells, [Telling { what: What::Opened, note: Some(FLAPPING) }]);
}

#[test]
fn what_is_snoozed_is_told_when_that_is_over_or_it_gets_worse() {
    let one = brief(1, Severity::High);
    let snoozed = Brief { snoozed: true, ..one.clone() };
    let steps = |after: Brief| {
        [
            (one.clone(), NEW, None),
            (snoozed.clone(), QUIET, None),
            (snoozed.clone(), QUIET, Some("db")),
            (after.clone(), QUIET, None),
            (after, QUIET, Some("db")),
        ]
    };
    let told = |after| told(&rules(ChannelKind::Slack), &steps(after)).1;
    let expected = |after| [vec![What::Opened], vec![], vec![], vec![after], vec![What::Cause]];
    assert_eq!(told(one.clone()), expected(What::Reopened));
    assert_eq!(told(brief(1, Severity::Critical)), expected(What::Escalated));
    let ended = over(one.clone());
    assert_eq!(told(ended)[3..], [vec![What::Resolved], vec![]]);
    let known = Mark { told: true, snoozed: true, ..Mark::unknown(&one) };
    let (_, tells) = rules(ChannelKind::Slack).step(&one, QUIET, Some(&known), None);
    assert_eq!(tells, [Telling { what: What::Reopened, note: Some(SNOOZED) }]);
}

/// There is no spool over SQLite.
#[test]
fn nobody_is_told_that_alerts_are_kept_where_they_are_not() {
    let told = |database_url: &str, spool_mib| {
        let defaults = Config::defaults().unwrap();
        faults::meanwhile(&Config { database_url: database_url.to_owned(), spool_mib, ..defaults })
    };
    assert!(told("postgres://db/x", 1).contains("are kept"));
    for refused in [told("postgres://db/x", 0), told("", 1), told("sqlite://x", 1)] {
        assert!(refused.contains("are refused"), "{refused}");
    }
}

#[test]
fn pagerduty_ends_what_it_was_told_together_by_one_alert() {
    let one = brief(1, Severity::High);
    let digested = Mark { told: true, matched: true, digested: true, ..Mark::unknown(&one) };
    let step = |now: &Brief, likely| rules(ChannelKind::Pagerduty).step(now, OPEN, Some(&digested), likely);
    assert_eq!(step(&one, Some("cart|latency")).1, []);
    let (mark, tells) = step(&over(one.clone()), None);
    assert_eq!(tells, []);
    assert!(mark.is_some_and(|mark| mark.digested && !mark.open));
    let (mark, tells) = step(&Brief { severity: Severity::Critical, ..one }, None);
    assert_eq!(tells, [Telling { what: What::Escalated, note: None }]);
    assert!(mark.is_some_and(|mark| !mark.digested), "it has an alert of its own from then on");
}

fn project() -> Project {
    Project { id: ProjectId(Uuid::from_u128(7)), name: "Shop <&> more".to_owned() }
}

fn opened(count: u128) -> Vec<Told> {
    let severities = [Severity::High, Severity::Critical];
    let one = |number: u128| Told {
        one: brief(number, severities[usize::from(number.is_multiple_of(10))]),
        telling: Telling { what: What::Opened, note: None },
        cause: None,
    };
    (1..=count).map(one).collect()
}

#[test]
fn more_than_three_are_told_together() {
    let grouped = |count| {
        group::group(ChannelKind::Slack, &project(), "http://copilot.example/incidents", &opened(count))
    };
    assert_eq!(grouped(3).messages.len(), 3);
    assert!(grouped(3).digested.is_empty());
    let storm = grouped(500);
    assert_eq!(storm.messages.len(), 1);
    assert_eq!(storm.digested.len(), 500);
    let digest = storm.messages[0].digest.as_ref().unwrap();
    assert_eq!(storm.messages[0].title, "500 incidents opened: 50 critical, 450 high");
    assert_eq!(digest.by_severity, BTreeMap::from([(Severity::Critical, 50), (Severity::High, 450)]));
    assert_eq!(digest.services, [("checkout".to_owned(), 500)]);
    assert_eq!(digest.first.iter().map(|line| line.number).collect::<Vec<_>>(), [10, 20, 30, 40, 50]);
    assert_eq!(digest.numbers.len(), 500);
}

/// A message of each sort.
fn messages() -> Vec<(&'static str, Facts)> {
    let single = |what, one: Brief, cause| {
        let told = Told { one, telling: Telling { what, note: None }, cause };
        group::group(ChannelKind::Slack, &project(), "http://copilot.example/incidents", &[told])
            .messages
            .remove(0)
    };
    let cause = Cause {
        claim: "cart's <db> pool is full & waits".to_owned(),
        confidence: 0.82,
        evidence: 3,
        service_name: Some("cart".to_owned()),
    };
    let storm = group::group(ChannelKind::Slack, &project(), "http://copilot.example/incidents", &opened(12));
    let mut fault = group::missed(&project(), "http://copilot.example", 0);
    fault.what = What::Fault;
    fault.title = "SRE Copilot can't reach its database".to_owned();
    fault.fault = Some(Fault { kind: "database".to_owned(), since: Ts::from_micros(NOON), over: false });
    vec![
        ("opened", single(What::Opened, brief(1, Severity::Critical), None)),
        ("cause", single(What::Cause, brief(1, Severity::Critical), Some(cause))),
        ("resolved", single(What::Resolved, over(brief(1, Severity::Critical)), None)),
        ("digest", storm.messages[0].clone()),
        ("fault", fault),
    ]
}

fn rendered(render: impl Fn(&Message<'_>) -> Request) -> Value {
    let mut all = serde_json::Map::new();
    for (name, facts) in messages() {
        let message = Message {
            id: NotificationId(Uuid::from_u128(99)),
            channel: ChannelId(Uuid::from_u128(8)),
            channel_name: "on-call",
            created_at: Ts::from_micros(NOON),
            facts: &facts,
        };
        let Request { headers, body } = render(&message);
        let body: Value = serde_json::from_str(&body).unwrap();
        all.insert(name.to_owned(), json!({"headers": headers, "body": body}));
    }
    Value::Object(all)
}

#[test]
fn slack_is_sent() {
    insta::assert_json_snapshot!(rendered(slack::render));
}

#[test]
fn pagerduty_is_sent() {
    insta::assert_json_snapshot!(rendered(|message| pagerduty::render(
        message,
        "0123456789abcdef0123456789abcdef"
    )));
}

#[test]
fn a_webhook_is_sent() {
    let secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()];
    insta::assert_json_snapshot!(rendered(|message| webhook::render(
        message,
        &secrets,
        Ts::from_micros(NOON)
    )));
}

#[test]
fn slack_takes_whatever_others_wrote() {
    let mut one = brief(1, Severity::Critical);
    one.title = "<!channel>&".repeat(1_000);
    one.description = "<https://evil|ok> ".repeat(1_000);
    one.service_name = Some("<@U123>".repeat(1_000));
    let told = Told { one, telling: Telling { what: What::Opened, note: None }, cause: None };
    let many: Vec<Told> = std::iter::repeat_n(told.clone(), 60).collect();
    for told in [vec![told], many] {
        let facts =
            group::group(ChannelKind::Slack, &project(), "http://copilot.example", &told).messages.remove(0);
        let (id, channel) = (NotificationId(Uuid::from_u128(99)), ChannelId(Uuid::from_u128(8)));
        let created_at = Ts::from_micros(NOON);
        let body = slack::render(&Message { id, channel, channel_name: "c", created_at, facts: &facts }).body;
        let others = body.replace("<!date^1795384800^{date_short_pretty}, {time}|2026-11-22 22:00 UTC>", "");
        for markup in ["<!", "<@", "<https://evil"] {
            assert!(!others.contains(markup), "{markup}: {body}");
        }
        let body: Value = serde_json::from_str(&body).unwrap();
        let blocks = body["blocks"].as_array().unwrap();
        assert!(blocks.len() <= 50, "{}", blocks.len());
        for block in blocks {
            let most = if block["type"] == "header" { 150 } else { 3_000 };
            let length = block["text"]["text"].as_str().map_or(0, |text| text.chars().count());
            assert!(length <= most, "{length}: {block}");
            for field in block["fields"].as_array().into_iter().flatten() {
                assert!(field["text"].as_str().unwrap().chars().count() <= 2_000, "{field}");
            }
        }
    }
}
