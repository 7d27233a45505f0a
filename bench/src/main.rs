//! Measures the product from outside, against what it is compared with, on the machine at hand.

mod alert_set;
mod alertmanager;
mod api;
mod child;
mod driver;
mod folder;
mod ingest;
mod null;
mod postgres;
mod product;
mod report;
mod wire;

use clap::{Parser, Subcommand};

/// The time of day.
#[expect(clippy::disallowed_methods, reason = "a measurement lives in real time")]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// What can be measured.
#[derive(Debug, Parser)]
#[command(about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Alerts a second durably accepted, against Alertmanager fed the same alerts.
    Ingest(ingest::Options),
    /// Answers every request at once: what the driver alone can do. Used by the other measurements.
    #[command(hide = true)]
    Null(null::Options),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Ingest(options) => ingest::run(&options),
        Command::Null(options) => null::serve(&options),
    }
}
