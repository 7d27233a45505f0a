//! `audit verify`: whether the audit log is as it was written.

use anyhow::ensure;
use clap::Subcommand;
use serde_json::json;

use super::{Settings, print};
use crate::auth::chain;

/// What can be done about the audit log.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Looks whether every entry is as it was written, and names the first that is not; prints where each
    /// organisation's log ends, to be noted elsewhere.
    Verify(Settings),
}

/// Runs a command about the audit log.
///
/// # Errors
/// When it can't be read, or an entry is not as it was written.
pub async fn audit(command: AuditCommand) -> anyhow::Result<()> {
    let AuditCommand::Verify(settings) = command;
    let (config, _) = settings.load()?;
    let db = crate::db::open_existing(&config).await?;
    let found = chain::verify(&db).await?;
    db.close().await;
    let mut broken = Vec::new();
    for one in found {
        let line = json!({
            "tenant_id": one.tenant, "entries": one.entries, "trimmed": one.trimmed,
            "before_the_chain": one.outside, "head": one.head, "broken": one.broken,
        });
        print::line(&line.to_string())?;
        broken.extend(one.broken.map(|what| format!("tenant {}: {what}", one.tenant)));
    }
    ensure!(broken.is_empty(), "{}", broken.join("\n"));
    Ok(())
}
