//! SRE Copilot: alerts in, explained incidents out.
//!
//! `ARCHITECTURE.md` walks one alert through these modules; they are listed in that order.

#[macro_use]
pub mod words;

pub mod address;
pub mod ai;
pub mod app;
pub mod auth;
pub mod cli;
pub mod config;
pub mod db;
pub mod demo;
pub mod error;
pub mod event;
pub mod gateway;
pub mod health;
pub mod http;
pub mod ids;
pub mod incident;
pub mod integration;
pub mod metric;
pub mod notify;
pub mod outbound;
pub mod page;
pub mod redis;
pub mod seldom;
pub mod server;
pub mod service;
pub mod traces;
pub mod valid;
pub use alerts::visible;
pub mod websocket;

#[cfg(test)]
#[path = "../tests/it/scratch.rs"]
mod scratch;
