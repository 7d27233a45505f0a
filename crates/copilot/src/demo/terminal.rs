//! What the demo says on the terminal.
//!
//! Pure functions from facts to lines, the same lines whether or not a person looks. Whatever came from an
//! alert or a model loses its control characters, so that it cannot write over what is there.

use std::fmt::Write as _;

use jiff::civil::Time;

use super::{Change, Scenario, Summary};

/// Whether lines have colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Text only.
    Plain,
    /// With ANSI colours.
    Coloured,
}

impl Style {
    /// Colours are for people who did not refuse them (<https://no-color.org>).
    pub fn choose(is_terminal: bool, no_color: Option<&str>, term: Option<&str>) -> Self {
        let refused = no_color.is_some_and(|value| !value.is_empty()) || term == Some("dumb");
        if is_terminal && !refused { Self::Coloured } else { Self::Plain }
    }

    fn paint(self, colour: Colour, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Coloured => format!("\x1b[{}m{text}\x1b[0m", colour.code()),
        }
    }
}

/// Red is only for severity, green only for what is resolved.
#[derive(Clone, Copy)]
enum Colour {
    Critical,
    High,
    Medium,
    Low,
    Resolved,
    Muted,
    Strong,
}

impl Colour {
    const fn code(self) -> &'static str {
        match self {
            Self::Critical => "1;31",
            Self::High => "31",
            Self::Medium => "33",
            Self::Low => "34",
            Self::Resolved => "32",
            Self::Muted => "2",
            Self::Strong => "1",
        }
    }

    /// By the severity as the API spells it.
    fn of_severity(severity: &str) -> Self {
        match severity {
            "critical" => Self::Critical,
            "high" => Self::High,
            "medium" => Self::Medium,
            "low" => Self::Low,
            _ => Self::Muted,
        }
    }
}

/// Where things are, for the first screen.
pub struct Banner<'a> {
    /// Our version.
    pub version: &'a str,
    /// The page that signs in once.
    pub link: &'a str,
    /// How one signs in there.
    pub sign_in: &'a str,
    /// The API's documentation, if it is served.
    pub docs: &'a str,
    /// Prometheus.
    pub prometheus: &'a str,
    /// Alertmanager.
    pub alertmanager: &'a str,
    /// The model that writes explanations, when one is configured.
    pub model: Option<&'a str>,
}

/// The first screen.
pub fn banner(style: Style, banner: &Banner<'_>) -> String {
    let title = style.paint(Colour::Strong, &format!("SRE Copilot {}", banner.version));
    let model = match banner.model {
        Some(model) => format!("{}, asked once statistics have ranked the causes", clean(model)),
        None => "no key set: causes are ranked by statistics alone, and nothing is sent anywhere".to_owned(),
    };
    let mut text =
        format!("{title}   demo: real Prometheus and Alertmanager, simulated shop, gone on exit\n");
    let rows = [
        ("Dashboard", format!("{}   {}", banner.link, banner.sign_in)),
        ("API docs", banner.docs.to_owned()),
        ("Prometheus", banner.prometheus.to_owned()),
        ("Alertmanager", banner.alertmanager.to_owned()),
        ("AI", model),
    ];
    for (name, value) in rows {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name:<14}{value}");
    }
    text
}

/// While it starts, which takes a few seconds.
pub fn starting(style: Style) -> String {
    let text = "Starting Prometheus and Alertmanager, and an hour of the shop's past. A few seconds.";
    style.paint(Colour::Muted, text)
}

/// The dashboard's port is another one than usual.
pub fn port_taken(wanted: u16, chosen: u16) -> String {
    format!("Port {wanted} is taken, so the dashboard is on {chosen}.")
}

/// What the past consists of.
pub fn history_ready(style: Style, history: Summary) -> String {
    let (series, samples) = (grouped(history.series), grouped(history.samples));
    style.paint(Colour::Muted, &format!("An hour of the past is there: {series} series, {samples} samples."))
}

/// What is going to happen, without the answer.
pub fn announcement(scenario: Scenario, fault_after_s: u64, can_quit_by_key: bool) -> String {
    let story = scenario.description();
    let quit = if can_quit_by_key { "   [Ctrl-C] quit" } else { "" };
    format!("Scenario \"{scenario}\": {story}. It begins in {fault_after_s} s.{quit}")
}

/// The fault has begun; the shop's people report a change only when they made one.
pub fn injected(style: Style, at: Time, change: Option<&Change>) -> String {
    let what = match change {
        Some(change) => format!("{} of {}", change.kind.name(), change.summary),
        None => "it has begun; nobody reported a change".to_owned(),
    };
    line(style, at, "shop", &style.paint(Colour::Muted, &what))
}

/// An incident was opened.
pub fn incident_opened(style: Style, at: Time, number: i64, severity: &str, title: &str) -> String {
    let word = style.paint(Colour::of_severity(severity), &clean(severity).to_uppercase());
    line(style, at, &incident(number), &format!("{word}  {}", clean(title)))
}

/// An alert that belongs to an incident that is open already.
pub fn incident_updated(style: Style, at: Time, number: i64, what: &str) -> String {
    line(style, at, &incident(number), &clean(what))
}

/// The analysis has a first hypothesis, with the share of the probability it got and its best evidence.
pub fn hypothesis_ready(
    style: Style,
    at: Time,
    number: i64,
    took_s: f64,
    claim: &str,
    confidence: f64,
    evidence: &[String],
) -> String {
    let word = match confidence {
        confidence if confidence >= 0.7 => "High",
        confidence if confidence >= 0.4 => "Medium",
        _ => "Low",
    };
    let claim = style.paint(Colour::Strong, &clean(claim));
    let mut text = line(style, at, &incident(number), &format!("{word} after {}: {claim}", took(took_s)));
    below(style, &mut text, "for", evidence.iter().take(3));
    text
}

/// The analysis found too little to name a cause; that is an answer too, with what it looked at.
pub fn inconclusive(
    style: Style,
    at: Time,
    number: i64,
    took_s: f64,
    reason: &str,
    (evidence, checked): (&[String], &[String]),
) -> String {
    let reason = clean(reason);
    let text = format!("Not enough evidence for a cause after {}: {reason}", took(took_s));
    let mut text = line(style, at, &incident(number), &text);
    below(style, &mut text, "saw", evidence.iter().take(3));
    below(style, &mut text, "checked", checked.iter());
    text
}

/// Puts reasons below a line, each behind `word`.
fn below<'a>(style: Style, text: &mut String, word: &str, reasons: impl Iterator<Item = &'a String>) {
    for reason in reasons {
        let reason = style.paint(Colour::Muted, &format!("{word}  {}", clean(reason)));
        let _ = write!(text, "\n{:INDENT$}{reason}", "");
    }
}

/// The incident is over.
pub fn resolved(style: Style, at: Time, number: i64, after_s: f64) -> String {
    let word = style.paint(Colour::Resolved, "RESOLVED");
    line(style, at, &incident(number), &format!("{word}  after {}", took(after_s)))
}

/// Where to look now.
pub fn look_here(number: i64, url: &str) -> String {
    format!("{:INDENT$}{} is at {url}", "", incident(number))
}

/// A model was asked about a ranking that is shown already: its first claim and whether that suspects the same, or why
/// it is not used.
pub fn model_answered(
    style: Style,
    at: Time,
    number: i64,
    took_s: f64,
    model: &str,
    (claim, same, reason): (Option<&str>, bool, Option<&str>),
) -> String {
    let (model, after) = (clean(model), took(took_s));
    let said = match (reason, claim) {
        (Some(reason), _) => format!("{} (after {after}; the ranking stands)", clean(reason)),
        (None, None) => format!("{model} found no cause in it, after {after}"),
        (None, Some(claim)) if same => format!("{model} agrees after {after}: {}", clean(claim)),
        (None, Some(claim)) => format!("{model} ranks otherwise after {after}: {}", clean(claim)),
    };
    line(style, at, &incident(number), &said)
}

/// No incident or no answer came in time, which is our fault and is said so.
pub fn nothing_arrived(opened: Option<i64>, waited_s: u64, logs: &str) -> String {
    let missing = opened
        .map_or_else(|| "No incident".to_owned(), |number| format!("No answer about {}", incident(number)));
    format!("{missing} after {waited_s} s: that is a fault of this demo. The logs are in {logs}")
}

/// The last line.
pub const STOPPED: &str = "Stopped. Nothing is left running.";

/// Width of the time and of the name of an incident, so that what follows stands below it.
const INDENT: usize = 19;

fn line(style: Style, at: Time, subject: &str, text: &str) -> String {
    let time = style.paint(Colour::Muted, &at.strftime("%H:%M:%S").to_string());
    format!("{time}  {subject:<7}  {text}")
}

fn incident(number: i64) -> String {
    format!("INC-{number}")
}

/// `2.9 s` below ten seconds, else `42s`, `3m 41s`.
fn took(seconds: f64) -> String {
    if seconds < 10.0 {
        return format!("{:.1} s", seconds.max(0.0));
    }
    let seconds = seconds.round() as u64;
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds}s"),
        (minutes, seconds) => format!("{minutes}m {seconds:02}s"),
    }
}

/// `1,234`.
fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// On one line, and without anything that a terminal would obey.
fn clean(text: &str) -> String {
    let shown = |character: char| {
        // Also what turns the direction of writing round.
        let turns = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if character.is_control() || turns { ' ' } else { character }
    };
    text.trim().chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Time = Time::constant(3, 2, 11, 0);

    #[test]
    fn lines_as_a_person_reads_them() {
        let plain = Style::Plain;
        let change = Scenario::BadDeploy.change(0.0).unwrap();
        let evidence = ["only v2.41.0 fails".to_owned()];
        let lines = [
            port_taken(8500, 8501),
            history_ready(plain, Summary { series: 657, samples: 473_632 }),
            announcement(Scenario::BadDeploy, 8, true),
            announcement(Scenario::FlappingAlert, 8, false),
            injected(plain, AT, Some(&change)),
            injected(plain, AT, None),
            incident_opened(plain, AT, 1, "critical", "checkout: 14% of requests failing"),
            incident_updated(plain, AT, 1, "flapping: 5 changes in 2m 10s"),
            hypothesis_ready(plain, AT, 1, 2.94, "v2.41.0 of checkout", 0.82, &evidence),
            inconclusive(plain, AT, 1042, 12.2, "nothing moved", (&evidence, &["no change".to_owned()])),
            model_answered(plain, AT, 1, 21.0, "m", (Some("v2.41.0"), true, None)),
            model_answered(
                plain,
                AT,
                1,
                21.0,
                "m",
                (Some("a"), false, Some("the model was not asked: no budget")),
            ),
            nothing_arrived(None, 60, "/logs"),
            nothing_arrived(Some(1), 60, "/logs"),
            resolved(plain, AT, 1, 221.0),
            look_here(1, "http://127.0.0.1:8500/incidents/1"),
        ];
        let expected = [
            "Port 8500 is taken, so the dashboard is on 8501.",
            "An hour of the past is there: 657 series, 473,632 samples.",
            "Scenario \"bad-deploy\": checkout is released, and some of its requests begin to fail. \
             It begins in 8 s.   [Ctrl-C] quit",
            "Scenario \"flapping-alert\": an alert keeps coming and going, and nothing is wrong. \
             It begins in 8 s.",
            "03:02:11  shop     deploy of checkout v2.41.0: new voucher rules",
            "03:02:11  shop     it has begun; nobody reported a change",
            "03:02:11  INC-1    CRITICAL  checkout: 14% of requests failing",
            "03:02:11  INC-1    flapping: 5 changes in 2m 10s",
            "03:02:11  INC-1    High after 2.9 s: v2.41.0 of checkout\n                   for  only v2.41.0 fails",
            "03:02:11  INC-1042  Not enough evidence for a cause after 12s: nothing moved\n                   \
             saw  only v2.41.0 fails\n                   checked  no change",
            "03:02:11  INC-1    m agrees after 21s: v2.41.0",
            "03:02:11  INC-1    the model was not asked: no budget (after 21s; the ranking stands)",
            "No incident after 60 s: that is a fault of this demo. The logs are in /logs",
            "No answer about INC-1 after 60 s: that is a fault of this demo. The logs are in /logs",
            "03:02:11  INC-1    RESOLVED  after 3m 41s",
            "                   INC-1 is at http://127.0.0.1:8500/incidents/1",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn the_first_screen_says_where_things_are() {
        let facts = Banner {
            version: "0.1.0",
            link: "http://127.0.0.1:8500/demo#k",
            sign_in: "signs you in as \"demo\", once",
            docs: "http://127.0.0.1:8500/docs",
            prometheus: "http://127.0.0.1:9",
            alertmanager: "http://127.0.0.1:8",
            model: None,
        };
        let expected = "\
SRE Copilot 0.1.0   demo: real Prometheus and Alertmanager, simulated shop, gone on exit
  Dashboard     http://127.0.0.1:8500/demo#k   signs you in as \"demo\", once
  API docs      http://127.0.0.1:8500/docs
  Prometheus    http://127.0.0.1:9
  Alertmanager  http://127.0.0.1:8
  AI            no key set: causes are ranked by statistics alone, and nothing is sent anywhere
";
        assert_eq!(banner(Style::Plain, &facts), expected);
    }

    #[test]
    fn colours_only_where_somebody_sees_and_wants_them() {
        assert_eq!(Style::choose(true, None, Some("xterm")), Style::Coloured);
        assert_eq!(Style::choose(true, Some(""), None), Style::Coloured);
        assert_eq!(Style::choose(true, Some("1"), None), Style::Plain);
        assert_eq!(Style::choose(true, None, Some("dumb")), Style::Plain);
        assert_eq!(Style::choose(false, None, Some("xterm")), Style::Plain);
        let line = incident_opened(Style::Coloured, AT, 1, "critical", "down");
        assert_eq!(line, "\x1b[2m03:02:11\x1b[0m  INC-1    \x1b[1;31mCRITICAL\x1b[0m  down");
    }

    #[test]
    fn an_alert_cannot_write_over_the_screen() {
        let line = incident_opened(Style::Plain, AT, 1, "high", "a\x1b[2Jb\r\nc\u{202e}d\u{9b}e");
        assert_eq!(line, "03:02:11  INC-1    HIGH  a [2Jb  c d e");
    }
}
