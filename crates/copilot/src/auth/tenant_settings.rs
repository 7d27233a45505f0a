//! What an organisation decides about itself: whether a language model may be asked.

use axum::Json;
use axum::extract::State;
use garde::Validate;
use outbox::Tx;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::audit::{self, Entry};
use super::permission::{Member, Owner, Role, Viewer};
use super::source::Source;
use super::store::{member, project, user};
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::valid::{Valid, required};

/// An organisation and what it decides about itself.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TenantSettings {
    /// Names it.
    pub id: TenantId,
    /// As shown to people.
    pub name: String,
    /// Whether the language model may be asked about its incidents.
    pub llm_enabled: bool,
    /// The model that this server is configured with; null when there is none.
    pub llm_model: Option<String>,
    /// The host that evidence is sent to when the model is asked.
    pub llm_host: Option<String>,
    /// Why the configured model is turned off for the whole server; null when it is on or there is none.
    pub llm_off: Option<&'static str>,
}

/// What may be changed; absent members stay.
#[derive(Debug, Default, Deserialize, Validate, utoipa::ToSchema)]
pub struct TenantChange {
    /// Whether the language model may be asked about its incidents.
    #[serde(default, deserialize_with = "required")]
    #[garde(skip)]
    #[schema(nullable = false)]
    llm_enabled: Option<bool>,
}

/// Shows the organisation.
#[utoipa::path(get, path = "/api/v1/tenant", tag = "auth", responses((status = 200, body = TenantSettings)))]
pub(super) async fn show(State(app): State<App>, member: Viewer) -> Result<Json<TenantSettings>> {
    let mut tx = app.db.read(member.tenant.0).await?;
    let (name, llm_enabled) = user::tenant(&mut tx, member.tenant).await?;
    Ok(Json(told(&app, member.tenant, name, llm_enabled)))
}

/// Changes the organisation, as an owner of its first project: the oldest that was not deleted. A model that is turned off is asked nothing more, and an answer under way is dropped.
#[utoipa::path(patch, path = "/api/v1/tenant", tag = "auth", request_body = TenantChange,
    responses((status = 200, body = TenantSettings)))]
pub(super) async fn change(
    State(app): State<App>,
    member: Owner,
    source: Source,
    Valid(change): Valid<TenantChange>,
) -> Result<Json<TenantSettings>> {
    let mut tx = app.db.begin(member.tenant.0).await?;
    if !owns_first(&mut tx, &member).await? {
        let why = "only an owner of the organisation's first project may change the organisation";
        return Err(Error::Forbidden(why.to_owned()));
    }
    let (name, before) = user::tenant(&mut tx, member.tenant).await?;
    let llm_enabled = change.llm_enabled.unwrap_or(before);
    if llm_enabled != before {
        user::save_tenant(&mut tx, member.tenant, llm_enabled).await?;
        let detail = json!({"llm_enabled": llm_enabled});
        let entry = Entry::by(&member, &source, "tenant.changed", format!("tenant:{}", member.tenant));
        audit::record(&mut tx, member.tenant, entry.with(detail)).await?;
    }
    tx.commit().await?;
    Ok(Json(told(&app, member.tenant, name, llm_enabled)))
}

/// Whether an owner of some project owns the organisation's first one: every admin can add a project and owns it then.
async fn owns_first(tx: &mut Tx, owner: &Member) -> Result<bool> {
    let Some(first) = project::first(tx, owner.tenant).await? else { return Ok(false) };
    Ok(match owner.actor.user() {
        Some(user) => {
            let found = member::find(tx, owner.tenant, first.id, user).await?;
            found.is_some_and(|member| member.role == Role::Owner)
        }
        None => owner.project == first.id,
    })
}

fn told(app: &App, id: TenantId, name: String, llm_enabled: bool) -> TenantSettings {
    let own = |text: &str| Some(text.to_owned());
    let (llm_model, llm_host) = (app.model.name().and_then(own), app.model.host().and_then(own));
    TenantSettings { id, name, llm_enabled, llm_model, llm_host, llm_off: app.model.off() }
}
