//! Tries promises for as long as it is told to, and leaves a log of each in `bench/results`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::bail;
use bench::faults::clocks::Clock;
use bench::faults::programme::Promise;
use bench::faults::{Backend, Trial};
use clap::Parser;

/// What is tried, and for how long.
#[derive(Debug, Parser)]
#[command(about)]
struct Arguments {
    /// A promise such as G1, or `all`.
    promise: String,
    /// For how many minutes each is tried; what is placed at fail points is tried once in any case.
    #[arg(long, default_value_t = 5.0)]
    minutes: f64,
    /// The product, as a debug build: a release build has no fail points.
    #[arg(long, default_value = "target/debug/sre-copilot")]
    binary: PathBuf,
    /// The version before, for G18: a debug build too. Without one no two versions are tried side by side.
    #[arg(long)]
    previous: Option<PathBuf>,
    /// Where the logs go.
    #[arg(long, default_value = "bench/results")]
    results: PathBuf,
    /// Where random choices begin; another one each time unless given.
    #[arg(long)]
    seed: Option<u64>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let promises = match arguments.promise.as_str() {
        "all" => Promise::ALL.to_vec(),
        name => vec![name.parse().map_err(anyhow::Error::msg)?],
    };
    std::fs::create_dir_all(&arguments.results)?;
    let mut broken = Vec::new();
    for promise in promises {
        if !hold(promise, &arguments).await? {
            broken.push(format!("{promise:?}"));
        }
    }
    if !broken.is_empty() {
        bail!("broken: {}", broken.join(", "));
    }
    Ok(())
}

/// Tries one promise, and says whether it held.
async fn hold(promise: Promise, arguments: &Arguments) -> anyhow::Result<bool> {
    let seed = arguments.seed.unwrap_or_else(rand::random);
    let time = Duration::from_secs_f64(arguments.minutes.clamp(0.05, 600.0) * 60.0);
    let binary = arguments.binary.canonicalize()?;
    let previous = arguments.previous.as_ref().map(|binary| binary.canonicalize()).transpose()?;
    let (backend, clock) = (Backend::Sqlite, Clock::Right);
    let trial = Trial { binary, previous, backend, broken: "", clock, time, seed, patience: 1 };
    eprintln!("{promise:?}: {}", promise.says());
    let begun = Instant::now();
    let outcome = promise.hold(&trial).await;
    let seconds = begun.elapsed().as_secs_f64();
    let (held, said) = match &outcome {
        Ok(report) => (report.findings.is_empty(), report.to_string()),
        // One promise that can't be tried does not keep the others from it.
        Err(error) => (false, format!("  could not be tried: {error:#}")),
    };
    let minutes = arguments.minutes;
    let log = format!(
        "# make soak PROMISE={promise:?} MINUTES={minutes}\n{promise:?}: {}\n{said}\n  {seconds:.0} s, seed {seed}\n",
        promise.says()
    );
    eprintln!("{log}");
    std::fs::write(arguments.results.join(format!("soak-{promise:?}.txt")), log)?;
    Ok(held)
}
