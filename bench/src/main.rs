//! Measures the product from outside, against what it is compared with, on the machine at hand.

mod alert_set;
mod alertmanager;
mod api;
mod child;
mod driver;
mod explain;
mod fanout;
mod folder;
mod footprint;
mod ingest;
mod null;
mod postgres;
mod product;
mod reading;
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
    /// Events a second told to ten thousand sockets, against a loop that only writes frames.
    Fanout(fanout::Options),
    /// Lists, searches, counts and pages with a million incidents.
    Reading(reading::Options),
    /// Start, idle memory and size.
    Footprint(footprint::Options),
    /// An incident's whole statistical analysis against a Prometheus with 10,000 series.
    Explain(explain::Options),
    /// Writes frames and nothing else. Used by `fanout`.
    #[command(hide = true)]
    Bare(fanout::bare::Options),
    /// Answers every request at once: what the driver alone can do. Used by the other measurements.
    #[command(hide = true)]
    Null(null::Options),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Ingest(options) => ingest::run(&options),
        Command::Fanout(options) => fanout::run(&options),
        Command::Reading(options) => reading::run(&options),
        Command::Footprint(options) => footprint::run(&options),
        Command::Explain(options) => explain::run(&options),
        Command::Bare(options) => fanout::bare::serve(&options),
        Command::Null(options) => null::serve(&options),
    }
}
