//! The services that run elsewhere: who they are, and which of them answer.

use std::time::Duration;

use anyhow::Context as _;

use super::replicas::Replicas;
use crate::config::Config;
use crate::service::Service;

/// How long a service may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(1);

/// The services that the gateway of this process finds at other addresses; none where it runs no gateway.
pub struct Elsewhere {
    client: reqwest::Client,
    services: Vec<(Service, Replicas)>,
}

impl Elsewhere {
    /// Those of the settings that are not among `local`.
    ///
    /// # Errors
    /// When an address is none.
    pub fn new(config: &Config, local: &[Service]) -> anyhow::Result<Self> {
        let all = Service::ALL.into_iter().filter(|_| local.contains(&Service::Gateway));
        let apart = all.filter(|service| !local.contains(service));
        let named = apart.filter_map(|service| Some((service, service.url(config)?)));
        let services = named.map(|(service, addresses)| Ok((service, Replicas::parse(service, addresses)?)));
        Ok(Self { client: client()?, services: services.collect::<anyhow::Result<_>>()? })
    }

    /// The names of those of which no address answers in so long.
    pub async fn silent(&self, at_most: Duration) -> Vec<&'static str> {
        let asked = self.services.iter().map(|(service, replicas)| async move {
            let each = replicas.bases().map(|base| Box::pin(self.answers(base)));
            let any = futures_util::future::select_ok(each);
            let answered = tokio::time::timeout(at_most, any).await;
            (!matches!(answered, Ok(Ok(_)))).then(|| service.name())
        });
        futures_util::future::join_all(asked).await.into_iter().flatten().collect()
    }

    async fn answers(&self, base: &str) -> reqwest::Result<()> {
        self.client.get(format!("{base}/-/healthy")).send().await?.error_for_status().map(drop)
    }
}

/// A client for requests to our own services.
///
/// # Errors
/// When it can't be built.
pub(super) fn client() -> anyhow::Result<reqwest::Client> {
    reqwest::Client::builder()
        .no_proxy()
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT)
        .build()
        .context("the client for services elsewhere")
}
