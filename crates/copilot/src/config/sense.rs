//! What no type of a setting tells: bounds, and addresses.

use anyhow::bail;

use super::Config;
use crate::outbound::allow::Allow;

impl Config {
    /// Whether the settings can be meant.
    ///
    /// # Errors
    /// One line for the first that can't, by its name.
    pub(super) fn makes_sense(&self) -> anyhow::Result<()> {
        if !self.public_url.is_empty() && !is_origin(&self.public_url) {
            bail!(
                "public_url is {:?}; it must be an http:// or https:// URL of a host, without a path",
                self.public_url
            );
        }
        if self.master_key.is_empty() && !self.master_key_previous.is_empty() {
            bail!("master_key_previous is set and master_key is not; the new key is needed as well");
        }
        for (key, urls) in [
            ("auth_url", &self.auth_url),
            ("incident_url", &self.incident_url),
            ("ai_url", &self.ai_url),
            ("integration_url", &self.integration_url),
            ("websocket_url", &self.websocket_url),
        ] {
            if let Some(url) = urls.split(',').map(str::trim).find(|url| !is_origin(url)) {
                bail!(
                    "{key} holds {url:?}; each must be an http:// or https:// URL of a host, without a path"
                );
            }
        }
        for (key, value, least, most) in [
            ("database_connections", u64::from(self.database_connections), 4, 500),
            ("database_wait_s", self.database_wait_s, 0, 3600),
            ("sockets_per_user", self.sockets_per_user as u64, 1, 100_000),
            ("sockets_per_tenant", self.sockets_per_tenant as u64, 1, 1_000_000),
            ("llm_timeout_s", self.llm_timeout_s, 1, 3600),
            ("spool_mib", self.spool_mib, 0, 1 << 20),
            ("commit_queue", self.commit_queue as u64, 1, 1 << 20),
        ] {
            if !(least..=most).contains(&value) {
                bail!("{key} is {value}; it takes {least} to {most}");
            }
        }
        self.outbound_allow.parse::<Allow>()?;
        if !(0.0..=1e9).contains(&self.llm_daily_budget_usd) {
            let budget = self.llm_daily_budget_usd;
            bail!("llm_daily_budget_usd is {budget}; it takes 0, which turns the model off, to 1e9 USD");
        }
        if !["", "text", "json"].contains(&self.log_format.as_str()) {
            bail!("log_format must be text or json, not {:?}", self.log_format);
        }
        Ok(())
    }
}

/// Whether it is the address of a host: with a path below it, pages and cookies would miss it.
fn is_origin(url: &str) -> bool {
    let bare = |url: &url::Url| url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    url::Url::parse(url)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host() && bare(&url))
}
