//! A prompt in; a reply, its tokens and its cost out.
//!
//! The crate speaks the chat-completions protocol to OpenAI, to Azure OpenAI and to servers that imitate it
//! (llama.cpp, Ollama, vLLM). It knows nothing of what is asked. Every way a call can end is either a [`Reply`]
//! or a [`Failure`], and neither ever carries a key or the words of an error the endpoint sent.
//!
//! The caller installs a `rustls` crypto provider before it makes a [`Provider`].

pub mod answer;
mod breaker;
mod completion;
mod config;
mod dialect;
mod endpoint;
mod exchange;
mod failure;
mod fault;
mod pause;
mod prices;
mod provider;
mod reply;
mod request;
pub mod schema;
mod scripted;
mod secret;
mod tokens;
mod usage;

pub use breaker::{Breaker, Open};
pub use config::{Config, ConfigError};
pub use dialect::OutputLimit;
pub use endpoint::Endpoint;
pub use failure::{BadOutput, Billing, Failure};
pub use prices::{Price, Prices, PricesError, cost_micros, reserve_micros};
pub use provider::Provider;
pub use reply::{Finish, Flags, Reply};
pub use request::Request;
pub use scripted::Scripted;
pub use tokens::estimate_tokens;
pub use usage::Usage;
