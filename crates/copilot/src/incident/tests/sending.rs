//! What a sender does to a world.

use serde_json::{Value, json};

use super::world::World;
use crate::ids::DeliveryId;
use crate::incident::intake::{self, Applied, Source, Statement};
use crate::incident::tracked::store::Sent;

impl World {
    /// Accepts one alert as Prometheus sends it, and says which incident it joined.
    pub(super) async fn send(&self, sent: &Value) -> String {
        let now = self.clock.now();
        let body = sent.to_string();
        let settings = alerts::Settings::default();
        let batch =
            alerts::parse(alerts::Sender::Prometheus, body.as_bytes(), now.timestamp(), &settings).unwrap();
        let alert = batch.readable().next().unwrap();
        let (tenant, project) = (self.member.tenant.to_string(), self.member.project.to_string());
        let group_by = alerts::DEFAULT_GROUP_BY.map(str::to_owned);
        let alert_key = alerts::alert_key(&tenant, &project, "am", alert, alerts::Sender::Prometheus);
        let incident_key = alerts::incident_key(&tenant, &project, "am", &group_by, alert, &alert_key);
        let sent = Sent { alert, alert_key, incident_key, integration: self.integration };
        let source = Source::new("am".to_owned(), "alertmanager", &json!({}));
        let statement =
            Statement { sent, source: &source, delivery: DeliveryId::new(), order: 0, heard_at: now };
        let mut tx = self.db().begin(self.member.tenant.0).await.unwrap();
        let applied: Vec<Applied> =
            intake::apply(&mut tx, self.member.tenant, self.member.project, &[statement])
                .await
                .unwrap()
                .unwrap();
        tx.commit().await.unwrap();
        applied[0].incident.map(|id| id.to_string()).unwrap_or_default()
    }
}
