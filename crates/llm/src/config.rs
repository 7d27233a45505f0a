//! Which endpoint is asked, and with what key.

use std::{fmt, time::Duration};

use url::Url;

use crate::dialect::OutputLimit;

/// How long one call may take altogether, retries and waits included, unless configured.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The settings of the model side as an operator writes them; an empty text counts as absent.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// The key of OpenAI or of a server that imitates it.
    pub openai_api_key: Option<String>,
    /// The address before `/chat/completions`; without it, and with a key, OpenAI's own.
    pub openai_base_url: Option<String>,
    /// The address of the Azure resource, such as `https://NAME.openai.azure.com`.
    pub azure_endpoint: Option<String>,
    /// The key of the Azure resource.
    pub azure_key: Option<String>,
    /// The name of the Azure deployment.
    pub azure_deployment: Option<String>,
    /// A dated version (`2024-10-21`) selects Azure's dated path, otherwise its v1 path is used.
    pub azure_api_version: Option<String>,
    /// The model; also the key of the price table. Azure's deployment decides what is served there.
    pub model: String,
    /// The most a call may take, retries and waits included; 60 s when absent.
    pub timeout: Option<Duration>,
    /// How many tokens the model can hold, prompt and answer together. When given, a prompt that does not fit
    /// fails before it is sent, because some servers cut it without a word.
    pub context_tokens: Option<u32>,
    /// The name of the parameter that limits the answer; chosen by address and learnt when absent.
    pub output_limit: Option<OutputLimit>,
}

/// Why the settings do not describe an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Both kinds of endpoint are configured, and only one can be asked.
    #[error("both an OpenAI and an Azure endpoint are configured for the model: remove one of them")]
    Ambiguous,
    /// A setting without which the others are useless is absent.
    #[error("the model endpoint is configured without {0}")]
    Missing(&'static str),
    /// A setting has a value that cannot be used.
    #[error("{setting} of the model endpoint {problem}")]
    Invalid {
        /// Which setting.
        setting: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// No HTTPS client can be made, as a rule because the system has no root certificates.
    #[error("no HTTPS client can be made: is there a store of root certificates?")]
    Client,
}

/// Shows what is configured and never a key, nor an address that may contain one.
impl fmt::Debug for Config {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Config")
            .field("openai", &(self.openai_api_key.is_some(), self.openai_base_url.is_some()))
            .field("azure", &(self.azure_key.is_some(), self.azure_endpoint.is_some()))
            .field("azure_deployment", &self.azure_deployment)
            .field("azure_api_version", &self.azure_api_version)
            .field("model", &self.model)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// The most a call may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout.unwrap_or(TIMEOUT)
    }
}

/// The value without the blanks around it, if anything is left.
pub(crate) fn given(value: &Option<String>) -> Option<&str> {
    value.as_deref().map(str::trim).filter(|value| !value.is_empty())
}

/// A name that is put into an address; it is encoded there, but `.` and `..` cannot be.
pub(crate) fn name<'a>(setting: &'static str, value: &'a str) -> Result<&'a str, ConfigError> {
    let invalid = |problem| Err(ConfigError::Invalid { setting, problem });
    if value.chars().any(char::is_control) {
        invalid("contains a control character")
    } else if value == "." || value == ".." {
        invalid("is not a name")
    } else {
        Ok(value)
    }
}

/// An address that can be extended by a path.
pub(crate) fn address(setting: &'static str, value: &str) -> Result<Url, ConfigError> {
    let invalid = |problem| Err(ConfigError::Invalid { setting, problem });
    let Ok(url) = Url::parse(value) else { return invalid("is not an address") };
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        invalid("does not begin with http:// or https://")
    } else if !url.username().is_empty() || url.password().is_some() {
        invalid("contains a user name or a password")
    } else if url.query().is_some() || url.fragment().is_some() {
        invalid("contains a query or a fragment")
    } else {
        Ok(url)
    }
}
