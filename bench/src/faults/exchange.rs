//! G18: what one replica did is asked of the other, which may be of another version.

use reqwest::Method;
use serde_json::{Value, json};

use super::Report;
use super::caller::{Answer, Caller};
use super::ledger::Pen;
use super::load::{body, envelope, firing, request_id, services};
use super::rolling::RATE;
use super::site::{OWNER, Site};

/// Members of an incident that change by themselves from one look to the next.
const RESTLESS: [&str; 1] = ["analysis"];

/// What two versions may do to one another without breaking a promise, and how often they did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Exchanges.
    pub exchanges: usize,
    /// Answers that were given again without a header of the first.
    pub bare: usize,
    /// Changes whose `If-Match` the other version did not know, so that they had to be looked at and made again.
    pub again: usize,
}

/// One round: the first replica is told, the second is asked.
pub struct Exchange<'a> {
    site: &'a Site,
    owner: Caller,
    bases: [String; 2],
    number: usize,
    /// Whether the schema is this version's; the one before may not have searched as much.
    migrated: bool,
    report: &'a mut Report,
    tally: &'a mut Tally,
}

impl<'a> Exchange<'a> {
    /// A round between the replicas `sides`, told apart from others by its `number`; `migrated` once the schema is
    /// this version's.
    pub fn new(
        site: &'a Site,
        sides: [usize; 2],
        (number, migrated): (usize, bool),
        report: &'a mut Report,
        tally: &'a mut Tally,
    ) -> Self {
        let base = |side: usize| site.replicas.get(side).map(|replica| replica.base()).unwrap_or_default();
        let owner = Caller::program(&site.http, &site.key);
        Self { site, owner, bases: sides.map(base), number, migrated, report, tally }
    }

    /// Goes through everything; what is not as it should be is found.
    pub async fn run(mut self, pen: &Pen) {
        self.tally.exchanges += 1;
        if let Some(id) = self.open().await {
            self.work(&id).await;
        }
        self.fire(pen).await;
        self.sign_in().await;
        for path in ["/api/v1/incidents/summary", "/api/v1/analytics/incidents", "/api/v1/analytics/ai"] {
            self.both(path).await;
        }
    }

    /// Asks the first (0) or the second (1) as the owner's program.
    async fn ask(&mut self, side: usize, method: Method, path: &str, body: Value) -> Option<Answer> {
        self.keyed(side, method, path, body, &[]).await
    }

    async fn keyed(
        &mut self,
        side: usize,
        method: Method,
        path: &str,
        body: Value,
        headers: &[(&str, &str)],
    ) -> Option<Answer> {
        let owner = self.owner.clone();
        self.call(&owner, side, method, path, body, headers).await
    }

    /// What is answered with success; anything else is found.
    async fn call(
        &mut self,
        caller: &Caller,
        side: usize,
        method: Method,
        path: &str,
        body: Value,
        headers: &[(&str, &str)],
    ) -> Option<Answer> {
        let base = self.bases.get(side)?.clone();
        let sent = (!body.is_null()).then_some(&body);
        let what = format!("exchange {}: {method} {path} at {base}", self.number);
        match caller.ask(&base, method, path, sent, headers).await {
            Ok(answer) if answer.status < 300 => return Some(answer),
            Ok(answer) if answer.status == 412 => return Some(answer),
            Ok(answer) => {
                let kind = if answer.status >= 500 { "api" } else { "differs" };
                self.report.find(kind, format!("{what} answered {}: {}", answer.status, answer.body));
            }
            Err(error) => self.report.find("api", format!("{what}: {error:#}")),
        }
        None
    }

    /// The body of a GET at each of the two.
    async fn both(&mut self, path: &str) -> Option<[Value; 2]> {
        let first = self.ask(0, Method::GET, path, Value::Null).await?;
        let second = self.ask(1, Method::GET, path, Value::Null).await?;
        Some([first.body, second.body])
    }

    fn must(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.report.find("differs", format!("exchange {}: {}", self.number, what()));
        }
    }

    /// Opens an incident, and sends the same request to the other and to the first again.
    async fn open(&mut self) -> Option<String> {
        let key = format!("opens-{}", self.number);
        let wish = json!({"title": format!("By hand {}", self.word()), "severity": "low"});
        let first = self.twice("/api/v1/incidents", wish, &key).await?;
        first.body.get("id")?.as_str().map(str::to_owned)
    }

    /// Posts with an `Idempotency-Key` to the first, then to the second and the first again: it is done once.
    async fn twice(&mut self, path: &str, body: Value, key: &str) -> Option<Answer> {
        let headers = [("idempotency-key", key)];
        let first = self.keyed(0, Method::POST, path, body.clone(), &headers).await?;
        for side in [1, 0] {
            let again = self.keyed(side, Method::POST, path, body.clone(), &headers).await?;
            let same = again.status == first.status && again.body == first.body;
            let replayed = again.header("idempotency-replayed") == "true";
            self.must(same && replayed, || format!("{path} was answered {first:?}, then {again:?}"));
            let bare = ["location", "etag"].iter().any(|name| first.header(name) != again.header(name));
            self.tally.bare += usize::from(bare);
        }
        Some(first)
    }

    /// Moves, changes and comments an incident at both, and compares what both say of it.
    async fn work(&mut self, id: &str) -> Option<()> {
        let path = format!("/api/v1/incidents/{id}");
        let (state, comments) = (format!("{path}/state"), format!("{path}/comments"));
        self.ask(1, Method::PATCH, &state, json!({"state": "acknowledged"})).await?;
        let seen = self.ask(0, Method::GET, &path, Value::Null).await?;
        let cause = json!({"root_cause": format!("cause{}", self.word())});
        let guard = [("if-match", seen.header("etag"))];
        let changed = self.keyed(1, Method::PATCH, &path, cause.clone(), &guard).await?;
        if changed.status == 412 {
            self.tally.again += 1;
            self.ask(1, Method::PATCH, &path, cause).await?;
        }
        let said = json!({"body": format!("said{}", self.word())});
        self.twice(&comments, said, &format!("says-{}", self.number)).await?;
        let told = self.both(&comments).await?;
        self.must(told.iter().all(|list| items(list).len() == 1), || format!("not one comment: {told:?}"));
        self.ask(0, Method::PATCH, &state, json!({"state": "resolved"})).await?;
        let told = self.both(&path).await?;
        let resolved = told.iter().all(|one| one.get("state").is_some_and(|state| state == "resolved"));
        self.must(resolved && agree(&told), || format!("told of it: {told:#?}"));
        let told = self.both(&format!("{path}/steps?limit=100")).await?;
        let [first, second] = told.each_ref().map(|list| items(list).len());
        self.must(first == second, || format!("{first} and {second} steps of {id}"));
        for word in [self.word(), format!("cause{}", self.word()), format!("said{}", self.word())] {
            let told = self.both(&format!("/api/v1/incidents?q={word}")).await?;
            let [first, second] = told.each_ref().map(|list| items(list).len());
            let wanted = if self.migrated || word == self.word() { 1 } else { first };
            self.must((first, second) == (wanted, wanted), || {
                format!("{word} found {first} and {second} incidents")
            });
        }
        Some(())
    }

    /// An alert fires at the first, is resolved by hand at the second, and ends at the second.
    async fn fire(&mut self, pen: &Pen) -> Option<()> {
        let id = request_id(6_000_000 + self.number);
        let service = services(&id, RATE.alerts).next()?;
        let hook = Caller::program(&self.site.http, &self.site.token);
        pen.invoke(&id);
        let fires = body(&id, RATE.alerts);
        let taken = self.call(&hook, 0, Method::POST, "/webhooks/alertmanager", fires, &[]).await;
        let Some(taken) = taken else {
            pen.info(&id);
            return None;
        };
        pen.ok(&id, taken.body.get("delivery_id").and_then(Value::as_str).unwrap_or("-"));
        let list = format!("/api/v1/incidents?service_name={service}");
        let found = self.ask(1, Method::GET, &list, Value::Null).await?;
        let found = items(&found.body).first().and_then(|one| one.get("id")?.as_str().map(str::to_owned));
        self.must(found.is_some(), || format!("no incident of {service}"));
        let path = format!("/api/v1/incidents/{}", found?);
        self.ask(1, Method::PATCH, &format!("{path}/state"), json!({"state": "resolved"})).await?;
        self.still_firing(&service, 1).await;
        let mut ends = firing("Down", &service);
        let end = ends.get("startsAt").cloned();
        ends.as_object_mut()?.extend([("status".into(), json!("resolved")), ("endsAt".into(), end?)]);
        self.call(&hook, 1, Method::POST, "/webhooks/alertmanager", envelope(&[ends]), &[]).await?;
        let told = self.both(&path).await?;
        let ended = told.iter().all(|one| one.get("open_alert_count").is_some_and(|count| count == 0));
        self.must(ended && agree(&told), || format!("told of an alert's end: {told:#?}"));
        self.still_firing(&service, 0).await;
        Some(())
    }

    /// Whether who knows the list of what fires on though it is resolved has `wanted` of this service in it.
    async fn still_firing(&mut self, service: &str, wanted: usize) {
        let path = format!("/api/v1/incidents?still_firing=true&service_name={service}");
        for base in self.bases.clone() {
            let Ok(answer) = self.owner.ask(&base, Method::GET, &path, None, &[]).await else { continue };
            let listed = items(&answer.body).len();
            self.must(answer.status != 200 || listed == wanted, || {
                format!("{base} lists {listed} of {service} that fire on, not {wanted}")
            });
        }
    }

    /// Somebody signs in at the first, is known at the second, and stays signed in there.
    async fn sign_in(&mut self) -> Option<()> {
        let base = self.bases.first()?.clone();
        let mut browser = match Caller::sign_in(&self.site.http, &base, OWNER).await {
            Ok(browser) => browser,
            Err(error) => {
                self.report.find("differs", format!("exchange {}: {error:#}", self.number));
                return None;
            }
        };
        let me = "/api/v1/auth/me";
        self.call(&browser, 1, Method::GET, me, Value::Null, &[]).await?;
        let path = "/api/v1/auth/refresh";
        let renewed = self.call(&browser, 1, Method::POST, path, Value::Null, &[]).await?;
        browser.keep(&renewed);
        self.call(&browser, 0, Method::GET, me, Value::Null, &[]).await?;
        self.call(&browser, 0, Method::POST, "/api/v1/auth/logout", Value::Null, &[]).await.map(drop)
    }

    fn word(&self) -> String {
        format!("exchange{}", self.number)
    }
}

/// The entries of a page.
fn items(page: &Value) -> &[Value] {
    page.get("items").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Whether two answers say the same in all that both say.
fn agree([first, second]: &[Value; 2]) -> bool {
    let (Some(first), Some(second)) = (first.as_object(), second.as_object()) else { return false };
    let said = first.iter().filter(|(name, _)| !RESTLESS.contains(&name.as_str()));
    said.into_iter().all(|(name, value)| second.get(name).is_none_or(|other| other == value))
}
