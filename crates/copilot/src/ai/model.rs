//! The language model: who answers, what a call may cost, and the ledger that holds every call.

pub mod store;

use anyhow::Context as _;
use llm::{Billing, Failure, Prices, Provider, Reply, Request};
use outbox::{Job, Ts, Tx};
use uuid::Uuid;

use crate::config::Config;
use crate::error::Result;
use crate::ids::{AnalysisId, IncidentId, ProjectId, TenantId};

/// Calls of one analysis at most, those of unknown outcome included.
const CALLS: i64 = 3;

/// The language model, if one is configured.
#[derive(Debug)]
pub struct Model {
    provider: Option<Provider>,
    /// Absent when no model is configured.
    prices: Option<Prices>,
    /// What a tenant may spend a day, in micro-USD.
    daily_micros: i64,
}

/// A call that is in the ledger and may be made.
#[derive(Debug)]
pub struct Call {
    id: Uuid,
    reserved_micros: Option<i64>,
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
}

impl Model {
    /// The model that the settings describe.
    ///
    /// # Errors
    /// When they contradict each other, or the price file can't be read.
    pub fn from_config(config: &Config) -> anyhow::Result<Self> {
        // A second installation fails and changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let given = |text: &String| Some(text.clone()).filter(|text| !text.trim().is_empty());
        let settings = llm::Config {
            openai_api_key: given(&config.openai_api_key),
            openai_base_url: given(&config.openai_base_url),
            azure_endpoint: given(&config.azure_openai_endpoint),
            azure_key: given(&config.azure_openai_api_key),
            azure_deployment: given(&config.azure_openai_deployment),
            azure_api_version: given(&config.azure_openai_api_version),
            model: config.llm_model.clone(),
            ..llm::Config::default()
        };
        let file = given(&config.llm_prices_file);
        let text = file
            .map(|path| std::fs::read_to_string(&path).with_context(|| format!("reading {path}")))
            .transpose()?;
        let daily_micros = (config.llm_daily_budget_usd.clamp(0.0, 1e9) * 1e6).round() as i64;
        let provider = if daily_micros == 0 { None } else { Provider::from_config(&settings)? };
        Ok(Self { provider, prices: Some(Prices::load(text.as_deref())?), daily_micros })
    }

    /// No model: the statistical engine answers alone.
    pub fn none() -> Self {
        Self { provider: None, prices: None, daily_micros: 0 }
    }

    /// A scripted model with a daily budget in micro-USD and the compiled-in prices, for tests.
    pub fn scripted(script: llm::Scripted, daily_micros: i64) -> Self {
        Self { provider: Some(Provider::Scripted(script)), prices: Prices::load(None).ok(), daily_micros }
    }

    /// Who answers, or `None` when no model is configured.
    pub fn provider(&self) -> Option<&Provider> {
        self.provider.as_ref()
    }

    /// The model's name, or `None` when none is configured.
    pub fn name(&self) -> Option<&str> {
        self.provider.as_ref().map(Provider::model)
    }

    /// What a tenant may spend a day, in micro-USD.
    pub fn daily_micros(&self) -> i64 {
        self.daily_micros
    }

    /// Enters a call with the most it can cost, or says in words why it may not be made.
    ///
    /// The tenant's row is locked, so that concurrent calls see each other's reservations.
    ///
    /// # Errors
    /// When the database refused.
    pub async fn reserve(
        &self,
        tx: &mut Tx,
        tenant: TenantId,
        of: (ProjectId, IncidentId, AnalysisId),
        job: &Job,
        request: &Request,
        prompt_version: &str,
    ) -> Result<Result<Call, String>> {
        let Some(name) = self.name() else { return Ok(Err("no model is configured".to_owned())) };
        if !store::lock_tenant(tx, tenant).await? {
            return Ok(Err("the model is turned off for this organisation".to_owned()));
        }
        if store::calls(tx, tenant, of.2).await? >= CALLS {
            return Ok(Err(format!("{CALLS} calls of the model for this analysis had no known outcome")));
        }
        let prompt = request.estimated_prompt_tokens();
        let reserved = self
            .prices
            .as_ref()
            .and_then(|prices| llm::reserve_micros(prices, name, prompt, request.max_output_tokens));
        let spent = store::spent_since(tx, tenant, midnight(tx.now())).await?;
        if spent.saturating_add(reserved.unwrap_or(0)) > self.daily_micros {
            return Ok(Err("today's budget for the model is used up".to_owned()));
        }
        let call = Call { id: Uuid::now_v7(), reserved_micros: reserved };
        store::enter(
            tx,
            tenant,
            of,
            &store::NewCall { id: call.id, fence: job.fence, model: name, prompt_version, reserved },
        )
        .await?;
        Ok(Ok(call))
    }

    /// What an answer or a failure cost. What nobody can tell costs what was reserved.
    pub fn spent(&self, call: &Call, outcome: &std::result::Result<Reply, Failure>) -> Spent {
        let usage = match outcome {
            Ok(reply) => reply.usage.map_or(Billing::Unknown, Billing::Known),
            Err(failure) => failure.billing(),
        };
        match usage {
            Billing::Nothing => {
                Spent { prompt: Some(0), cached: Some(0), completion: Some(0), cost_micros: Some(0) }
            }
            Billing::Unknown => Spent { cost_micros: call.reserved_micros, ..Spent::default() },
            Billing::Known(usage) => Spent {
                prompt: i64::try_from(usage.prompt_tokens).ok(),
                cached: i64::try_from(usage.cached_tokens).ok(),
                completion: i64::try_from(usage.completion_tokens).ok(),
                cost_micros: self
                    .name()
                    .zip(self.prices.as_ref())
                    .and_then(|(name, prices)| llm::cost_micros(prices, name, &usage)),
            },
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
