//! A message as Slack takes it: an incoming webhook with blocks, and a text for notifications and for what shows no blocks.
//!
//! Limits: a header 150 characters, a text 3,000, 50 blocks (Slack's reference of Block Kit). `&`, `<` and `>` are escaped in
//! everything that others wrote (Slack, "Formatting text for app surfaces"), so that nobody's alert calls a whole channel.

use outbox::Ts;
use serde_json::{Value, json};

use super::What;
use super::facts::{Brief, Digest, Facts, Line, Message, Request, span};
use crate::incident::Severity;

/// Characters of a header.
const HEADER: usize = 150;

/// Characters of a text.
const TEXT: usize = 3_000;

/// Characters of a field's value.
const FIELD: usize = 1_500;

/// Characters of a title in a list.
const TITLE: usize = 300;

/// The request for a message.
pub fn render(message: &Message<'_>) -> Request {
    let facts = message.facts;
    let mut blocks = vec![json!({
        "type": "header",
        "text": {"type": "plain_text", "emoji": false, "text": escape(&format!("{} {}", sign(facts), facts.title), HEADER)},
    })];
    if let Some(note) = &facts.note {
        blocks.push(section(escape(note, TEXT)));
    }
    if let Some(one) = &facts.incident {
        incident(facts.what, one, &mut blocks);
    }
    if let Some(cause) = &facts.cause {
        let percent = (cause.confidence * 100.0).round();
        let pieces = if cause.evidence == 1 { "1 piece" } else { &format!("{} pieces", cause.evidence) };
        let about = format!("\n_{percent} % likely, {pieces} of evidence_");
        blocks.push(section(format!("*Likely cause*\n{}{about}", escape(&cause.claim, TEXT - 200))));
    }
    if let Some(digest) = &facts.digest {
        list(digest, &mut blocks);
    }
    blocks.push(json!({
        "type": "context",
        "elements": [{"type": "mrkdwn", "verbatim": true,
            "text": format!("{} · {}", link(&facts.url, "Open in SRE Copilot"), escape(&facts.project.name, FIELD))}],
    }));
    let cause = facts.cause.as_ref().map_or_else(String::new, |cause| format!(": {}", cause.claim));
    let text = escape(&format!("{} {}{cause}", sign(facts), facts.title), TEXT);
    let body = json!({"text": text, "unfurl_links": false, "unfurl_media": false, "blocks": blocks});
    // Slack drops no repeats; whoever stands in its place can.
    Request { headers: vec![("webhook-id", message.id.to_string())], body: body.to_string() }
}

fn incident(what: What, one: &Brief, blocks: &mut Vec<Value>) {
    let text = |value: &str| escape(value, FIELD);
    let mut fields = vec![("Severity", text(one.severity.as_str()))];
    fields.extend(one.service_name.as_deref().map(|name| ("Service", text(name))));
    fields.push(("Since", date(one.started_at)));
    match (what, one.resolved_at) {
        (What::Resolved, Some(end)) => fields.push(("Lasted", span(end.seconds_since(one.started_at)))),
        _ => fields.push(("State", text(one.state.as_str()))),
    }
    fields.push(("Alerts", one.alert_count.to_string()));
    fields.push(("Source", text(&one.source)));
    let fields: Vec<Value> =
        fields.iter().map(|(name, value)| mrkdwn(format!("*{name}*\n{value}"))).collect();
    blocks.push(json!({"type": "section", "fields": fields}));
    if matches!(what, What::Opened | What::Reopened | What::Escalated) && !one.description.trim().is_empty() {
        blocks.push(section(escape(&one.description, TEXT)));
    }
}

/// A time as each reader's own clock shows it, and in UTC (Slack, "Date formatting").
fn date(at: Ts) -> String {
    let utc = at.timestamp().strftime("%Y-%m-%d %H:%M UTC");
    format!("<!date^{}^{{date_short_pretty}}, {{time}}|{utc}> ({utc})", at.timestamp().as_second())
}

fn list(digest: &Digest, blocks: &mut Vec<Value>) {
    if !digest.services.is_empty() {
        let named: Vec<String> = digest
            .services
            .iter()
            .map(|(name, count)| format!("{} ({count})", escape(name, TITLE)))
            .collect();
        blocks.push(section(format!("*Most of them*: {}", named.join(", "))));
    }
    // A block each, so that no list is longer than a text may be.
    blocks.extend(digest.first.iter().map(|one| section(line(one))));
    let more = digest.count.saturating_sub(digest.first.len());
    if more > 0 && !digest.first.is_empty() {
        blocks.push(section(format!("… and {more} more")));
    }
}

fn line(one: &Line) -> String {
    let on =
        one.service_name.as_ref().map_or_else(String::new, |name| format!(" on {}", escape(name, TITLE)));
    let claim = one.claim.as_ref().map_or_else(String::new, |claim| format!("\n{}", escape(claim, TITLE)));
    let name = link(&one.url, &format!("INC-{}", one.number));
    format!("{} {name} {}{on}{claim}", mark(one.severity), escape(&one.title, TITLE))
}

fn section(text: String) -> Value {
    json!({"type": "section", "text": mrkdwn(text)})
}

/// Text with marks of its own; names and addresses in it that are not marked as such stay what they are.
fn mrkdwn(text: String) -> Value {
    json!({"type": "mrkdwn", "verbatim": true, "text": text})
}

/// A link of ours; its address has no character that ends it.
fn link(url: &str, text: &str) -> String {
    let url: String =
        url.chars().filter(|letter| !"<>|".contains(*letter) && !letter.is_whitespace()).collect();
    format!("<{}|{}>", url.replace('&', "&amp;"), escape(text, TITLE))
}

fn sign(facts: &Facts) -> &'static str {
    match (facts.what, &facts.incident, &facts.digest) {
        (What::Resolved, ..) => "✅",
        (What::Acknowledged, ..) => "👀",
        (What::Cause, ..) => "🔎",
        (What::Test, ..) => "🔔",
        (What::Fault, ..) => {
            if facts.fault.as_ref().is_some_and(|fault| fault.over) {
                "✅"
            } else {
                "🔴"
            }
        }
        (_, Some(one), _) => mark(one.severity),
        (_, _, Some(digest)) if !digest.open => "✅",
        (_, _, Some(digest)) => digest.by_severity.keys().next().map_or("⚠️", |worst| mark(*worst)),
        _ => "⚠️",
    }
}

fn mark(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "🔴",
        Severity::High => "🟠",
        Severity::Medium => "🟡",
        Severity::Low => "🔵",
        Severity::Info => "⚪",
    }
}

/// `text` of others: at most `most` characters once `&`, `<` and `>` are written as entities, none of which is cut.
fn escape(text: &str, most: usize) -> String {
    let mut escaped = String::new();
    let mut length = 0;
    for letter in text.chars() {
        let (entity, long) = match letter {
            '&' => ("&amp;", 5),
            '<' => ("&lt;", 4),
            '>' => ("&gt;", 4),
            _ => ("", 1),
        };
        if length + long > most.saturating_sub(1) {
            escaped.push('…');
            return escaped;
        }
        length += long;
        if entity.is_empty() { escaped.push(letter) } else { escaped.push_str(entity) }
    }
    escaped
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn nothing_of_others_is_markup() {
        assert_eq!(
            escape("<!channel> & <https://evil|ok>", 100),
            "&lt;!channel&gt; &amp; &lt;https://evil|ok&gt;"
        );
        assert_eq!(escape("a&b", 4), "a…", "an entity is whole or not there");
        assert_eq!(escape(&"<".repeat(1_000), TEXT).chars().count(), 2_997);
        assert_eq!(link("http://a/b?c=1&d=2", "x>"), "<http://a/b?c=1&amp;d=2|x&gt;>");
    }
}
