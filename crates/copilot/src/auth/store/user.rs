//! Tenants and people.

use outbox::{Ts, Tx, TxConn, on_tx};

use crate::ids::{TenantId, UserId};

/// A person as stored.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(in crate::auth) struct UserRow {
    pub tenant_id: TenantId,
    pub id: UserId,
    pub email: String,
    pub full_name: String,
    pub password_hash: String,
    pub disabled_at: Option<Ts>,
}

/// Makes every other registration wait for this transaction, so that one of them is the first.
pub(in crate::auth) async fn lock_registration(tx: &mut Tx) -> sqlx::Result<()> {
    // SQLite has one writer, and this transaction is it.
    if let TxConn::Postgres(open) = tx.conn() {
        sqlx::query("select pg_advisory_xact_lock(hashtext('sre-copilot registration'))")
            .execute(&mut **open)
            .await?;
    }
    Ok(())
}

/// Whether anybody has registered.
pub(in crate::auth) async fn any(tx: &mut Tx) -> sqlx::Result<bool> {
    on_tx!(tx, c => sqlx::query_scalar("select exists (select 1 from users)").fetch_one(c).await)
}

/// The person with this address.
pub(in crate::auth) async fn by_email(tx: &mut Tx, email: &str) -> sqlx::Result<Option<UserRow>> {
    on_tx!(tx, c => sqlx::query_as(
        "select tenant_id, id, email, full_name, password_hash, disabled_at from users where email = $1")
        .bind(email).fetch_optional(c).await)
}

/// A person of this tenant.
pub(in crate::auth) async fn find(
    tx: &mut Tx,
    tenant: TenantId,
    id: UserId,
) -> sqlx::Result<Option<UserRow>> {
    on_tx!(tx, c => sqlx::query_as(
        "select tenant_id, id, email, full_name, password_hash, disabled_at from users
         where tenant_id = $1 and id = $2")
        .bind(tenant).bind(id).fetch_optional(c).await)
}

/// Adds a tenant.
pub(in crate::auth) async fn insert_tenant(tx: &mut Tx, tenant: TenantId, name: &str) -> sqlx::Result<()> {
    let now = tx.now();
    on_tx!(tx, c => sqlx::query("insert into tenants (tenant_id, name, created_at) values ($1, $2, $3)")
        .bind(tenant).bind(name).bind(now).execute(c).await.map(drop))
}

/// The tenant's name.
pub(in crate::auth) async fn tenant_name(tx: &mut Tx, tenant: TenantId) -> sqlx::Result<String> {
    on_tx!(tx, c => sqlx::query_scalar("select name from tenants where tenant_id = $1")
        .bind(tenant).fetch_one(c).await)
}

/// The tenant's name, and whether it wants the language model.
pub(in crate::auth) async fn tenant(tx: &mut Tx, tenant: TenantId) -> sqlx::Result<(String, bool)> {
    on_tx!(tx, c => sqlx::query_as("select name, llm_enabled from tenants where tenant_id = $1")
        .bind(tenant).fetch_one(c).await)
}

/// Changes what the tenant decides about itself.
pub(in crate::auth) async fn save_tenant(
    tx: &mut Tx,
    tenant: TenantId,
    llm_enabled: bool,
) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query("update tenants set llm_enabled = $2 where tenant_id = $1")
        .bind(tenant).bind(llm_enabled).execute(c).await.map(drop))
}

/// A tenant of this name, the oldest if there are several.
pub(in crate::auth) async fn tenant_by_name(tx: &mut Tx, name: &str) -> sqlx::Result<Option<TenantId>> {
    on_tx!(tx, c => sqlx::query_scalar(
        "select tenant_id from tenants where name = $1 order by created_at, tenant_id limit 1")
        .bind(name).fetch_optional(c).await)
}

/// Every tenant, the oldest first; for the operator.
pub(in crate::auth) async fn tenants(tx: &mut Tx) -> sqlx::Result<Vec<TenantId>> {
    on_tx!(tx, c => sqlx::query_scalar("select tenant_id from tenants order by created_at, tenant_id")
        .fetch_all(c).await)
}

/// Everybody of a tenant, by address.
pub(in crate::auth) async fn all(tx: &mut Tx, tenant: TenantId) -> sqlx::Result<Vec<UserRow>> {
    on_tx!(tx, c => sqlx::query_as(
        "select tenant_id, id, email, full_name, password_hash, disabled_at from users
         where tenant_id = $1 order by email")
        .bind(tenant).fetch_all(c).await)
}

/// Adds a person; `false` when the address is taken.
pub(in crate::auth) async fn insert(tx: &mut Tx, tenant: TenantId, user: &UserRow) -> sqlx::Result<bool> {
    let now = tx.now();
    let added = on_tx!(tx, c => sqlx::query(
        "insert into users (tenant_id, id, email, full_name, password_hash, created_at)
         values ($1, $2, $3, $4, $5, $6) on conflict (email) do nothing")
        .bind(tenant).bind(user.id).bind(&user.email).bind(&user.full_name).bind(&user.password_hash).bind(now)
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(added == 1)
}

/// Replaces the password hash `old` of a person; `false` when it is another one by now.
pub(in crate::auth) async fn replace_password(
    tx: &mut Tx,
    tenant: TenantId,
    id: UserId,
    old: &str,
    new: &str,
) -> sqlx::Result<bool> {
    let changed = on_tx!(tx, c => sqlx::query(
        "update users set password_hash = $4 where tenant_id = $1 and id = $2 and password_hash = $3")
        .bind(tenant).bind(id).bind(old).bind(new)
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(changed == 1)
}

/// Replaces a person's password hash.
pub(in crate::auth) async fn set_password(
    tx: &mut Tx,
    tenant: TenantId,
    id: UserId,
    password_hash: &str,
) -> sqlx::Result<()> {
    on_tx!(tx, c => sqlx::query("update users set password_hash = $3 where tenant_id = $1 and id = $2")
        .bind(tenant).bind(id).bind(password_hash).execute(c).await.map(drop))
}
