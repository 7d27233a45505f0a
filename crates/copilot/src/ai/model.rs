//! The language model: who answers, what a call may cost, and the ledger that holds every call.

mod slots;
pub mod store;
pub mod tally;
mod traced;

use std::time::{Duration, Instant};

use anyhow::Context as _;
use llm::{Billing, Breaker, Failure, Prices, Provider, Reply, Request};
use outbox::{Job, Ts, Tx, sabotage};
use uuid::Uuid;

use crate::config::Config;
use crate::error::Result;
use crate::ids::{AnalysisId, IncidentId, ProjectId, QuestionId, TenantId};

/// Calls of one analysis at most, those of unknown outcome included.
const CALLS: i64 = 3;

/// How long after the limit of a call it has surely ended, whoever made it.
const MARGIN: Duration = Duration::from_secs(15);

/// What a call may take where no settings say so: the default of `llm_timeout_s`.
const CALL: Duration = Duration::from_secs(60);

/// What a call is made for.
#[derive(Clone, Copy, Debug)]
pub struct Purpose {
    /// The project.
    pub project: ProjectId,
    /// The incident.
    pub incident: IncidentId,
    /// The analysis whose evidence is told.
    pub analysis: AnalysisId,
    /// The question, when it is one.
    pub question: Option<QuestionId>,
}

/// Why a call may not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// Another call about the incident is under way.
    Busy,
    /// For good; the words are for a person.
    Refused(String),
}

/// The language model, if one is configured.
#[derive(Debug)]
pub struct Model {
    provider: Option<Provider>,
    /// Absent when no model is configured.
    prices: Option<Prices>,
    /// What a tenant may spend a day, in micro-USD.
    daily_micros: i64,
    /// Micro-USD a token counts where the model's price is not listed.
    assumed: f64,
    /// What one call may take.
    call: Duration,
    /// Why there is no provider although one is configured.
    off: Option<&'static str>,
    breaker: Breaker,
    /// Whose turn it is to ask.
    pub slots: slots::Slots,
}

/// Said where the budget turns the model off.
const NO_BUDGET: &str = "SRE_COPILOT_LLM_DAILY_BUDGET_USD is 0, which turns the language model off";

/// A call that is in the ledger and may be made.
#[derive(Debug)]
pub struct Call {
    id: Uuid,
    reserved_micros: i64,
    assumed: bool,
}

/// What was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Tokens of the prompt; unknown when the endpoint did not say.
    pub prompt: Option<i64>,
    /// Those of them that were cached there.
    pub cached: Option<i64>,
    /// Tokens of the answer.
    pub completion: Option<i64>,
    /// Micro-USD; unknown when the model's price is.
    pub cost_micros: Option<i64>,
    /// Micro-USD that the budget counts where the cost is unknown.
    pub counted_micros: Option<i64>,
}

impl Model {
    /// The model that the settings describe.
    ///
    /// # Errors
    /// When they contradict each other, or the price file can't be read.
    pub fn from_config(config: &Config) -> anyhow::Result<Self> {
        // A second installation fails and changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let call = Duration::from_secs(config.llm_timeout_s);
        let given = |text: &String| Some(text.clone()).filter(|text| !text.trim().is_empty());
        let settings = llm::Config {
            openai_api_key: given(&config.openai_api_key),
            openai_base_url: given(&config.openai_base_url),
            azure_endpoint: given(&config.azure_openai_endpoint),
            azure_key: given(&config.azure_openai_api_key),
            azure_deployment: given(&config.azure_openai_deployment),
            azure_api_version: given(&config.azure_openai_api_version),
            model: config.llm_model.clone(),
            timeout: Some(call),
            ..llm::Config::default()
        };
        let file = given(&config.llm_prices_file);
        let text = file
            .map(|path| {
                std::fs::read_to_string(&path)
                    .with_context(|| format!("reading {path}, which llm_prices_file names"))
            })
            .transpose()?;
        let daily_micros = (config.llm_daily_budget_usd.clamp(0.0, 1e9) * 1e6).round() as i64;
        let configured = Provider::from_config(&settings)?;
        let off = (configured.is_some() && daily_micros == 0).then_some(NO_BUDGET);
        let provider = configured.filter(|_| daily_micros > 0);
        let prices = Some(Prices::load(text.as_deref())?);
        // USD per million tokens are micro-USD a token.
        let assumed = config.llm_unlisted_price_usd;
        if !(0.0..=1e6).contains(&assumed) {
            anyhow::bail!("llm_unlisted_price_usd is {assumed}; it takes 0 to 1e6 USD per million tokens");
        }
        Ok(Self { provider, prices, daily_micros, assumed, call, off, ..Self::none() })
    }

    /// No model: the statistical engine answers alone.
    pub fn none() -> Self {
        Self {
            provider: None,
            prices: None,
            daily_micros: 0,
            assumed: 0.0,
            call: CALL,
            off: None,
            breaker: Breaker::default(),
            slots: slots::Slots::default(),
        }
    }

    /// A scripted model with a daily budget in micro-USD and the compiled-in prices, for tests.
    pub fn scripted(script: llm::Scripted, daily_micros: i64) -> Self {
        let (provider, prices) = (Some(Provider::Scripted(script)), Prices::load(None).ok());
        Self { provider, prices, daily_micros, assumed: 10.0, ..Self::none() }
    }

    /// What one call may take.
    pub fn call_limit(&self) -> Duration {
        self.call
    }

    /// When a call that was entered is surely over, whoever made it: every process has the same limit.
    pub fn call_ends(&self) -> Duration {
        if sabotage::broken("lease-shorter-than-call") {
            Duration::from_secs(1)
        } else {
            sabotage::hurried(self.call + MARGIN)
        }
    }

    /// Who answers, or `None` when no model is configured.
    pub fn provider(&self) -> Option<&Provider> {
        self.provider.as_ref()
    }

    /// The model's name, or `None` when none is configured.
    pub fn name(&self) -> Option<&str> {
        self.provider.as_ref().map(Provider::model)
    }

    /// The host that is sent what the model is asked; `None` when none is configured.
    pub fn host(&self) -> Option<&str> {
        self.provider.as_ref().map(Provider::host)
    }

    /// Why a configured model is turned off, in words; `None` when it is on or there is none.
    pub fn off(&self) -> Option<&'static str> {
        self.off
    }

    /// Who answers, or why nobody does, without a secret.
    pub fn in_words(&self) -> String {
        let none = || self.off.unwrap_or("none: neither OpenAI nor Azure OpenAI is configured").to_owned();
        self.provider.as_ref().map_or_else(none, Provider::describe)
    }

    /// Asks the model, and notes whether its endpoint works.
    ///
    /// # Errors
    /// As the provider says; [`Failure::Unavailable`] when there is none.
    pub async fn complete(&self, request: &Request, until: tokio::time::Instant) -> Result<Reply, Failure> {
        let Some(provider) = &self.provider else { return Err(Failure::Unavailable { status: None }) };
        let asked = Instant::now();
        let outcome = traced::complete(provider, request, until).await;
        let took = asked.elapsed().as_secs_f64();
        metrics::histogram!("sre_copilot_model_call_duration_seconds").record(took);
        self.breaker.note(&outcome, Instant::now());
        outcome
    }

    /// What a tenant may spend a day, in micro-USD.
    pub fn daily_micros(&self) -> i64 {
        self.daily_micros
    }

    /// Enters a call with the most it can cost, or says why it may not be made.
    ///
    /// The tenant's row is locked, so that concurrent calls see each other's reservations, and of two calls about one
    /// incident one sees the other.
    ///
    /// # Errors
    /// When the database refused.
    pub async fn reserve(
        &self,
        tx: &mut Tx,
        tenant: TenantId,
        purpose: Purpose,
        job: &Job,
        request: &Request,
        prompt_version: &str,
    ) -> Result<Result<Call, Denied>> {
        let refused = |why: &str| Ok(Err(Denied::Refused(why.to_owned())));
        let Some(name) = self.name() else { return refused("no model is configured") };
        if !sabotage::broken("check-then-call") && !store::lock_tenant(tx, tenant).await? {
            tally::not_asked("turned-off");
            return refused("the model is turned off for this organisation");
        }
        let recent = tx.now().plus_seconds(-self.call_ends().as_secs().cast_signed());
        if store::under_way(tx, tenant, purpose.incident, recent).await? {
            return Ok(Err(Denied::Busy));
        }
        if store::calls(tx, tenant, purpose).await? >= CALLS {
            tally::not_asked("calls");
            return Ok(Err(Denied::Refused(format!(
                "{CALLS} calls of the model were made for this already"
            ))));
        }
        let (prompt, most) = (request.estimated_prompt_tokens(), request.max_output_tokens);
        let listed = self.prices.as_ref().and_then(|prices| llm::reserve_micros(prices, name, prompt, most));
        let assumed = listed.is_none();
        let unlisted = || {
            format!(
                "the price of {name} is not listed, so it counts as {} USD per million tokens; \
                 llm_prices_file can say what it costs",
                self.assumed
            )
        };
        let reserved = match listed {
            Some(micros) => micros,
            None if self.assumed > 0.0 => self.assumed_micros(u64::from(prompt) + u64::from(most)),
            None => {
                tally::not_asked("unlisted-price");
                return refused(&format!("the price of {name} is not listed, so no budget could bound it"));
            }
        };
        let spent = store::spent_since(tx, tenant, midnight(tx.now())).await?;
        if spent.saturating_add(reserved) > self.daily_micros {
            tally::not_asked("budget");
            let usd = |micros: i64| micros as f64 / 1e6;
            let (spent, daily) = (usd(spent), usd(self.daily_micros));
            let why = format!(
                "today's budget for the model leaves no room for another call, {spent} of {daily} USD are used"
            );
            return Ok(Err(Denied::Refused(if assumed { format!("{why} ({})", unlisted()) } else { why })));
        }
        if let Err(open) = self.breaker.admit(Instant::now()) {
            tally::not_asked("resting");
            return Ok(Err(Denied::Refused(format!(
                "{} of its last {} calls failed, so it is left alone for another {} s",
                open.failed,
                open.of,
                open.rest.as_secs() + 1
            ))));
        }
        sabotage::point("analysis.looked").await?;
        let call = Call { id: Uuid::now_v7(), reserved_micros: reserved, assumed };
        let new =
            store::NewCall { id: call.id, fence: job.fence, model: name, prompt_version, reserved, assumed };
        store::enter(tx, tenant, purpose, &new).await?;
        Ok(Ok(call))
    }

    /// The most a call can cost, in micro-USD; `None` where no price is listed or assumed.
    pub fn most_micros(&self, request: &Request) -> Option<i64> {
        let (prompt, most) = (request.estimated_prompt_tokens(), request.max_output_tokens);
        let (name, prices) = self.name().zip(self.prices.as_ref())?;
        let tokens = u64::from(prompt) + u64::from(most);
        let assumed = || (self.assumed > 0.0).then(|| self.assumed_micros(tokens));
        llm::reserve_micros(prices, name, prompt, most).or_else(assumed)
    }

    /// What an answer cost, in micro-USD, or counts as where no price is listed.
    pub fn cost_micros(&self, usage: &llm::Usage) -> Option<i64> {
        let (name, prices) = self.name().zip(self.prices.as_ref())?;
        let tokens = usage.prompt_tokens.saturating_add(usage.completion_tokens);
        Some(llm::cost_micros(prices, name, usage).unwrap_or_else(|| self.assumed_micros(tokens)))
    }

    fn assumed_micros(&self, tokens: u64) -> i64 {
        (tokens as f64 * self.assumed).ceil().min(1e15) as i64
    }

    /// What an answer or a failure cost. What nobody can tell costs what was reserved.
    pub fn spent(&self, call: &Call, outcome: &std::result::Result<Reply, Failure>) -> Spent {
        let usage = match outcome {
            Ok(reply) => reply.usage.map_or(Billing::Unknown, Billing::Known),
            Err(failure) => failure.billing(),
        };
        match usage {
            Billing::Nothing => {
                let none = Some(0);
                Spent {
                    prompt: none,
                    cached: none,
                    completion: none,
                    cost_micros: none,
                    counted_micros: none,
                }
            }
            Billing::Unknown => Spent {
                cost_micros: (!call.assumed).then_some(call.reserved_micros),
                counted_micros: Some(call.reserved_micros),
                ..Spent::default()
            },
            Billing::Known(usage) => {
                let tokens = usage.prompt_tokens.saturating_add(usage.completion_tokens);
                let cost = self
                    .name()
                    .zip(self.prices.as_ref())
                    .and_then(|(name, prices)| llm::cost_micros(prices, name, &usage));
                Spent {
                    prompt: i64::try_from(usage.prompt_tokens).ok(),
                    cached: i64::try_from(usage.cached_tokens).ok(),
                    completion: i64::try_from(usage.completion_tokens).ok(),
                    cost_micros: cost,
                    counted_micros: cost.or_else(|| Some(self.assumed_micros(tokens))),
                }
            }
        }
    }
}

impl Call {
    /// Enters what became of the call; `false` when somebody else has given it up meanwhile.
    ///
    /// # Errors
    /// When the database refused.
    pub async fn settle(
        &self,
        tx: &mut Tx,
        tenant: TenantId,
        job: &Job,
        outcome: &std::result::Result<Reply, Failure>,
        spent: Spent,
    ) -> Result<bool> {
        let (status, failure) = match outcome {
            Ok(_) => ("completed", None),
            Err(failure) => ("failed", Some(failure.slug())),
        };
        Ok(store::settle(tx, tenant, (self.id, job.fence), (status, failure), spent).await?)
    }
}

/// The beginning of the day in UTC: budgets begin anew then.
pub fn midnight(now: Ts) -> Ts {
    const DAY: i64 = 86_400_000_000;
    Ts::from_micros(now.micros().div_euclid(DAY) * DAY)
}
