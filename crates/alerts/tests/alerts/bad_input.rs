//! The corpus of bad bodies, row by row: what each must become.
//!
//! The rows about times are in `bad_times`, those about identity in `keys`, XB07 in `properties`.

use crate::bodies::{alert, alertmanager, damaged, json, read, received};
use alerts::{
    Flag, Format, MAX_ALERTS, MAX_SHOWN_BYTES, Mismatch, ParseError, Parsed, Problem, Reason, Sender,
    Settings, Severity, SeveritySource, Status, parse,
};
use std::collections::BTreeMap;

const SENDERS: [Sender; 3] = [Sender::Alertmanager, Sender::Prometheus, Sender::Grafana];

fn problem(body: &[u8]) -> Option<Problem> {
    match parse(Sender::Alertmanager, body, received(), &Settings::default()) {
        Err(ParseError::MalformedJson(malformed)) => Some(malformed.problem),
        _ => None,
    }
}

#[test]
fn bodies_of_another_shape_are_not_this_format() {
    let shapes =
        ["null", "\"x\"", "42", "true", "{}", r#"{"alerts":null}"#, r#"{"alerts":{}}"#, r#"{"alerts":"x"}"#];
    for sender in SENDERS {
        for body in shapes {
            assert!(
                matches!(read(sender, body), Err(ParseError::NotThisFormat(_))),
                "XB02, XB04 {sender} {body}"
            );
        }
        assert_eq!(read(sender, r#"{"alerts":[]}"#).unwrap().alerts, [], "XB05");
    }
    assert_eq!(read(Sender::Alertmanager, "[]"), Err(Mismatch::List.into()), "XB03");
    assert_eq!(read(Sender::Alertmanager, "[1,{}]"), Err(Mismatch::List.into()), "XB03");
    assert_eq!(read(Sender::Prometheus, "[]").unwrap().alerts, [], "XB03");
}

#[test]
fn text_that_is_no_json_is_malformed() {
    let good = alertmanager(&[alert(&[])], &[]);
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf32: Vec<u8> = good.chars().flat_map(|letter| u32::from(letter).to_be_bytes()).collect();
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("empty", vec![]),
        ("XB08 trailing", format!("{good}x").into()),
        ("XB08 two documents", format!("{good}{good}").into()),
        ("XB08 trailing comma", good.replace("\"}]", "\",}]").into()),
        ("XB08 comment", format!("/* x */{good}").into()),
        ("XB08 single quotes", good.replace('"', "'").into()),
        ("XB09 mark", format!("\u{feff}{good}").into()),
        ("XB09 UTF-16", utf16),
        ("XB09 UTF-32", utf32),
        ("invalid UTF-8", b"{\"alerts\":[],\"x\":\"\xff\xfe\"}".to_vec()),
        ("lone surrogate in an unknown field", r#"{"alerts":[],"x":"\ud800"}"#.into()),
        ("XB15 digits", format!("{{\"alerts\":[],\"x\":{}}}", "9".repeat(100_000)).into()),
        ("XB15 exponent", r#"{"alerts":[],"x":1e131071}"#.into()),
        ("deep in an unknown field", format!("{{\"alerts\":[],\"x\":{}}}", "[".repeat(100_000)).into()),
    ];
    for (row, body) in rows {
        assert!(problem(&body).is_some(), "{row}");
    }
    for byte in 0..0x20_u8 {
        let body = good.replace("HighCpu", &format!("High{}Cpu", char::from(byte)));
        assert_eq!(problem(body.as_bytes()), Some(Problem::ControlCharacter), "XB11 {byte:02x}");
    }
}

#[test]
fn a_million_keys_are_refused_at_once() {
    let members: Vec<_> = (0..1_000_000).map(|number| format!("\"k{number}\":1")).collect();
    assert_eq!(
        problem(format!("{{{}}}", members.join(",")).as_bytes()),
        Some(Problem::TooManyMembers),
        "XB19"
    );
}

fn labels(count: usize) -> String {
    let members: Vec<_> = (0..count).map(|number| format!("\"l{number}\":\"v\"")).collect();
    format!("{{{}}}", members.join(","))
}

/// Every kind of alert that is quarantined: row, replaced member, its JSON, reason.
fn quarantined() -> Vec<(&'static str, &'static str, String, Reason)> {
    let named = |name: &str| format!("{{\"alertname\":\"A\",{}:\"x\"}}", json(name));
    vec![
        ("XB22", "labels", String::new(), Reason::LabelsEmpty),
        ("XB22", "labels", "null".into(), Reason::LabelsEmpty),
        ("XB22", "labels", "{}".into(), Reason::LabelsEmpty),
        ("XB22", "labels", r#"{"a":"","b":null}"#.into(), Reason::LabelsEmpty),
        ("XB25", "labels", named(""), Reason::LabelName),
        ("XB25", "labels", named(&"n".repeat(1025)), Reason::LabelName),
        ("XB25", "labels", named("a\0b"), Reason::LabelName),
        ("XB26", "labels", labels(129), Reason::TooManyLabels),
        ("XB52", "status", "\"FIRING\"".into(), Reason::UnknownStatus),
        ("XB52", "status", "\"Resolved\"".into(), Reason::UnknownStatus),
        ("XB52", "status", "\" firing\"".into(), Reason::UnknownStatus),
        ("XB53", "status", "\"suppressed\"".into(), Reason::UnknownStatus),
        ("XB53", "status", "\"\"".into(), Reason::UnknownStatus),
        ("XB53", "status", "null".into(), Reason::UnknownStatus),
        ("XB53", "status", "1".into(), Reason::UnknownStatus),
        ("labels are a list", "labels", "[]".into(), Reason::LabelsType),
        ("labels are a text", "labels", "\"x\"".into(), Reason::LabelsType),
        ("a label is an object", "labels", r#"{"a":{}}"#.into(), Reason::LabelValue),
    ]
}

#[test]
fn alerts_without_identity_or_status_are_quarantined() {
    for (row, member, value, reason) in quarantined() {
        assert_eq!(damaged(&[(member, &value)]).err(), Some(reason), "{row} {value:.60}");
    }
    assert!(damaged(&[("labels", &labels(128))]).is_ok(), "XB26");
    assert!(damaged(&[("labels", &format!("{{{}:\"x\"}}", json(&"n".repeat(1024))))]).is_ok(), "XB25");
    let slugs = [
        (Reason::LabelsEmpty, "labels-empty"),
        (Reason::LabelName, "label-name"),
        (Reason::TooManyLabels, "too-many-labels"),
        (Reason::UnknownStatus, "unknown-status"),
    ];
    for (reason, slug) in slugs {
        assert_eq!((reason.as_str(), serde_json::to_string(&reason).unwrap()), (slug, json(slug)));
    }
}

#[test]
fn bad_alerts_cost_the_good_ones_nothing() {
    let bad = quarantined();
    let mut alerts: Vec<_> = bad.iter().map(|(_, member, value, _)| alert(&[(*member, value)])).collect();
    alerts.extend(["1", "null", "[]", "\"x\""].map(String::from));
    let damaged = alerts.len();
    for number in 0..50 {
        let place = number * 7 % (alerts.len() + 1);
        alerts.insert(place, alert(&[("labels", &format!("{{\"alertname\":\"Good{number}\"}}"))]));
    }
    let batch = read(Sender::Alertmanager, &alertmanager(&alerts, &[])).unwrap();
    let names: Vec<_> = batch.readable().map(|alert| alert.name.as_str()).collect();
    assert_eq!(names.len(), 50, "XB76");
    assert!((0..50).all(|number| names.contains(&format!("Good{number}").as_str())), "XB76");
    let quarantined = batch.alerts.iter().filter(|parsed| matches!(parsed, Parsed::Quarantined(_)));
    assert_eq!(quarantined.count(), damaged, "XB76");
    let indexes = batch.alerts.iter().map(|parsed| match parsed {
        Parsed::Alert(alert) => alert.index,
        Parsed::Quarantined(quarantined) => quarantined.index,
        Parsed::Ignored { index, .. } => *index,
    });
    assert!(indexes.eq(0..damaged + 50));
}

#[test]
fn long_and_strange_texts_are_kept() {
    let long = "é".repeat(524_288);
    let alert = damaged(&[("labels", &format!("{{\"alertname\":\"A\",\"big\":\"{long}\"}}"))]).unwrap();
    assert_eq!(alert.labels["big"].len(), MAX_SHOWN_BYTES, "XB27");
    assert!(alert.canonical.len() > 1024 * 1024 && alert.flags.contains(&Flag::LabelCut), "XB27");

    let nul = "a\0b";
    let labels = format!("{{\"alertname\":{}}}", json(nul));
    let annotations = format!("{{\"summary\":{}}}", json(nul));
    let alert = damaged(&[("labels", &labels), ("annotations", &annotations), ("fingerprint", "")]).unwrap();
    assert_eq!((alert.name.as_str(), alert.title.as_str()), ("a\u{fffd}b", "a\u{fffd}b"), "XB28");
    assert_eq!(alert.flags, [Flag::Nul], "XB28");
    assert!(alert.canonical.contains(&0), "XB28: the key is of the characters received");
    let batch = read(
        Sender::Alertmanager,
        &alertmanager(&[], &[("receiver", "\"a\\u0000b\""), ("groupKey", "\"\\u0000\"")]),
    );
    let batch = batch.unwrap();
    assert_eq!(batch.receiver.as_deref(), Some("a\u{fffd}b"), "XB28");
    assert_eq!((batch.group_key.as_deref(), batch.flags), (Some("\u{fffd}"), vec![Flag::Nul]), "XB28");

    let marks = format!("e{}", "\u{301}".repeat(10_000));
    let title = "t".repeat(201);
    let texts = [
        "\u{2028}\u{2029}\u{feff}👩\u{200d}👩\u{200d}👧", // XB29
        &marks,                                           // XB31
        "<script>alert(1)</script><img src=x onerror=alert(1)>", // XB34
        "' OR 1=1 --\"; DROP TABLE incidents; --\\",      // XB36
        "=HYPERLINK(\"http://e\")",                       // XB38
        "\t+1 @x",                                        // XB38
        &title,                                           // XB68
    ];
    for text in texts {
        let description = "d".repeat(5_001);
        let annotations = format!("{{\"summary\":{},\"description\":{}}}", json(text), json(&description));
        let labels = format!("{{\"alertname\":\"A\",\"service\":{}}}", json(text));
        let alert = damaged(&[("labels", &labels), ("annotations", &annotations)]).unwrap();
        assert_eq!(alert.title, text);
        assert_eq!(alert.service.as_deref(), Some(text));
        assert_eq!(alert.description, description, "XB68");
    }
}

#[test]
fn only_web_addresses_become_links() {
    let long = format!("http://e.com/{}", "a".repeat(100_000));
    let addresses = [
        "javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "//evil",
        "\\\\evil",
        &long,
        "not a url",
        "https://user:pass@e.com/",
        "http://e.com/\0",
    ];
    for address in addresses {
        let text = json(address);
        let annotations = format!("{{\"runbook_url\":{text},\"dashboard_url\":{text}}}");
        let alert = damaged(&[("generatorURL", &text), ("annotations", &annotations)]).unwrap();
        assert_eq!(alert.generator_url, None, "XB39, XB40 {address:.60}");
        assert_eq!(alert.links, alerts::Links::default(), "XB39, XB40 {address:.60}");
        assert!(alert.flags.contains(&Flag::BadLink), "XB39, XB40 {address:.60}");
        assert!(!alert.annotations["runbook_url"].contains("user:pass"), "XB40: credentials are masked");
        let body = alertmanager(&[], &[("externalURL", &text)]);
        assert_eq!(read(Sender::Alertmanager, &body).unwrap().external_url, None);
    }
    let alert = damaged(&[("generatorURL", "5")]).unwrap();
    assert_eq!(alert.generator_url, None);
    let body = alertmanager(&[], &[("externalURL", "\"http://169.254.169.254/latest\"")]);
    assert!(read(Sender::Alertmanager, &body).is_ok(), "XB41: reading fetches nothing");
}

#[test]
fn fingerprints_of_the_sender_are_used_only_when_well_formed() {
    let malformed = ["\"abc123def456\"", "1234567890123456", "{}", &json(&"a".repeat(1_000_000))];
    for supplied in malformed {
        let alert = damaged(&[("fingerprint", supplied)]).unwrap();
        assert_eq!((alert.sender_fingerprint, alert.flags), (None, vec![Flag::FingerprintMalformed]), "XB56");
        assert_eq!(alert.fingerprint, "19c42a0e7ffe6107", "XB56");
    }
    for absent in ["", "null", "\"\""] {
        let alert = damaged(&[("fingerprint", absent)]).unwrap();
        assert_eq!((alert.sender_fingerprint, alert.flags), (None, vec![]), "XB56");
    }
    let alert = damaged(&[("fingerprint", "\"0123456789abcdef\"")]).unwrap();
    assert_eq!(alert.flags, [Flag::FingerprintMismatch], "XB58");
    assert_eq!(damaged(&[]).unwrap().flags, []);
}

#[test]
fn statements_about_one_alert_sort_firing_first() {
    let end = ("endsAt", "\"2026-11-22T21:11:45Z\"");
    let pair = [alert(&[]), alert(&[("status", "\"resolved\""), end])];
    for order in [[0, 1], [1, 0]] {
        let body = alertmanager(&order.map(|place: usize| pair[place].clone()), &[("status", "\"firing\"")]);
        let batch = read(Sender::Alertmanager, &body).unwrap();
        let mut statuses: Vec<_> = batch.readable().map(|alert| alert.status).collect();
        statuses.sort();
        assert_eq!(statuses, [Status::Firing, Status::Resolved], "XB61");
    }
}

#[test]
fn ten_thousand_alerts_are_the_limit() {
    let many = vec![alert(&[]); MAX_ALERTS];
    assert_eq!(
        read(Sender::Alertmanager, &alertmanager(&many, &[])).unwrap().readable().count(),
        MAX_ALERTS,
        "XB62"
    );
    let over = format!("[{}1]", "1,".repeat(MAX_ALERTS));
    let refused = Err(ParseError::TooManyAlerts { count: 10_001, limit: 10_000 });
    assert_eq!(read(Sender::Prometheus, &over), refused, "XB62");
    assert_eq!(read(Sender::Grafana, &format!("{{\"alerts\":{over}}}")), refused, "XB62");
}

#[test]
fn odd_envelopes_are_read_and_flagged() {
    let envelope =
        |name: &str, value: &str| read(Sender::Alertmanager, &alertmanager(&[alert(&[])], &[(name, value)]));
    for (sent, count) in [("500", 500), ("0", 0), ("null", 0), ("", 0)] {
        let batch = envelope("truncatedAlerts", sent).unwrap();
        assert_eq!((batch.truncated, batch.flags), (count, vec![]), "XB63 {sent}");
    }
    for sent in ["-1", "1e30", "\"x\"", "99999999999999999999", "1.5", "{}"] {
        let batch = envelope("truncatedAlerts", sent).unwrap();
        assert_eq!((batch.truncated, batch.flags), (0, vec![Flag::BadTruncated]), "XB63 {sent}");
    }
    for version in ["\"5\"", "", "4", "null", "{}"] {
        let batch = envelope("version", version).unwrap();
        assert_eq!(
            (batch.readable().count(), batch.flags),
            (1, vec![Flag::UnknownVersion]),
            "XB64 {version}"
        );
    }
}

#[test]
fn severities_are_mapped_or_medium_and_say_which() {
    let rows = [
        ("\"CRITICAL\"", Severity::Critical),
        ("\"page\"", Severity::Critical),
        ("\"P1\"", Severity::Critical),
        ("\"\"", Severity::Medium),
        ("5", Severity::Medium),
        ("null", Severity::Medium),
        ("\"none\"", Severity::Info),
    ];
    for (sent, expected) in rows {
        let alert = damaged(&[("labels", &format!("{{\"alertname\":\"A\",\"severity\":{sent}}}"))]).unwrap();
        assert_eq!(alert.severity, expected, "XB66 {sent}");
    }
    let missing = damaged(&[("labels", r#"{"alertname":"A"}"#)]).unwrap().severity_source;
    assert_eq!(missing, SeveritySource::Missing { label: "severity".into() }, "XB66");
}

#[test]
fn annotations_may_be_missing_or_strange() {
    for sent in ["", "null", "{}", r#"{"summary":null}"#] {
        let alert = damaged(&[("annotations", sent)]).unwrap();
        assert_eq!((alert.annotations.len(), alert.title.as_str()), (0, "HighCpu on api"), "XB67 {sent}");
    }
    for sent in ["[]", "\"x\"", "5", r#"{"summary":{"a":1}}"#] {
        let alert = damaged(&[("annotations", sent)]).unwrap();
        assert_eq!(
            (alert.annotations, alert.title.as_str()),
            (BTreeMap::new(), "HighCpu on api"),
            "XB67 {sent}"
        );
        assert!(alert.flags.contains(&Flag::AnnotationType), "XB67 {sent}");
    }
}

#[test]
fn a_body_is_read_as_what_it_is_on_every_route() {
    let legacy = r#"{"ruleId":1,"ruleName":"R","state":"alerting","evalMatches":[]}"#;
    let grafana = alertmanager(&[alert(&[])], &[("version", "\"1\""), ("orgId", "1")]);
    let rows = [
        (alertmanager(&[alert(&[])], &[]), Format::Alertmanager),
        (grafana, Format::Grafana),
        (legacy.to_owned(), Format::GrafanaLegacy),
        (format!("[{}]", alert(&[])), Format::Prometheus),
    ];
    for (body, format) in rows {
        for sender in SENDERS {
            let batch = read(sender, &body).unwrap();
            assert_eq!((batch.format, batch.readable().count()), (format, 1), "XB70, XB72 {sender} {body}");
            assert_eq!(
                batch.flags.contains(&Flag::OtherSender),
                format.sender() != sender,
                "XB72 {sender} {body}"
            );
        }
    }
}

#[test]
fn an_old_rule_without_number_and_name_is_quarantined() {
    let batch =
        read(Sender::Grafana, r#"{"ruleId":{},"orgId":1,"state":"alerting","tags":{"a":"b"}}"#).unwrap();
    let [Parsed::Quarantined(quarantined)] = batch.alerts.as_slice() else { panic!("{batch:?}") };
    assert_eq!(quarantined.reason, Reason::LabelsEmpty, "XB70");
}

#[test]
fn custom_payloads_are_read_or_refused_whole() {
    let refused = [
        r#"{"text":"x"}"#,
        r#"{"alert":{"labels":{}}}"#,
        r#"{"Alerts":[]}"#,
        r#"{"data":{"alerts":[]}}"#,
        r#"[["a"]]"#,
        r#"{"title":"x","message":"y"}"#,
        r#"{"event_action":"trigger","payload":{}}"#,
        r#"{"version":"4"}"#,
        r#"{"state":"alerting"}"#,
        r#"{"ruleId":null}"#,
        r#"{"version":"1","ruleId":1,"state":"ok"}"#,
        r#"{"alerts":"[]"}"#,
    ];
    for body in refused {
        assert!(matches!(read(Sender::Alertmanager, body), Err(ParseError::NotThisFormat(_))), "XB73 {body}");
    }
    let accepted = [
        r#"{"alerts":[{}]}"#,
        r#"{"alerts":[[]]}"#,
        r#"{"alerts":[null,1]}"#,
        r#"{"title":"x","alerts":[]}"#,
        r#"{"title":"x","state":"ok","alerts":[{"labels":{"a":"b"}}]}"#,
        r#"{"ruleId":{},"state":"ok"}"#,
        r#"{"ruleName":"x","state":5,"tags":7,"evalMatches":[1,{"value":"x"}]}"#,
        r#"{"alerts":[],"alerts":[{}]}"#,
    ];
    for body in accepted {
        assert!(read(Sender::Grafana, body).is_ok(), "XB73 {body}");
    }
}
