//! The fingerprint against values that a running Alertmanager printed.

use crate::{
    bodies::{alert, alertmanager, read},
    golden::{Fixture, names},
};
use alerts::{Sender, canonical, fingerprint, is_fingerprint};
use serde_json::Value;
use std::collections::BTreeMap;

/// Labels as JSON and their fingerprint. Invalid UTF-8 and lone surrogates appear as the U+FFFD that
/// Alertmanager makes of them; a body that contains them is refused here.
const VECTORS: [(&str, &str); 16] = [
    (r#"{"alertname":"V1"}"#, "4fbce442ddbd975b"),
    (r#"{"alertname":"A","severity":"critical","instance":"h1:9100"}"#, "c30cfc37a911140d"),
    (r#"{"alertname":"V2","empty":"","x":"1"}"#, "d876fad0b923c08d"),
    (r#"{"alertname":"V3","Zed":"z","_u":"u","abc":"a","A9":"n"}"#, "7c993f65a0e3e23e"),
    (
        r#"{"alertname":"V4","svc":"платёж-сервис","e":"🙂","nfc":"\u00e9","nfd":"e\u0301"}"#,
        "43d397788bfdc440",
    ),
    (r#"{"alertname":"V5","nul":"a\u0000b","tab":"a\tb\nc"}"#, "64236e31229e10a1"),
    (r#"{"alertname":"V6","sep":"a\u00ffb","rep":"\ufffd"}"#, "085fd9b43ceadeff"),
    (r#"{"alertname":"V8","lt":"<script>&'\"\\"}"#, "d04ed766a91102ea"),
    (r#"{"alertname":"V9","ls":"\u2028\u2029","bom":"\ufeff","rtl":"\u202eabc"}"#, "35facb1bfa192a5e"),
    (r#"{"a":"noname"}"#, "6857bc7142d62486"),
    (r#"{"alertname":"NU","a":null}"#, "1e66bc435272140f"),
    (r#"{"alertname":"DK","a":"1","a":"2"}"#, "ae943609bc3f0d92"),
    (r#"{"alertname":"IU","a":"x\ufffd\ufffdy"}"#, "0ece5e996563c082"),
    (r#"{"alertname":"LS","a":"\ufffd"}"#, "00dde3ca70b608f9"),
    (r#"{"alertname":"V10","\ue000":"a","😀":"b"}"#, "910fe72819519fe9"),
    (r#"{"\u0061lertname":"\u0056\u0031"}"#, "4fbce442ddbd975b"),
];

fn check(labels: &str, expected: &str) {
    let body = alertmanager(&[alert(&[("labels", labels), ("fingerprint", "")])], &[]);
    let batch = read(Sender::Alertmanager, &body).unwrap();
    assert_eq!(batch.readable().next().unwrap().fingerprint, expected, "{labels:.100}");
}

#[test]
fn it_is_alertmanagers() {
    for (labels, expected) in VECTORS {
        check(labels, expected);
    }
    let long = format!(r#"{{"alertname":"V7","long":"{}"}}"#, "x".repeat(100_000));
    check(&long, "9fc3428cf92575b5");
    let empty = BTreeMap::from([("empty".to_owned(), String::new())]);
    for labels in [BTreeMap::new(), empty] {
        assert_eq!(fingerprint(&canonical(&labels)), "cbf29ce484222325");
    }
}

#[test]
fn it_is_the_one_in_every_captured_alertmanager_body() {
    let mut compared = 0;
    for name in names().filter(|name| name.starts_with("alertmanager-") && !name.contains("odd")) {
        let fixture = Fixture::load(name);
        let body: Value = serde_json::from_str(fixture.body.get()).unwrap();
        let Ok(batch) = read(Sender::Alertmanager, fixture.body.get()) else { continue };
        for (alert, sent) in batch.readable().zip(body["alerts"].as_array().unwrap()) {
            assert_eq!(alert.fingerprint, sent["fingerprint"].as_str().unwrap(), "{name}");
            compared += 1;
        }
    }
    assert!(compared >= 17, "only {compared}");
}

#[test]
fn its_form_is_sixteen_lower_case_digits() {
    assert!(is_fingerprint("0123456789abcdef"));
    for other in
        ["", "0123456789abcde", "0123456789abcdef0", "0123456789ABCDEF", "0123456789abcdeg", "éééééééé"]
    {
        assert!(!is_fingerprint(other), "{other}");
    }
}
