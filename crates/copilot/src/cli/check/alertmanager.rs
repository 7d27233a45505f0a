//! What in an alertmanager.yml keeps alerts from arriving here.

use std::collections::BTreeSet;

use super::route::{self, Route};
use super::yaml::{self, Broken, Node};
use super::{Finding, receiver};

/// Everything that is wrong, in the order of the file.
///
/// # Errors
/// When it is no YAML.
pub fn check(text: &str) -> Result<Vec<Finding>, Broken> {
    let file = yaml::read(text)?;
    if !file.is_map() {
        return Err(Broken { line: file.line, what: "it is no map of settings".to_owned() });
    }
    let mut found = all(&file);
    found.sort_by_key(|finding| (finding.line, finding.level));
    found.dedup();
    Ok(found)
}

fn all(file: &Node) -> Vec<Finding> {
    let receivers = file.list_of("receivers");
    let named = |receiver: &&Node| receiver.text_of("name").is_some();
    let receivers: Vec<&Node> = receivers.iter().filter(named).collect();
    let name =
        |receiver: &Node| receiver.text_of("name").map_or_else(String::new, |(_, name)| name.to_owned());
    let global = file.get("global").and_then(|(_, global)| global.get("http_config")).map(|(_, node)| node);
    let Some((line, first)) = file.get("route") else {
        let why = "Alertmanager does not start with it";
        return vec![Finding::error(
            file.line,
            "there is no route",
            why,
            "route:\n  receiver: the name of a receiver",
        )];
    };
    let unstartable = route::unstartable(first);
    let first = Route::first(line, first);
    let mut found = undefined(&first, &receivers);
    found.extend(unstartable);
    let (mut ours, mut empty) = (BTreeSet::new(), BTreeSet::new());
    let names: Vec<String> = receivers.iter().map(|receiver| name(receiver)).collect();
    for (receiver, name) in receivers.iter().zip(&names) {
        let webhooks = receiver::ours(receiver);
        if !webhooks.is_empty() {
            ours.insert(name.as_str());
        }
        if receiver::is_empty(receiver) {
            empty.insert(name.as_str());
        }
        found.extend(webhooks.iter().flat_map(|webhook| webhook.check(global)));
    }
    if ours.is_empty() {
        found.push(nothing_here(file, &receivers));
        return found;
    }
    found.extend(route::check(&first, &ours, &empty));
    found.extend(inhibited(file));
    found
}

/// Routes to receivers that are nowhere.
fn undefined(first: &Route, receivers: &[&Node]) -> Vec<Finding> {
    let known: BTreeSet<&str> = receivers.iter().filter_map(|one| Some(one.text_of("name")?.1)).collect();
    let routes = first.receivers().into_iter().filter(|(_, name)| !known.contains(name));
    let finding = |(line, name): (usize, &str)| {
        let what = if name.is_empty() {
            "the first route names no receiver".to_owned()
        } else {
            format!("receiver \"{name}\" is nowhere")
        };
        Finding::error(
            line,
            what,
            "Alertmanager does not start with it",
            "receiver: a name that stands in receivers",
        )
    };
    routes.map(finding).collect()
}

/// No receiver posts here, as far as the file says.
fn nothing_here(file: &Node, receivers: &[&Node]) -> Finding {
    let line = file.get("receivers").map_or(file.line, |(line, _)| line);
    let instead = "- name: sre-copilot\n  webhook_configs:\n    - url: https://YOUR-HOST/webhooks/alertmanager/ID\n      \
                   send_resolved: true\n      http_config:\n        authorization:\n          credentials: <your webhook token>\n\
                   and a route to it; the page of the integration has both, to be pasted";
    let elsewhere =
        receivers.iter().flat_map(|one| one.list_of("webhook_configs")).find_map(|one| one.get("url_file"));
    if let Some((line, _)) = elsewhere {
        let what = "no receiver posts to /webhooks/alertmanager, unless the address in this file does";
        return Finding::warning(
            line,
            what,
            "what the file holds is not looked at, so nothing is known of it",
            instead,
        );
    }
    let what = "no receiver posts to /webhooks/alertmanager";
    Finding::error(line, what, "not a single alert arrives here", instead)
}

/// Alerts that Alertmanager holds back while others fire.
fn inhibited(file: &Node) -> Option<Finding> {
    let (line, _) = file.get("inhibit_rules").filter(|_| !file.list_of("inhibit_rules").is_empty())?;
    let what = "alerts that these rules inhibit do not arrive while the others fire";
    let why = "they are no evidence then, and one that fired before looks silent; alerts of one cause share an incident without such rules";
    let instead =
        "equal: labels that only alerts of one cause share, so that a rule holds back no more than is meant";
    Some(Finding::warning(line, what, why, instead))
}
