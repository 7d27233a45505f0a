//! Who answers.

use tokio::time::Instant;

use crate::{
    config::{Config, ConfigError, given},
    endpoint::Endpoint,
    failure::Failure,
    reply::Reply,
    request::Request,
    scripted::Scripted,
};

/// A model that can be asked.
#[derive(Debug)]
pub enum Provider {
    /// OpenAI, or a server that imitates it (llama.cpp, Ollama, vLLM).
    OpenAi(Endpoint),
    /// Azure OpenAI.
    Azure(Endpoint),
    /// A script, for tests.
    Scripted(Scripted),
}

impl Provider {
    /// The provider the settings describe, or none when they describe none.
    ///
    /// # Errors
    /// When the settings contradict each other, are incomplete or cannot be used.
    ///
    /// # Panics
    /// When no `rustls` crypto provider is installed in the process.
    pub fn from_config(config: &Config) -> Result<Option<Self>, ConfigError> {
        let wants_openai = given(&config.openai_api_key).or(given(&config.openai_base_url)).is_some();
        let azure = [&config.azure_endpoint, &config.azure_key, &config.azure_deployment];
        let wants_azure = azure.into_iter().any(|setting| given(setting).is_some());
        match (wants_openai, wants_azure) {
            (false, false) => Ok(None),
            (true, false) => Endpoint::openai(config).map(Self::OpenAi).map(Some),
            (false, true) => Endpoint::azure(config).map(Self::Azure).map(Some),
            (true, true) => Err(ConfigError::Ambiguous),
        }
    }

    /// Asks the model, at most until `deadline` and at most as long as configured.
    ///
    /// The endpoint never sees two requests of one call at the same time. Tries again, up to three times, when the
    /// endpoint could not be reached or answered 408, 409, 429 or 5xx; not when a request may have been processed.
    ///
    /// # Errors
    /// Every way in which there is no usable answer.
    pub async fn complete(&self, request: &Request, deadline: Instant) -> Result<Reply, Failure> {
        match self {
            Self::OpenAi(endpoint) | Self::Azure(endpoint) => endpoint.complete(request, deadline).await,
            Self::Scripted(script) => script.complete(request, deadline).await,
        }
    }

    /// The kind of the endpoint, as OpenTelemetry's conventions name it (`gen_ai.provider.name`).
    pub fn kind(&self) -> &'static str {
        match self {
            Self::OpenAi(_) => "openai",
            Self::Azure(_) => "azure.ai.openai",
            Self::Scripted(_) => "scripted",
        }
    }

    /// The host that prompts are sent to.
    pub fn host(&self) -> &str {
        match self {
            Self::OpenAi(endpoint) | Self::Azure(endpoint) => endpoint.host(),
            Self::Scripted(_) => "nowhere",
        }
    }

    /// The configured model, which is also the name its price is listed under.
    pub fn model(&self) -> &str {
        match self {
            Self::OpenAi(endpoint) | Self::Azure(endpoint) => endpoint.model(),
            Self::Scripted(script) => script.model(),
        }
    }

    /// Who is asked, for a person: kind, host and model, and never a key.
    pub fn describe(&self) -> String {
        match self {
            Self::OpenAi(endpoint) => {
                format!("{} at {} (OpenAI protocol)", endpoint.model(), endpoint.host())
            }
            Self::Azure(endpoint) => format!("{} at {} (Azure OpenAI)", endpoint.model(), endpoint.host()),
            Self::Scripted(script) => format!("{} (a script)", script.model()),
        }
    }
}
