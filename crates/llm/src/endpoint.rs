//! A model behind HTTP: its address, its key, and asking it until it answers.

use std::{fmt, time::Duration};

use reqwest::{
    Client,
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
};
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

use crate::{
    completion,
    config::{Config, ConfigError, address, given, name},
    dialect::{Dialect, OutputLimit},
    exchange::{self, NoAnswer},
    failure::Failure,
    fault::{Fault, Verdict},
    pause,
    reply::{Flags, Reply},
    request::Request,
    secret::Secret,
};

/// OpenAI's own address.
const OPENAI: &str = "https://api.openai.com/v1";

/// How often a call may be put differently because the endpoint rejected a parameter.
const REWORDINGS: u32 = 2;

/// Versions that Azure serves on its v1 path, not on its dated one.
const UNDATED_VERSIONS: [&str; 3] = ["v1", "preview", "latest"];

/// A model behind HTTP.
pub struct Endpoint {
    client: Client,
    url: Url,
    key: Option<(HeaderName, HeaderValue)>,
    secret: Option<Secret>,
    /// What is sent as `model`; none where the address says it.
    sent_model: Option<String>,
    /// The configured model, by which prices are looked up.
    model: String,
    dialect: Dialect,
    timeout: Duration,
    context_tokens: Option<u32>,
}

/// Shows the host and the model, and neither key nor path.
impl fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Endpoint")
            .field("host", &self.url.host_str())
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

impl Endpoint {
    /// OpenAI, or a server that imitates it. Without a key none is sent.
    ///
    /// OpenAI itself is sent `max_completion_tokens` and others `max_tokens`, until one of them is rejected.
    pub(crate) fn openai(config: &Config) -> Result<Self, ConfigError> {
        let base = given(&config.openai_base_url).unwrap_or(OPENAI);
        let mut url = address("the base URL", base)?;
        let is_openai = url.host_str() == Some("api.openai.com");
        extend(&mut url, &["chat", "completions"]);
        let secret = given(&config.openai_api_key).map(Secret::new);
        let key = match &secret {
            Some(secret) => Some((AUTHORIZATION, header(secret, "Bearer ")?)),
            None if is_openai => return Err(ConfigError::Missing("an API key")),
            None => None,
        };
        let limit = if is_openai { OutputLimit::MaxCompletionTokens } else { OutputLimit::MaxTokens };
        Self::new(config, url, key, secret, Some(config.model.trim().to_owned()), limit)
    }

    /// An Azure deployment.
    ///
    /// A dated version uses `/openai/deployments/NAME/chat/completions?api-version=…`. Without a version, or when
    /// the address ends with `/openai/v1`, the v1 path is used and the deployment is sent as `model`; the undated
    /// versions `preview` and `latest` are passed on there.
    pub(crate) fn azure(config: &Config) -> Result<Self, ConfigError> {
        let endpoint = given(&config.azure_endpoint).ok_or(ConfigError::Missing("the Azure endpoint"))?;
        let key = given(&config.azure_key).ok_or(ConfigError::Missing("the Azure key"))?;
        let deployment =
            given(&config.azure_deployment).ok_or(ConfigError::Missing("the Azure deployment"))?;
        let deployment = name("the Azure deployment", deployment)?;
        let version = given(&config.azure_api_version);
        let version = version.map(|version| name("the Azure API version", version)).transpose()?;
        let endpoint = endpoint.trim_end_matches('/');
        let v1_resource = endpoint.strip_suffix("/openai/v1");
        let resource = v1_resource.or(endpoint.strip_suffix("/openai")).unwrap_or(endpoint);
        let mut url = address("the Azure endpoint", resource)?;
        let dated = version.filter(|it| v1_resource.is_none() && !UNDATED_VERSIONS.contains(it));
        if let Some(version) = dated {
            extend(&mut url, &["openai", "deployments", deployment, "chat", "completions"]);
            url.query_pairs_mut().append_pair("api-version", version);
        } else {
            extend(&mut url, &["openai", "v1", "chat", "completions"]);
            if let Some(version) = version.filter(|it| matches!(*it, "preview" | "latest")) {
                url.query_pairs_mut().append_pair("api-version", version);
            }
        }
        let secret = Secret::new(key);
        let key = (HeaderName::from_static("api-key"), header(&secret, "")?);
        let sent_model = dated.is_none().then(|| deployment.to_owned());
        Self::new(config, url, Some(key), Some(secret), sent_model, OutputLimit::MaxCompletionTokens)
    }

    fn new(
        config: &Config,
        url: Url,
        key: Option<(HeaderName, HeaderValue)>,
        secret: Option<Secret>,
        sent_model: Option<String>,
        limit: OutputLimit,
    ) -> Result<Self, ConfigError> {
        let model = config.model.trim();
        if model.is_empty() {
            return Err(ConfigError::Missing("a model"));
        }
        Ok(Self {
            client: exchange::client(url.scheme())?,
            url,
            key,
            secret,
            sent_model,
            model: model.to_owned(),
            dialect: Dialect::new(config.output_limit.unwrap_or(limit)),
            timeout: config.timeout(),
            context_tokens: config.context_tokens,
        })
    }

    /// The configured model.
    pub(crate) fn model(&self) -> &str {
        &self.model
    }

    /// The host that is asked, without path, query or key.
    pub(crate) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Asks until there is an answer, a failure that asking again cannot mend, or the deadline.
    pub(crate) async fn complete(&self, request: &Request, deadline: Instant) -> Result<Reply, Failure> {
        let needed = request.estimated_prompt_tokens().saturating_add(request.max_output_tokens);
        if self.context_tokens.is_some_and(|most| needed > most) {
            return Err(Failure::TooLarge { status: None });
        }
        let longest = Instant::now().checked_add(self.timeout).unwrap_or(deadline);
        let deadline = deadline.min(longest);
        timeout_at(deadline, self.ask(request, deadline)).await.unwrap_or(Err(Failure::Timeout))
    }

    async fn ask(&self, request: &Request, deadline: Instant) -> Result<Reply, Failure> {
        let mut rewordings = 0;
        let mut tries = 0;
        loop {
            let wording = self.dialect.wording(request);
            let body = wording.body(request, self.sent_model.as_deref());
            let sent = exchange::send(&self.client, &self.url, self.key.as_ref(), body).await;
            let (failure, asked) = match sent {
                Err(NoAnswer::NotSent) => (Failure::Unavailable { status: None }, None),
                Err(NoAnswer::Broken) => return Err(Failure::Lost),
                Ok(answer) if (200..300).contains(&answer.status) => {
                    return self.reply(answer, tries + rewordings + 1);
                }
                Ok(answer) => {
                    let fault = Fault::read(answer.status, &answer.body.unwrap_or_default());
                    if rewordings < REWORDINGS && self.dialect.learn(wording, &fault) {
                        rewordings += 1;
                        continue;
                    }
                    let asked = pause::asked(&answer.headers);
                    match fault.verdict(asked) {
                        Verdict::Final(failure) => return Err(failure),
                        Verdict::Again(failure) => (failure, asked),
                    }
                }
            };
            tries += 1;
            let left = deadline.saturating_duration_since(Instant::now());
            let Some(wait) = pause::before_next(tries, asked, left, rand::random()) else {
                return Err(failure);
            };
            tracing::debug!(
                failure = failure.slug(),
                tries,
                wait_ms = wait.as_millis(),
                "the model will be asked again"
            );
            sleep(wait).await;
        }
    }

    fn reply(&self, answer: exchange::Answer, attempts: u32) -> Result<Reply, Failure> {
        let completion = completion::read(answer.status, &answer.body?)?;
        let flags = Flags::of(completion.counted, &self.model, completion.model.as_deref());
        Ok(Reply {
            text: self.without_key(completion.text),
            finish: completion.finish,
            usage: completion.counted.usage(),
            model: completion.model.map_or_else(|| self.model.clone(), |model| self.without_key(model)),
            attempts,
            request_id: self.request_id(&answer.headers),
            flags,
        })
    }

    fn request_id(&self, headers: &HeaderMap) -> Option<String> {
        exchange::request_id(headers).map(|id| self.without_key(id))
    }

    fn without_key(&self, text: String) -> String {
        match &self.secret {
            Some(secret) => secret.removed_from(text),
            None => text,
        }
    }
}

/// Adds segments to the path, each of them encoded.
fn extend(url: &mut Url, segments: &[&str]) {
    // An address with a host always has a path that can be extended; `address` has seen to the host.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
}

/// The key as a header.
fn header(secret: &Secret, prefix: &str) -> Result<HeaderValue, ConfigError> {
    let problem = "contains characters that a key cannot have";
    secret.header(prefix).ok_or(ConfigError::Invalid { setting: "the key", problem })
}
