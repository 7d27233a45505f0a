//! `health`: whether a running service is well, for containers that have no other program.

use std::time::Duration;

use anyhow::{Context as _, ensure};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks `url`, and prints what it says.
///
/// # Errors
/// When nothing answers there in time, or with another status than 200.
pub async fn health(url: &str) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build()?;
    let answer = client.get(url).send().await.with_context(|| format!("asking {url}"))?;
    let status = answer.status();
    let said = answer.text().await.unwrap_or_default();
    ensure!(status.as_u16() == 200, "{url} answers {status}: {said}");
    super::print::line(said.trim())
}
