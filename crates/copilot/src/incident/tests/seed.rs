//! What a world begins with: a person who owns a project, and an integration.

use outbox::on_tx;
use serde_json::json;
use sqlx::types::Json;

use super::world::World;
use crate::auth::Member;

impl World {
    /// Writes the tenant, the project, the person and the integration.
    pub(super) async fn seed(&self) {
        let Member { tenant, project, .. } = self.member;
        let mut tx = self.db().begin(tenant.0).await.unwrap();
        let now = tx.now();
        on_tx!(tx, c => sqlx::query("insert into tenants (tenant_id, name, created_at) values ($1, 'T', $2)")
            .bind(tenant).bind(now).execute(c).await.map(drop))
        .unwrap();
        on_tx!(tx, c => sqlx::query(
            "insert into projects (tenant_id, id, name, created_at) values ($1, $2, 'P', $3)")
            .bind(tenant).bind(project).bind(now).execute(c).await.map(drop))
        .unwrap();
        on_tx!(tx, c => sqlx::query(
            "insert into users (tenant_id, id, email, full_name, password_hash, created_at)
             values ($1, $2, $3, 'Ana Lee', '', $4)")
            .bind(tenant).bind(self.user).bind(format!("{}@shop.example", self.user)).bind(now).execute(c).await.map(drop))
        .unwrap();
        on_tx!(tx, c => sqlx::query(
            "insert into members (tenant_id, project_id, user_id, role, created_at)
             values ($1, $2, $3, 'owner', $4)")
            .bind(tenant).bind(project).bind(self.user).bind(now).execute(c).await.map(drop))
        .unwrap();
        on_tx!(tx, c => sqlx::query(
            "insert into integrations (tenant_id, id, project_id, kind, name, settings, created_at)
             values ($1, $2, $3, 'alertmanager', 'am', $4, $5)")
            .bind(tenant).bind(self.integration).bind(project).bind(Json(json!({}))).bind(now)
            .execute(c).await.map(drop))
        .unwrap();
        tx.commit().await.unwrap();
    }
}
