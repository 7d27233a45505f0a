//! Choosing another password.

use axum::extract::State;
use axum::http::StatusCode;
use garde::Validate;
use serde::Deserialize;
use serde_json::json;

use super::audit::{self, Entry};
use super::email::Email;
use super::password::{self, Verdict};
use super::permission::{Viewer, session_of};
use super::source::Source;
use super::store::{session, user};
use super::throttle::Bucket;
use crate::app::App;
use crate::error::{Error, Result};
use crate::valid::Valid;

/// The password one has, and the one to have.
#[derive(Deserialize, Validate, utoipa::ToSchema)]
pub struct NewPassword {
    /// The password that one has.
    #[garde(length(chars, max = password::MAX))]
    #[schema(max_length = 128)]
    old_password: String,
    /// 15 to 128 characters, any of them.
    #[garde(length(chars, min = password::MIN, max = password::MAX))]
    #[schema(min_length = 15, max_length = 128)]
    new_password: String,
}

/// Gives oneself another password; every session but the one that asks ends at once.
#[utoipa::path(post, path = "/api/v1/auth/password", tag = "auth", request_body = NewPassword,
    responses((status = 204)))]
pub(super) async fn change(
    State(app): State<App>,
    member: Viewer,
    source: Source,
    Valid(body): Valid<NewPassword>,
) -> Result<StatusCode> {
    let (id, current) = session_of(&member)?;
    if body.new_password == body.old_password {
        return Err(Error::field("new_password", "must be another one"));
    }
    let tenant = member.tenant;
    let mut tx = app.db.begin(tenant.0).await?;
    let person = user::find(&mut tx, tenant, id).await?.ok_or(Error::NotFound)?;
    let organisation = user::tenant_name(&mut tx, tenant).await?;
    password::check("new_password", &body.new_password, &[&person.email, &person.full_name, &organisation])?;
    let email = Email::parse(&person.email).ok_or(Error::NotFound)?;
    // Whoever sits down at somebody's open page guesses as slowly as anybody else.
    let bucket = Bucket::of(&app.keys, &email, &source);
    bucket.enter(&mut tx).await?;
    tx.commit().await?;
    let stored = person.password_hash.clone();
    let verdict = app.keys.passwords.verify(&body.old_password, Some(stored.clone())).await?;
    let entry = Entry::by(&member, &source, "password.changed", format!("user:{id}"));
    if verdict == Verdict::Wrong {
        let mut tx = app.db.begin(tenant.0).await?;
        bucket.failed(&mut tx).await?;
        audit::record(&mut tx, tenant, entry.refused()).await?;
        tx.commit().await?;
        return Err(Error::field("old_password", "is not your password"));
    }
    let hash = app.keys.passwords.hash(&body.new_password).await?;
    let mut tx = app.db.begin(tenant.0).await?;
    if !user::replace_password(&mut tx, tenant, id, &stored, &hash).await? {
        return Err(Error::Conflict("your password was changed in the meantime".to_owned()));
    }
    let ended = session::end_others(&mut tx, tenant, id, current).await?;
    bucket.succeeded(&mut tx).await?;
    audit::record(&mut tx, tenant, entry.with(json!({"sessions": ended}))).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
