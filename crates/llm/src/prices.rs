//! What tokens cost, in integer micro-USD.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::usage::Usage;

/// The prices compiled in; a user's file of the same form adds to them and wins over them.
const BUILT_IN: &str = include_str!("../prices.toml");

/// USD above this per million tokens are taken for a slip of the pen.
const DEAREST_USD: f64 = 1_000_000.0;

/// Micro-USD in a USD; also the tokens a price is for.
const MILLION: u64 = 1_000_000;

/// The known prices, each by the model's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prices {
    as_of: String,
    models: BTreeMap<String, Price>,
}

/// The price of one model, in micro-USD per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// Tokens of the prompt.
    pub input: u64,
    /// Tokens of the prompt that the endpoint had in its cache.
    pub cached_input: u64,
    /// Tokens of the answer, hidden reasoning included.
    pub output: u64,
}

/// Why a price file is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PricesError {
    /// The text is not TOML of the expected form.
    #[error("the price file cannot be read: {0}")]
    Form(String),
    /// A price is negative, not a number or absurdly high.
    #[error("the price file gives {model} a price that cannot be true ({usd} USD per million tokens)")]
    Price {
        /// The model.
        model: String,
        /// What the file says, in USD per million tokens.
        usd: String,
    },
}

/// The form of a price file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    as_of: Option<String>,
    models: BTreeMap<String, Row>,
}

/// One model of a price file, in USD per million tokens.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    input: f64,
    /// Without it, cached tokens cost what others do.
    cached_input: Option<f64>,
    output: f64,
}

impl Prices {
    /// The prices compiled in, with those of the user's file over them.
    ///
    /// # Errors
    /// When the user's text is not a price file or one of its prices cannot be true.
    pub fn load(users_file: Option<&str>) -> Result<Self, PricesError> {
        let mut prices = Self::parse(BUILT_IN)?;
        if let Some(text) = users_file {
            let users = Self::parse(text)?;
            if !users.as_of.is_empty() {
                prices.as_of = users.as_of;
            }
            prices.models.extend(users.models);
        }
        Ok(prices)
    }

    /// The day the prices were looked up, as the file writes it.
    pub fn as_of(&self) -> &str {
        &self.as_of
    }

    /// The price of a model; none when it is not listed. A snapshot's price is never guessed from its family's.
    pub fn of(&self, model: &str) -> Option<Price> {
        self.models.get(model).copied()
    }

    fn parse(text: &str) -> Result<Self, PricesError> {
        let file: File =
            toml::from_str(text).map_err(|error| PricesError::Form(error.message().to_owned()))?;
        let mut models = BTreeMap::new();
        for (model, row) in file.models {
            let price = Price {
                input: micros(&model, row.input)?,
                cached_input: micros(&model, row.cached_input.unwrap_or(row.input))?,
                output: micros(&model, row.output)?,
            };
            models.insert(model, price);
        }
        Ok(Self { as_of: file.as_of.unwrap_or_default(), models })
    }
}

/// What a call cost in micro-USD, rounded up to a whole one; none when the model's price is unknown.
pub fn cost_micros(prices: &Prices, model: &str, usage: &Usage) -> Option<i64> {
    let price = prices.of(model)?;
    let fresh = usage.prompt_tokens.saturating_sub(usage.cached_tokens);
    sum(&[
        (fresh, price.input),
        (usage.cached_tokens, price.cached_input),
        (usage.completion_tokens, price.output),
    ])
}

/// The most a call can cost in micro-USD, to be reserved before it; none when the model's price is unknown.
pub fn reserve_micros(
    prices: &Prices,
    model: &str,
    prompt_tokens: u32,
    max_output_tokens: u32,
) -> Option<i64> {
    let price = prices.of(model)?;
    sum(&[
        (u64::from(prompt_tokens), price.input.max(price.cached_input)),
        (u64::from(max_output_tokens), price.output),
    ])
}

/// Adds tokens times price exactly and rounds once, upwards, so that no bill is understated.
fn sum(parts: &[(u64, u64)]) -> Option<i64> {
    let total: u128 = parts.iter().map(|(tokens, price)| u128::from(*tokens) * u128::from(*price)).sum();
    i64::try_from(total.div_ceil(u128::from(MILLION))).ok()
}

/// USD per million tokens as micro-USD per million tokens.
fn micros(model: &str, usd: f64) -> Result<u64, PricesError> {
    if !(0.0..=DEAREST_USD).contains(&usd) {
        return Err(PricesError::Price { model: model.to_owned(), usd: usd.to_string() });
    }
    // Within the range above the product is far below 2^53, so the conversion is exact.
    Ok((usd * 1e6).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::{Prices, PricesError, cost_micros, reserve_micros};
    use crate::Usage;

    fn usage(prompt_tokens: u64, cached_tokens: u64, completion_tokens: u64) -> Usage {
        Usage { prompt_tokens, cached_tokens, completion_tokens, reasoning_tokens: 0 }
    }

    #[test]
    fn costs_are_exact_to_the_micro_unit() {
        let prices = Prices::load(None).unwrap();
        for (model, used, micros) in [
            ("gpt-4o-mini", usage(3_000, 0, 700), Some(870)),
            ("gpt-4o-mini", usage(3_000, 2_000, 700), Some(720)),
            ("gpt-4o-mini", usage(1_000_000, 0, 1_000_000), Some(750_000)),
            ("gpt-4o-mini-2024-07-18", usage(3_000, 0, 700), Some(870)),
            ("gpt-4o", usage(1_234, 0, 567), Some(8_755)),
            ("gpt-4.1", usage(1_000, 1_000, 1), Some(508)),
            ("gpt-4.1-mini", usage(10, 0, 1), Some(6)),
            ("gpt-4.1-nano", usage(1, 1, 0), Some(1)),
            ("gpt-5", usage(8, 0, 0), Some(10)),
            ("gpt-5-mini", usage(4, 0, 3), Some(7)),
            ("gpt-5-nano", usage(20, 0, 5), Some(3)),
            ("gpt-5.4-nano", usage(5, 0, 4), Some(6)),
            ("gpt-4o-mini", usage(0, 0, 0), Some(0)),
            ("gpt-4o-2024-05-13", usage(3_000, 0, 700), None),
            ("qwen2.5-coder-0.5b", usage(3_000, 0, 700), None),
        ] {
            assert_eq!(cost_micros(&prices, model, &used), micros, "{model} {used:?}");
        }
    }

    #[test]
    fn a_reservation_covers_the_dearest_outcome() {
        let prices = Prices::load(None).unwrap();
        assert_eq!(reserve_micros(&prices, "gpt-4o-mini", 3_000, 700), Some(870));
        assert_eq!(reserve_micros(&prices, "gpt-4o-mini", u32::MAX, u32::MAX), Some(3_221_225_472));
        assert_eq!(reserve_micros(&prices, "unlisted", 3_000, 700), None);
    }

    #[test]
    fn a_users_file_adds_and_wins() {
        let text = "as_of = \"2027-01-01\"\n[models.gpt-4o-mini]\ninput = 1\noutput = 2\n[models.local]\ninput = 0.0\noutput = 0\n";
        let prices = Prices::load(Some(text)).unwrap();
        assert_eq!(prices.as_of(), "2027-01-01");
        assert_eq!(cost_micros(&prices, "gpt-4o-mini", &usage(10, 5, 10)), Some(30));
        assert_eq!(cost_micros(&prices, "local", &usage(10, 5, 10)), Some(0));
        assert_eq!(cost_micros(&prices, "gpt-5", &usage(8, 0, 0)), Some(10));
    }

    #[test]
    fn a_wrong_users_file_is_refused_by_name() {
        for price in ["-1", "nan", "inf", "1e9"] {
            let text = format!("[models.mine]\ninput = {price}\noutput = 1\n");
            let error = Prices::load(Some(&text)).unwrap_err();
            assert!(
                matches!(&error, PricesError::Price { model, .. } if model == "mine"),
                "{price}: {error}"
            );
        }
        for text in
            ["", "models = 3", "[models.mine]\ninput = \"1\"\noutput = 1", "[models.mine]\noutput = 1", "{"]
        {
            assert!(matches!(Prices::load(Some(text)), Err(PricesError::Form(_))), "{text}");
        }
    }
}
