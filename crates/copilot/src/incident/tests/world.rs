//! A project with a person, an integration and a clock moved by hand; requests are given to the handlers.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::{FromRequest as _, RawQuery, State as With};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use garde::Validate;
use outbox::{Clock, Db, Ts, on_tx};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sqlx::types::Json;

use crate::ai::{Model, hypotheses};
use crate::app::App;
use crate::auth::{Actor, Engineer, Member, Path, Query, Role, Viewer};
use crate::config::Config;
use crate::error::Result;
use crate::event;
use crate::ids::{AnalysisId, EvidenceId, HypothesisId, IncidentId, IntegrationId};
use crate::ids::{ProjectId, SessionId, TenantId, UserId};
use crate::incident::{analytics, merge, read, sweep, write};
use crate::page::PageQuery;
use crate::scratch::Scratch;
use crate::server::{self, Server, Start};
use crate::valid::Valid;

/// 2026-01-24T12:00:00Z.
pub const NOON: i64 = 1_769_256_000_000_000;

pub struct World {
    pub clock: Clock,
    pub member: Member,
    pub user: UserId,
    pub(super) integration: IntegrationId,
    server: Server,
    _folder: tempfile::TempDir,
    _database: Scratch,
}

/// An answer, read.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

pub(super) async fn answer(result: Result<impl IntoResponse>) -> Answer {
    let (parts, body) = result.into_response().into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let body = serde_json::from_slice(&bytes).unwrap_or_default();
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}

/// The body as the handler would be given it.
pub(super) async fn body<T: DeserializeOwned + Validate<Context: Default>>(body: &Value) -> Result<Valid<T>> {
    let request = Request::post("/").header("content-type", "application/json");
    Valid::from_request(request.body(Body::from(body.to_string())).unwrap(), &()).await
}

pub fn headers(name: &'static str, value: &str) -> HeaderMap {
    HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())])
}

impl World {
    pub async fn new() -> Self {
        Self::at(Clock::manual(Ts::from_micros(NOON))).await
    }

    pub async fn at(clock: Clock) -> Self {
        let (folder, database) = (tempfile::tempdir().unwrap(), Scratch::new().await);
        let mut config = Config::defaults().unwrap();
        config.data_dir = folder.path().join("data");
        config.database_url = database.url();
        config.master_key = database.master_key();
        let start = Start {
            config,
            services: Vec::new(),
            clock: clock.clone(),
            metrics: None,
            model: Some(Model::none()),
        };
        let server = server::start(start).await.unwrap();
        let (user, integration) = (UserId::new(), IntegrationId::new());
        let member = Member {
            tenant: TenantId::new(),
            project: ProjectId::new(),
            role: Role::Owner,
            actor: Actor::User {
                id: user,
                name: "Ana Lee".to_owned(),
                email: format!("{user}@shop.example"),
                session: SessionId::new(),
            },
        };
        let world = Self { clock, member, user, integration, server, _folder: folder, _database: database };
        world.seed().await;
        world
    }

    /// Another project, possibly of another tenant, in the same database.
    pub fn elsewhere(&self, tenant: TenantId) -> Member {
        Member { tenant, project: ProjectId::new(), ..self.member.clone() }
    }

    pub fn db(&self) -> &Db {
        &self.server.app.db
    }

    pub fn app(&self) -> App {
        self.server.app.clone()
    }

    /// Takes the person out of the project.
    pub async fn leave(&self) {
        let mut tx = self.db().begin(self.member.tenant.0).await.unwrap();
        on_tx!(tx, c => sqlx::query("delete from members where tenant_id = $1 and user_id = $2")
            .bind(self.member.tenant).bind(self.user).execute(c).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
    }

    /// Resolves an incident as a version does that knows no `still_firing`.
    pub async fn resolve_as_before(&self, id: &str) {
        let (id, tenant): (IncidentId, _) = (id.parse().unwrap(), self.member.tenant);
        let mut tx = self.db().begin(tenant.0).await.unwrap();
        on_tx!(tx, c => sqlx::query(
            "update incidents set state = 'resolved', open = false where tenant_id = $1 and id = $2")
            .bind(tenant).bind(id).execute(c).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
    }

    /// Accepts one statement of a sender that saw `name` begin at noon on `service`; returns the incident.
    pub async fn alert(&self, name: &str, service: &str, severity: &str, status: &str) -> String {
        self.statement(name, service, severity, status, Ts::from_micros(NOON)).await
    }

    /// Accepts that `name` began so many seconds ago.
    pub async fn began(&self, name: &str, service: &str, seconds_ago: i64) -> String {
        self.statement(name, service, "high", "firing", self.clock.now().plus_seconds(-seconds_ago)).await
    }

    /// Accepts that `name` begins now.
    pub async fn alert_again(&self, name: &str, service: &str) -> String {
        self.statement(name, service, "high", "firing", self.clock.now()).await
    }

    async fn statement(
        &self,
        name: &str,
        service: &str,
        severity: &str,
        status: &str,
        starts_at: Ts,
    ) -> String {
        let now = self.clock.now();
        let labels = json!({"alertname": name, "service": service, "severity": severity});
        let ends_at = if status == "firing" { now.plus_seconds(240) } else { now };
        let sent = json!([{"labels": labels, "startsAt": starts_at, "endsAt": ends_at}]);
        self.send(&sent).await
    }

    /// Ends the newest analysis of an incident with these claims, each with its rank, and one piece of evidence.
    pub async fn explained(&self, incident: &str, claims: &[(i64, &str, f64)]) -> (AnalysisId, EvidenceId) {
        let (tenant, incident): (_, IncidentId) = (self.member.tenant, incident.parse().unwrap());
        let mut tx = self.db().begin(tenant.0).await.unwrap();
        let now = tx.now();
        let analysis: AnalysisId = on_tx!(tx, c => sqlx::query_scalar(
            "update analyses set status = 'completed', completed_at = $3 where tenant_id = $1 and incident_id = $2
             and status = 'queued' returning id")
            .bind(tenant).bind(incident).bind(now).fetch_one(c).await)
        .unwrap();
        for (rank, claim, score) in claims {
            on_tx!(tx, c => sqlx::query(
                "insert into hypotheses (tenant_id, id, incident_id, analysis_id, rank, claim, description,
                     confidence_score, confidence_lower, confidence_upper, supporting_evidence,
                     contradicting_evidence, next_checks, engine, created_at)
                 values ($1, $2, $3, $4, $5, $6, '', $7, 0, 1, $8, $8, $8, 'statistical', $9)")
                .bind(tenant).bind(HypothesisId::new()).bind(incident).bind(analysis).bind(rank).bind(claim)
                .bind(score).bind(Json(json!([]))).bind(now).execute(c).await.map(drop))
            .unwrap();
        }
        let evidence = EvidenceId::new();
        on_tx!(tx, c => sqlx::query(
            "insert into evidence (tenant_id, id, incident_id, analysis_id, position, kind, role, summary)
             values ($1, $2, $3, $4, 1, 'metric', 'symptom', 'errors rose')")
            .bind(tenant).bind(evidence).bind(incident).bind(analysis).execute(c).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
        (analysis, evidence)
    }

    pub async fn queue(&self, incident: &str) {
        let mut tx = self.db().begin(self.member.tenant.0).await.unwrap();
        crate::incident::explain::request(&mut tx, self.member.tenant, incident.parse().unwrap())
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// (incident, status) of every analysis, oldest first.
    pub async fn analyses(&self) -> Vec<(String, String)> {
        let mut tx = self.db().read(self.member.tenant.0).await.unwrap();
        let rows: Vec<(IncidentId, String)> = on_tx!(tx, c => sqlx::query_as(
            "select incident_id, status from analyses where tenant_id = $1 order by id")
            .bind(self.member.tenant).fetch_all(c).await)
        .unwrap();
        rows.into_iter().map(|(id, status)| (id.to_string(), status)).collect()
    }

    pub async fn incident_of_evidence(&self, id: EvidenceId) -> String {
        let mut tx = self.db().read(self.member.tenant.0).await.unwrap();
        let incident: IncidentId = on_tx!(tx, c => sqlx::query_scalar(
            "select incident_id from evidence where tenant_id = $1 and id = $2")
            .bind(self.member.tenant).bind(id).fetch_one(c).await)
        .unwrap();
        incident.to_string()
    }

    /// The kinds of the project's events, in order.
    pub async fn events(&self) -> Vec<String> {
        let stream = event::stream(self.member.tenant, self.member.project);
        let mut tx = self.db().read(stream.owner).await.unwrap();
        let events = outbox::event::after(&mut tx, stream, 0, 10_000).await.unwrap();
        events.into_iter().map(|event| event.kind).collect()
    }

    pub async fn create(&self, new: Value) -> Answer {
        let valid = match body(&new).await {
            Ok(valid) => valid,
            Err(error) => return answer(Err::<StatusCode, _>(error)).await,
        };
        answer(write::create(With(self.app()), Engineer(self.member.clone()), valid).await).await
    }

    /// Opens an incident by hand and returns its id.
    pub async fn opened(&self, title: &str) -> String {
        let made = self.create(json!({ "title": title })).await.expect(201);
        made["id"].as_str().unwrap().to_owned()
    }

    pub async fn patch(&self, id: &str, headers: HeaderMap, change: Value) -> Answer {
        let valid = match body(&change).await {
            Ok(valid) => valid,
            Err(error) => return answer(Err::<StatusCode, _>(error)).await,
        };
        let member = Engineer(self.member.clone());
        answer(write::change(With(self.app()), member, Path(id.to_owned()), headers, valid).await).await
    }

    pub async fn set_state(&self, id: &str, state: &str) -> Answer {
        self.set_state_if(id, HeaderMap::new(), state).await
    }

    pub async fn set_state_if(&self, id: &str, headers: HeaderMap, state: &str) -> Answer {
        let valid = body(&json!({ "state": state })).await.unwrap();
        let member = Engineer(self.member.clone());
        answer(write::set_state(With(self.app()), member, Path(id.to_owned()), headers, valid).await).await
    }

    pub async fn comment(&self, id: &str, said: Value) -> Answer {
        let valid = match body(&said).await {
            Ok(valid) => valid,
            Err(error) => return answer(Err::<StatusCode, _>(error)).await,
        };
        let member = Engineer(self.member.clone());
        answer(write::comment(With(self.app()), member, Path(id.to_owned()), valid).await).await
    }

    pub async fn merge(&self, id: &str, into: &str) -> Answer {
        self.merge_if(id, HeaderMap::new(), into).await
    }

    pub async fn merge_if(&self, id: &str, headers: HeaderMap, into: &str) -> Answer {
        let valid = body(&json!({ "into": into })).await.unwrap();
        let member = Engineer(self.member.clone());
        answer(merge::merge(With(self.app()), member, Path(id.to_owned()), headers, valid).await).await
    }

    pub async fn one_as(&self, member: &Member, id: &str, headers: HeaderMap) -> Answer {
        let member = Viewer(member.clone());
        answer(read::one(With(self.app()), member, Path(id.to_owned()), headers).await).await
    }

    pub async fn one(&self, id: &str) -> Value {
        self.one_as(&self.member, id, HeaderMap::new()).await.expect(200)
    }

    pub async fn list(&self, query: &str) -> Answer {
        let query = RawQuery(Some(query.to_owned()));
        answer(read::incidents(With(self.app()), Viewer(self.member.clone()), query).await).await
    }

    /// The titles that a list shows.
    pub async fn titles(&self, query: &str) -> Vec<String> {
        let page = self.list(query).await.expect(200);
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["title"].as_str().unwrap().to_owned())
            .collect()
    }

    pub async fn summary(&self) -> Value {
        answer(read::summary(With(self.app()), Viewer(self.member.clone())).await).await.expect(200)
    }

    pub async fn analytics(&self, range: Value) -> Answer {
        let range = serde_json::from_value(range).unwrap();
        answer(analytics::incidents(With(self.app()), Viewer(self.member.clone()), Query(range)).await).await
    }

    /// The rows of `alerts`, `steps` or `comments` of an incident, page by page.
    pub async fn all(&self, id: &str, part: &str, limit: i64) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.part(id, part, PageQuery { limit: Some(limit), cursor }).await.expect(200);
            rows.extend(page["items"].as_array().unwrap().iter().cloned());
            cursor = page["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                return rows;
            }
        }
    }

    pub async fn part(&self, id: &str, part: &str, page: PageQuery) -> Answer {
        let (app, member, path) = (With(self.app()), Viewer(self.member.clone()), Path(id.to_owned()));
        let response: Result<Response> = match part {
            "alerts" => read::alerts(app, member, path, Query(page)).await.map(IntoResponse::into_response),
            "steps" => read::steps(app, member, path, Query(page)).await.map(IntoResponse::into_response),
            _ => read::comments(app, member, path, Query(page)).await.map(IntoResponse::into_response),
        };
        answer(response).await
    }

    /// The ids of the evidence that the incident's page shows.
    pub async fn evidence(&self, id: &str) -> Value {
        let (app, member) = (With(self.app()), Viewer(self.member.clone()));
        let (which, page) = (hypotheses::Which::default(), PageQuery::default());
        let page = hypotheses::evidence(app, member, Path(id.to_owned()), Query(which), Query(page)).await;
        let page = answer(page).await.expect(200);
        page["items"].as_array().unwrap().iter().map(|row| row["id"].clone()).collect()
    }

    /// How often each type of step was recorded.
    pub async fn step_counts(&self, id: &str) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for step in self.all(id, "steps", 200).await {
            *counts.entry(step["step_type"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        counts
    }

    /// Moves the clock and does what time alone brings about.
    pub async fn later(&self, seconds: f64) -> Result<(), Vec<sweep::Failure>> {
        self.clock.advance(seconds);
        sweep::once(&self.server.app).await
    }
}
