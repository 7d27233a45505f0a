//! Real configurations, in which comments say what is to be found on their line.

use std::path::PathBuf;

use super::{Finding, Level, alertmanager, check};
use crate::cli::check::CheckCommand;
use crate::ids::IntegrationId;
use crate::integration::{Kind, snippet};

fn cases() -> Vec<(PathBuf, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli/check/cases");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| (path.clone(), std::fs::read_to_string(&path).unwrap())).collect()
}

/// What the comments of a file say: the line, the level, and words of what is found.
fn expected(text: &str) -> Vec<(usize, Level, &str)> {
    let mut all = Vec::new();
    for (at, line) in text.lines().enumerate() {
        for comment in line.split(" # ").skip(1) {
            if let Some((level, words)) = comment.split_once(": ") {
                let level = if level == "error" { Level::Error } else { Level::Warning };
                all.push((at + 1, level, words));
            }
        }
    }
    all
}

#[test]
fn what_is_wrong_is_found_on_its_line_and_nothing_else() {
    let cases = cases();
    assert!(cases.len() >= 11, "{} files", cases.len());
    for (path, text) in cases {
        let found = alertmanager::check(&text).unwrap();
        let mut left: Vec<&Finding> = found.iter().collect();
        for (line, level, words) in expected(&text) {
            let place = left.iter().position(|finding| {
                finding.line == line && finding.level == level && finding.what.contains(words)
            });
            let place =
                place.unwrap_or_else(|| panic!("{}:{line}: {words:?} is not in {found:#?}", path.display()));
            left.remove(place);
        }
        assert!(left.is_empty(), "{}: {left:#?}", path.display());
        assert!(found.iter().all(|finding| !finding.why.is_empty() && !finding.instead.is_empty()));
    }
}

/// The configurations are such as Alertmanager itself reads, where its tool is installed.
#[test]
fn alertmanager_reads_them_as_well() {
    let known = std::process::Command::new("amtool").arg("--version").output();
    if !known.is_ok_and(|output| output.status.success()) {
        return;
    }
    for (path, _) in cases() {
        let output = std::process::Command::new("amtool").arg("check-config").arg(&path).output().unwrap();
        let refused = path.file_name().unwrap().to_str().unwrap().starts_with("refused");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.success(), !refused, "{}: {said}", path.display());
    }
}

#[test]
fn what_we_give_to_paste_has_no_problem() {
    let text =
        snippet::snippet("https://copilot.shop.example", Kind::Alertmanager, IntegrationId::new(), "whs_1");
    assert_eq!(alertmanager::check(&text).unwrap(), []);
    let text =
        snippet::snippet("https://x.example", Kind::Alertmanager, IntegrationId::new(), snippet::PLACEHOLDER);
    let found = alertmanager::check(&text).unwrap();
    assert!(matches!(&found[..], [Finding { level: Level::Error, .. }]), "{found:#?}");
}

#[test]
fn what_is_no_yaml_is_named_with_its_line() {
    let bomb = (0..9).fold("a0: &a0 [x]\n".to_owned(), |text, n| {
        format!("{text}a{}: &a{} [{}]\n", n + 1, n + 1, format!("*a{n},").repeat(9))
    });
    let deep = format!("a: {}", "[".repeat(100));
    for (text, line) in [
        ("route:\n  receiver: x\n\treceivers: []\n", 3),
        ("route:\n  receiver: x\nreceivers: [\n", 4),
        ("route:\n  receiver: x\n  receiver: y\n", 3),
        ("route: {receiver: \"x}\n", 1),
        ("", 1),
        ("- a\n- b\n", 1),
        (bomb.as_str(), 7),
        (deep.as_str(), 1),
    ] {
        let broken = alertmanager::check(text).unwrap_err();
        assert_eq!(broken.line, line, "{text}: {broken:?}");
        assert!(!broken.what.is_empty());
    }
}

#[test]
fn losing_alerts_fails_and_warnings_do_not() {
    let case = |name: &str| cases().into_iter().find(|(path, _)| path.ends_with(name)).unwrap().0;
    let run = |file: PathBuf| check(&CheckCommand::AlertmanagerConfig { file });
    for name in ["good-copy.yml", "kube-prometheus.yml"] {
        run(case(name)).unwrap();
    }
    let refused = run(case("webhooks.yml")).unwrap_err().to_string();
    assert!(
        refused.ends_with("8 mistakes that would lose alerts, or keep somebody from being paged"),
        "{refused}"
    );
    let absent = run(PathBuf::from("/nowhere/alertmanager.yml")).unwrap_err();
    assert!(format!("{absent:#}").contains("/nowhere/alertmanager.yml"), "{absent:#}");
}
