//! What an alert's sender said, before the rules that are the same for all senders.

use crate::{
    Alert, Flag, Links, Settings, Status,
    fields::{Fields, Kind, for_display, scalar, string},
    fingerprint::{fingerprint, is_fingerprint},
    flag::raise,
    heartbeat::is_heartbeat,
    labels::{self, Labels},
    link::{expression, is_link, masked},
    normalise,
    quarantine::{Reason, Refused, preview},
    severity,
    time::{self, Moment},
    words,
};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The longest generator address an expression is looked for in, in bytes.
const MAX_GENERATOR_BYTES: usize = 64 * 1024;

/// What reading an alert depends on besides its bytes.
pub(crate) struct Context<'a> {
    /// When the body was received, in whole microseconds.
    pub(crate) received: Timestamp,
    pub(crate) settings: &'a Settings,
    /// Says of an alert's place and text whether it is known and need not be read.
    pub(crate) known: &'a dyn Fn(usize, &str) -> bool,
}

/// An alert as far as its format matters.
pub(crate) struct Draft {
    pub(crate) labels: Labels,
    pub(crate) annotations: BTreeMap<String, String>,
    /// `None` where the sender leaves it to the end time.
    pub(crate) status: Option<Status>,
    pub(crate) starts: Moment,
    pub(crate) ends: Moment,
    /// The generator address as received.
    pub(crate) generator: Option<String>,
    pub(crate) sender_fingerprint: Option<String>,
    /// The title, where the format has a better one than the annotations.
    pub(crate) title: Option<String>,
    pub(crate) links: Links,
    pub(crate) values: BTreeMap<String, f64>,
    pub(crate) flags: Vec<Flag>,
}

impl Draft {
    /// Reads what Alertmanager, Prometheus and Grafana have in common.
    pub(crate) fn read(fields: &Fields) -> Result<Self, Refused> {
        let mut flags = Vec::new();
        let labels = labels::read(fields.present("labels"), &mut flags)?;
        let status = status(fields, &labels)?;
        let (starts, ends) =
            (time::read(fields.get("startsAt"), &mut flags), time::read(fields.get("endsAt"), &mut flags));
        let generator = fields.present("generatorURL").and_then(string);
        Ok(Draft {
            annotations: annotations(fields.present("annotations"), &mut flags),
            status,
            starts,
            ends,
            generator,
            sender_fingerprint: sender_fingerprint(fields.present("fingerprint"), &mut flags),
            title: None,
            links: Links::default(),
            values: BTreeMap::new(),
            flags,
            labels,
        })
    }

    /// Applies the rules that are the same for all senders.
    pub(crate) fn finish(mut self, index: usize, context: &Context) -> Alert {
        let mut flags = self.flags;
        let times = normalise::times(self.status, self.starts, self.ends, context.received, &mut flags);
        let labels = self.labels.shown;
        let (severity, severity_source) = severity::of(&labels, context.settings);
        let service = words::service(&labels, &context.settings.service_labels);
        let name = words::name(&labels);
        let expression =
            self.generator.as_deref().filter(|url| url.len() <= MAX_GENERATOR_BYTES).and_then(expression);
        let expression = expression.map(|text| for_display(text, Flag::TextCut, &mut flags));
        let generator_url = self.generator.and_then(|url| link(url, &mut flags));
        annotated_links(&mut self.annotations, &mut self.links, &mut flags);
        let title =
            self.title.unwrap_or_else(|| words::title(&self.annotations, &labels, &name, service.as_deref()));
        let description = words::description(&self.annotations, &labels, &self.values, &title);
        Alert {
            index,
            status: times.status,
            fingerprint: fingerprint(&self.labels.canonical),
            canonical: self.labels.canonical,
            sender_fingerprint: self.sender_fingerprint,
            starts_at: times.starts_at,
            ends_at: times.ends_at,
            is_heartbeat: is_heartbeat(&name, severity, &severity_source, expression.as_deref()),
            name,
            title,
            description,
            service,
            severity,
            severity_source,
            generator_url,
            expression,
            links: self.links,
            values: self.values,
            labels,
            annotations: self.annotations,
            flags,
        }
    }
}

/// The address if it is a link; flags what is there but is none.
pub(crate) fn link(address: String, flags: &mut Vec<Flag>) -> Option<String> {
    if address.trim().is_empty() {
        return None;
    }
    if is_link(&address) {
        return Some(address);
    }
    raise(flags, Flag::BadLink);
    if address.contains('\0') {
        raise(flags, Flag::Nul);
    }
    None
}

fn status(fields: &Fields, labels: &Labels) -> Result<Option<Status>, Refused> {
    let Some(json) = fields.get("status") else { return Ok(None) };
    match string(json).as_deref().and_then(Status::named) {
        Some(status) => Ok(Some(status)),
        None => Err(Refused {
            reason: Reason::UnknownStatus,
            fingerprint: Some(fingerprint(&labels.canonical)),
            labels_preview: preview(&labels.shown),
        }),
    }
}

fn annotations(json: Option<&str>, flags: &mut Vec<Flag>) -> BTreeMap<String, String> {
    let mut annotations = BTreeMap::new();
    let Some(json) = json else { return annotations };
    let Some(fields) = Fields::of(json) else {
        raise(flags, Flag::AnnotationType);
        return annotations;
    };
    for (name, json) in fields.iter() {
        if !matches!(Kind::of(json), Kind::Null | Kind::Text) {
            raise(flags, Flag::AnnotationType);
        }
        if let Some(value) = scalar(json).filter(|value| !value.is_empty()) {
            let name = for_display(name.to_owned(), Flag::TextCut, flags);
            annotations.insert(name, for_display(value, Flag::TextCut, flags));
        }
    }
    annotations
}

fn sender_fingerprint(json: Option<&str>, flags: &mut Vec<Flag>) -> Option<String> {
    let text = string(json?);
    if text.as_deref() == Some("") {
        return None;
    }
    let formed = text.filter(|text| is_fingerprint(text));
    if formed.is_none() {
        raise(flags, Flag::FingerprintMalformed);
    }
    formed
}

/// Takes the links that are annotated by convention, unless the format itself gave them; masks credentials.
fn annotated_links(annotations: &mut BTreeMap<String, String>, links: &mut Links, flags: &mut Vec<Flag>) {
    let conventions = [
        (&mut links.runbook_url, ["runbook_url", "runbook"]),
        (&mut links.dashboard_url, ["dashboard_url", "dashboard"]),
        (&mut links.panel_url, ["panel_url", "panelURL"]),
        (&mut links.silence_url, ["silence_url", "silenceURL"]),
    ];
    for (link, names) in conventions {
        for name in names {
            let Some(text) = annotations.get_mut(name) else { continue };
            if link.is_none() && is_link(text) {
                *link = Some(text.clone());
            }
            if let Some(masked) = masked(text) {
                raise(flags, Flag::BadLink);
                *text = masked;
            }
        }
    }
}
