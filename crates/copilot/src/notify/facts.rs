//! What one message says, as it was when that was decided, and its title. Pure.

use std::collections::BTreeMap;

use outbox::Ts;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::What;
use crate::ids::{ChannelId, IncidentId, NotificationId, ProjectId};
use crate::incident::{Severity, State};

/// Characters of an incident's description that are told.
pub const DESCRIPTION: usize = 700;

/// One message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// What it is about.
    pub what: What,
    /// One line that says it.
    pub title: String,
    /// More about it, in a sentence.
    #[serde(default)]
    pub note: Option<String>,
    /// The project.
    pub project: Project,
    /// Where there is more.
    pub url: String,
    /// The incident, if it is about one.
    #[serde(default)]
    pub incident: Option<Brief>,
    /// The likely cause.
    #[serde(default)]
    pub cause: Option<Cause>,
    /// What happened many times.
    #[serde(default)]
    pub digest: Option<Digest>,
    /// What troubles the server.
    #[serde(default)]
    pub fault: Option<Fault>,
}

impl Facts {
    /// A message that says its title and nothing else yet.
    pub fn new(what: What, title: String, project: &Project, url: &str) -> Self {
        let (project, url) = (project.clone(), url.to_owned());
        Self { what, title, project, url, note: None, incident: None, cause: None, digest: None, fault: None }
    }
}

/// A project, as people know it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Project {
    /// The project.
    pub id: ProjectId,
    /// Its name.
    pub name: String,
}

/// An incident in a few words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Brief {
    /// The incident.
    pub id: IncidentId,
    /// Its number in the project.
    pub number: i64,
    /// One line.
    pub title: String,
    /// What is known, cut short.
    pub description: String,
    /// The service it speaks of.
    pub service_name: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// How far it has come.
    pub state: State,
    /// Whether it is open.
    pub open: bool,
    /// The integration, or `manual`.
    pub source: String,
    /// Distinct alerts.
    pub alert_count: i64,
    /// Whether one of its alerts opens and closes too often to be believed.
    pub flapping: bool,
    /// Whether somebody has put it off.
    #[serde(skip)]
    pub snoozed: bool,
    /// When its first alert began to fire.
    pub started_at: Ts,
    /// When it was received.
    pub detected_at: Ts,
    /// When somebody first acknowledged it.
    pub acknowledged_at: Option<Ts>,
    /// Who.
    pub acknowledged_by: Option<String>,
    /// When it was resolved.
    pub resolved_at: Option<Ts>,
    /// `source` or `person`.
    pub resolved_by: Option<String>,
    /// The number of the incident that it was merged into.
    pub merged_into: Option<i64>,
    /// Where it is shown.
    pub url: String,
}

/// What an analysis names first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    /// What is claimed, as the incident's page has it.
    pub claim: String,
    /// How likely that is, from 0 to 1.
    pub confidence: f64,
    /// Pieces of evidence for it.
    pub evidence: usize,
    /// The service that is suspected.
    pub service_name: Option<String>,
}

/// The same thing of many incidents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Digest {
    /// What happened to each.
    pub of: What,
    /// How many there are.
    pub count: usize,
    /// How many of each severity, worst first.
    pub by_severity: BTreeMap<Severity, usize>,
    /// The services with the most of them, and how many each.
    pub services: Vec<(String, usize)>,
    /// The worst of them.
    pub first: Vec<Line>,
    /// The numbers of all.
    pub numbers: Vec<i64>,
    /// Whether some of those that were told together are open.
    pub open: bool,
}

/// An incident in a line of a digest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The incident.
    pub number: i64,
    /// Its title.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// The service it speaks of.
    pub service_name: Option<String>,
    /// Where it is shown.
    pub url: String,
    /// Its likely cause, where that is what the digest is of.
    #[serde(default)]
    pub claim: Option<String>,
}

/// What troubles the server itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// Names it, such as `database`.
    pub kind: String,
    /// Since when.
    pub since: Ts,
    /// Whether it is over.
    pub over: bool,
}

/// A message with its name, as the renderers are given it.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// Names it for good: a receiver that has seen it may drop it.
    pub id: NotificationId,
    /// The channel.
    pub channel: ChannelId,
    /// Its name.
    pub channel_name: &'a str,
    /// When it was decided.
    pub created_at: Ts,
    /// What it says.
    pub facts: &'a Facts,
}

/// A request to a channel's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its headers beside the content type.
    pub headers: Vec<(&'static str, String)>,
    /// Its body, JSON.
    pub body: String,
}

impl Brief {
    /// `INC-42`.
    pub fn name(&self) -> String {
        format!("INC-{}", self.number)
    }

    /// The incident in a line of a digest.
    pub fn line(&self, claim: Option<String>) -> Line {
        Line {
            number: self.number,
            title: self.title.clone(),
            severity: self.severity,
            service_name: self.service_name.clone(),
            url: self.url.clone(),
            claim,
        }
    }

    /// The line that says `what` of it.
    pub fn headline(&self, what: What) -> String {
        let (name, title, severity) = (self.name(), &self.title, self.severity);
        let on = self.service_name.as_ref().filter(|service| !title.contains(service.as_str()));
        let on = on.map_or_else(String::new, |service| format!(" on {service}"));
        match what {
            What::Opened => format!("{name} opened ({severity}): {title}{on}"),
            What::Cause => format!("{name} likely cause: {title}{on}"),
            What::Escalated => format!("{name} is {severity} now: {title}{on}"),
            What::Acknowledged => match &self.acknowledged_by {
                Some(person) => format!("{name} acknowledged by {person}: {title}{on}"),
                None => format!("{name} acknowledged: {title}{on}"),
            },
            What::Reopened => format!("{name} is back ({severity}): {title}{on}"),
            What::Resolved => match self.merged_into {
                Some(number) => format!("{name} merged into INC-{number}: {title}{on}"),
                None => format!("{name} resolved{}: {title}{on}", self.lasted()),
            },
            What::Digest | What::Test | What::Fault => format!("{name}: {title}{on}"),
        }
    }

    /// ` after 12 min`, if it is known.
    fn lasted(&self) -> String {
        self.resolved_at
            .map_or_else(String::new, |end| format!(" after {}", span(end.seconds_since(self.started_at))))
    }
}

/// A stretch of time in its two largest units.
pub fn span(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3_600 => format!("{} min", whole / 60),
        3_600..86_400 => format!("{} h {} min", whole / 3_600, whole % 3_600 / 60),
        _ => format!("{} d {} h", whole / 86_400, whole % 86_400 / 3_600),
    }
}

/// `text`, of at most `most` characters; what was cut off is marked.
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(most.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// Gives an object one more member.
pub fn put(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}
