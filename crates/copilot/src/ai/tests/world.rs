//! A database with one incident, a manual clock, a model and the means to step the worker.

use std::collections::BTreeMap;
use std::time::Duration;

use llm::Scripted;
use outbox::{Clock, Db, Ts, on_tx};
use serde_json::{Value, json};
use sqlx::types::Json;

use crate::ai::hypotheses::{self, Hypotheses};
use crate::ai::{Evidence, Model, Worker, analytics, store};
use crate::auth::{Cell, Keys, Place};
use crate::error::Result;
use crate::ids::{AlertId, ChangeId, EpisodeId, IncidentId, IntegrationId, ProjectId, TenantId};
use crate::incident::explain;
use crate::outbound::{Credentials, Outbound};
use crate::scratch::Scratch;

/// 2026-01-24T12:00:00Z.
pub const START: i64 = 1_769_256_000_000_000;

/// What the alert of the incident watches when nothing else is said.
pub const EXPRESSION: &str = "sum by (service) (rate(http_requests_total{code=~\"5..\"}[20s])) > 0.05";

pub struct World {
    pub db: Db,
    pub clock: Clock,
    pub model: Model,
    pub script: Scripted,
    pub outbound: Outbound,
    pub keys: Keys,
    pub tenant: TenantId,
    pub project: ProjectId,
    pub incident: IncidentId,
    _folder: tempfile::TempDir,
    _database: Scratch,
}

impl World {
    /// An incident of `checkout` that fired a second ago, with a model and `budget_micros` to spend a day.
    pub async fn new(budget_micros: Option<i64>) -> Self {
        Self::at(Ts::from_micros(START), budget_micros).await
    }

    pub async fn at(now: Ts, budget_micros: Option<i64>) -> Self {
        Self::with(now, budget_micros, "gpt-4o-mini").await
    }

    /// The same with a model of another name.
    pub async fn with(now: Ts, budget_micros: Option<i64>, name: &str) -> Self {
        let (folder, database) = (tempfile::tempdir().unwrap(), Scratch::new().await);
        let clock = Clock::manual(now);
        let db = crate::db::open(&database.url(), folder.path(), clock.clone()).await.unwrap();
        let script = Scripted::new(name);
        let model = match budget_micros {
            Some(budget) => Model::scripted(script.clone(), budget),
            None => Model::none(),
        };
        let config = crate::config::Config::defaults().unwrap();
        let outbound = Outbound::from_config(&config).unwrap();
        let (tenant, project) = (TenantId::new(), ProjectId::new());
        let incident = IncidentId::new();
        let keys = Keys::for_tests();
        let world = Self {
            db,
            clock,
            model,
            script,
            outbound,
            keys,
            tenant,
            project,
            incident,
            _folder: folder,
            _database: database,
        };
        world.add_tenant().await;
        world.incident(incident, 1).await;
        world.alert(incident, "HighErrorRate", EXPRESSION).await;
        world
    }

    pub fn worker(&self) -> Worker<'_> {
        Worker { db: &self.db, model: &self.model, outbound: &self.outbound, keys: &self.keys, redis: None }
    }

    pub async fn ask(&self, refresh: bool, wait: Option<Duration>) -> Result<Hypotheses> {
        hypotheses::ask_for(&self.db, (self.tenant, self.project, self.incident), refresh, wait).await
    }

    pub async fn read(&self) -> Hypotheses {
        hypotheses::read(&self.db, self.tenant, self.project, self.incident).await.unwrap()
    }

    /// Asks for an analysis and works on it.
    pub async fn analyse(&self, refresh: bool) -> Hypotheses {
        self.ask(refresh, None).await.unwrap();
        assert!(self.worker().step().await.unwrap(), "nothing waited");
        self.read().await
    }

    pub async fn evidence(&self) -> Vec<Evidence> {
        let newest = self.read().await.analysis.unwrap();
        let mut tx = self.db.read(self.tenant.0).await.unwrap();
        store::evidence(&mut tx, self.tenant, self.incident, newest.id).await.unwrap()
    }

    pub async fn analytics(&self) -> analytics::AiAnalytics {
        let span = (Ts::from_micros(START).plus_seconds(-86_400), self.clock.now().plus_seconds(86_400));
        analytics::sum_up(&self.db, &self.model, (self.tenant, self.project), span).await.unwrap()
    }

    /// Makes the tenant and the project that `self` names.
    pub async fn add_tenant(&self) {
        let mut tx = self.db.begin(self.tenant.0).await.unwrap();
        let now = tx.now();
        on_tx!(tx, c => sqlx::query("insert into tenants (tenant_id, name, created_at) values ($1, 'T', $2)")
            .bind(self.tenant).bind(now).execute(c).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
        self.add_project().await;
    }

    /// Makes the project that `self` names.
    pub async fn add_project(&self) {
        let mut tx = self.db.begin(self.tenant.0).await.unwrap();
        let now = tx.now();
        on_tx!(tx, c => sqlx::query(
            "insert into projects (tenant_id, id, name, created_at) values ($1, $2, 'P', $3)")
            .bind(self.tenant).bind(self.project).bind(now).execute(c).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
    }

    pub async fn incident(&self, id: IncidentId, number: i64) {
        let mut tx = self.db.begin(self.tenant.0).await.unwrap();
        let now = tx.now();
        on_tx!(tx, c => sqlx::query(
            "insert into incidents (tenant_id, id, project_id, number, title, description, service_name, severity,
                 severity_rank, state, open, source, labels, incident_key, alert_count, open_alert_count, detected_at,
                 created_at, updated_at, version)
             values ($1, $2, $3, $4, 'High error rate', '', 'checkout', 'critical', 0, 'detected', $5, 'am', $6, $7,
                 1, 1, $8, $8, $8, 1)")
            .bind(self.tenant).bind(id).bind(self.project).bind(number).bind(number == 1).bind(Json(json!({})))
            .bind(vec![7_u8]).bind(now).execute(c).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
    }

    /// Makes an incident open, by a key of its own.
    pub async fn open_as(&self, id: IncidentId, key: i64) {
        let mut tx = self.db.begin(self.tenant.0).await.unwrap();
        on_tx!(tx, c => sqlx::query(
            "update incidents set open = $3, incident_key = $4 where tenant_id = $1 and id = $2")
            .bind(self.tenant).bind(id).bind(true).bind(key.to_be_bytes().to_vec()).execute(c).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
    }

    /// Closes the alerts of an incident.
    pub async fn close_alerts(&self, incident: IncidentId) {
        let mut tx = self.db.begin(self.tenant.0).await.unwrap();
        let now = tx.now();
        on_tx!(tx, c => sqlx::query("update episodes set closed_at = $3 where tenant_id = $1 and incident_id = $2")
            .bind(self.tenant).bind(incident).bind(now).execute(c).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
    }

    /// Merges the world's incident into another.
    pub async fn merge_into(&self, target: IncidentId) {
        let mut tx = self.db.begin(self.tenant.0).await.unwrap();
        on_tx!(tx, c => sqlx::query("update incidents set merged_into = $3 where tenant_id = $1 and id = $2")
            .bind(self.tenant).bind(self.incident).bind(target).execute(c).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
    }

    pub async fn alert(&self, incident: IncidentId, name: &str, expression: &str) -> AlertId {
        let labels = [("alertname", name), ("service", "checkout"), ("severity", "critical")];
        let labels: BTreeMap<&str, &str> = labels.into();
        self.alert_with(incident, name, expression, &labels, "checkout fails").await
    }

    pub async fn alert_with(
        &self,
        incident: IncidentId,
        name: &str,
        expression: &str,
        labels: &BTreeMap<&str, &str>,
        description: &str,
    ) -> AlertId {
        let id = AlertId::new();
        let query: String = url::form_urlencoded::byte_serialize(expression.as_bytes()).collect();
        let generator = format!("http://prometheus:9090/graph?g0.expr={query}");
        let mut tx = self.db.begin(self.tenant.0).await.unwrap();
        let now = tx.now();
        on_tx!(tx, c => sqlx::query(
            "insert into alerts (tenant_id, id, project_id, alert_key, integration_id, incident_key, fingerprint, name,
                 title, description, service_name, severity, labels, annotations, generator_url, flags, transitions,
                 first_seen_at, last_seen_at, statements)
             values ($1, $2, $3, $4, $5, $6, 'f', $7, $7, $8, 'checkout', 'critical', $9, $10, $11, $10, $10, $12, $12, 1)")
            .bind(self.tenant).bind(id).bind(self.project).bind(id.0.as_bytes().to_vec()).bind(IntegrationId::new())
            .bind(vec![7_u8]).bind(name).bind(description).bind(Json(labels)).bind(Json(json!({}))).bind(generator)
            .bind(now).execute(c).await.map(drop)).unwrap();
        on_tx!(tx, c => sqlx::query(
            "insert into episodes (tenant_id, id, project_id, alert_id, incident_id, starts_at, opened_at)
             values ($1, $2, $3, $4, $5, $6, $6)")
            .bind(self.tenant).bind(EpisodeId::new()).bind(self.project).bind(id).bind(incident).bind(now)
            .execute(c).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
        id
    }

    /// Has the incident, and its alerts, begin so many seconds later.
    pub async fn begin_later(&self, seconds: i64) {
        let mut tx = self.db.begin(self.tenant.0).await.unwrap();
        let at = tx.now().plus_seconds(seconds);
        on_tx!(tx, c => sqlx::query("update episodes set starts_at = $3 where tenant_id = $1 and incident_id = $2")
            .bind(self.tenant).bind(self.incident).bind(at).execute(c).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
    }

    /// Makes the incident one of another service.
    pub async fn speaks_of(&self, service: &str) {
        let mut tx = self.db.begin(self.tenant.0).await.unwrap();
        on_tx!(tx, c => sqlx::query("update incidents set service_name = $3 where tenant_id = $1 and id = $2")
            .bind(self.tenant).bind(self.incident).bind(service).execute(c).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
    }

    pub async fn change(&self, service: &str, version: &str, seconds_before: i64) {
        let mut tx = self.db.begin(self.tenant.0).await.unwrap();
        let at = tx.now().plus_seconds(-seconds_before);
        on_tx!(tx, c => sqlx::query(
            "insert into changes (tenant_id, id, project_id, service_name, summary, kind, version, at, created_by,
                 created_at) values ($1, $2, $3, $4, 'new rules', 'deploy', $5, $6, 'key:1', $6)")
            .bind(self.tenant).bind(ChangeId::new()).bind(self.project).bind(service).bind(version).bind(at)
            .execute(c).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
    }

    /// Gives the project a Prometheus.
    pub async fn prometheus(&self, url: &str) {
        self.integration(url, IntegrationId::new(), None).await;
    }

    /// The same with a token that was sealed for its own row, or for another one.
    pub async fn prometheus_with_token(&self, url: &str, token: &str, own_row: bool) {
        let id = IntegrationId::new();
        let row = if own_row { id.0 } else { IntegrationId::new().0 };
        let cell = Cell { tenant: self.tenant, place: Place::Credential, row };
        let plain = serde_json::to_vec(&Credentials::Bearer { token: token.to_owned() }).unwrap();
        self.integration(url, id, Some(self.keys.seal(&plain, cell).unwrap())).await;
    }

    async fn integration(&self, url: &str, id: IntegrationId, auth: Option<Vec<u8>>) {
        let mut tx = self.db.begin(self.tenant.0).await.unwrap();
        let now = tx.now();
        on_tx!(tx, c => sqlx::query(
            "insert into integrations (tenant_id, id, project_id, kind, name, url, auth, settings, created_at)
             values ($1, $2, $3, 'prometheus', 'prom', $4, $5, $6, $7)")
            .bind(self.tenant).bind(id).bind(self.project).bind(url).bind(auth).bind(Json(json!({}))).bind(now)
            .execute(c).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
    }

    pub async fn queue(&self, incident: IncidentId) {
        let mut tx = self.db.begin(self.tenant.0).await.unwrap();
        explain::request(&mut tx, self.tenant, incident).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// (status, cost) of every call, oldest first.
    pub async fn calls(&self) -> Vec<(String, Option<i64>)> {
        let mut tx = self.db.read(self.tenant.0).await.unwrap();
        on_tx!(tx, c => sqlx::query_as(
            "select status, cost_micros from model_calls where tenant_id = $1 order by id")
            .bind(self.tenant).fetch_all(c).await)
        .unwrap()
    }

    /// (type, status) of every step, oldest first.
    pub async fn steps(&self) -> Vec<(String, String)> {
        let mut tx = self.db.read(self.tenant.0).await.unwrap();
        on_tx!(tx, c => sqlx::query_as(
            "select step_type, status from steps where tenant_id = $1 and incident_id = $2 order by id")
            .bind(self.tenant).bind(self.incident).fetch_all(c).await)
        .unwrap()
    }

    /// The data of every event.
    pub async fn events(&self) -> Vec<Value> {
        self.announced().await.into_iter().map(|event| event.data.0).collect()
    }

    /// The kind of every event.
    pub async fn event_kinds(&self) -> Vec<String> {
        self.announced().await.into_iter().map(|event| event.kind).collect()
    }

    async fn announced(&self) -> Vec<outbox::Event> {
        let stream = crate::event::stream(self.tenant, self.project);
        let mut tx = self.db.read(self.tenant.0).await.unwrap();
        outbox::event::after(&mut tx, stream, 0, 100).await.unwrap()
    }
}
