//! `serve` and `migrate`.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use outbox::Clock;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use super::{ServeArgs, Settings};
use crate::config::{self, Config};
use crate::metric;
use crate::server::{self, Start};
use crate::service::Service;
use crate::traces::{self, Traces};

/// How long stopping may take altogether.
const STOPS: Duration = Duration::from_secs(20);

/// How much of that the last traces may take.
const LAST_TRACES: Duration = Duration::from_secs(3);

/// Runs the services until SIGTERM or Ctrl-C.
///
/// # Errors
/// When the process can't start.
pub async fn serve(args: ServeArgs) -> anyhow::Result<()> {
    outbox::sabotage::check().map_err(anyhow::Error::msg)?;
    let (config, known) = args.settings.load()?;
    let traces = Traces::from_config(&config)?;
    log_to_stderr(&config, traces.as_ref())?;
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for name in config::unknown_variables(names, &known) {
        tracing::warn!(name, "this variable is no setting; `config show` lists all");
    }
    let services = if args.services.is_empty() { Service::ALL.to_vec() } else { args.services };
    let database = crate::db::kind(&config);
    let redis = if config.redis_url.is_empty() { "no" } else { "yes" };
    let data_dir = config.data_dir.display().to_string();
    tracing::info!(version = env!("CARGO_PKG_VERSION"), database, data_dir, redis, "SRE Copilot starts");
    let names: Vec<&str> = services.iter().map(|service| service.name()).collect();
    let metrics = Some(metric::record(&config, &names.join(","))?);
    let together = !config.redis_url.is_empty() || services.len() < Service::ALL.len();
    let _alone = crate::db::claim(&config, together)?;
    crate::db::reachable(&config).await?;
    let server =
        server::start(Start { config, services, clock: Clock::System, metrics, model: None }).await?;
    let model = server.app.model.in_words();
    tracing::info!(url = server.url(), model, "SRE Copilot is ready");
    stop_asked().await?;
    tracing::info!("stopping");
    let asked = Instant::now();
    server.stop().await;
    if let Some(traces) = traces {
        traces.end(STOPS.saturating_sub(asked.elapsed()).min(LAST_TRACES)).await;
    }
    Ok(())
}

/// Brings the database to this version's schema.
///
/// # Errors
/// When it can't be opened or migrated.
pub async fn migrate(settings: &Settings) -> anyhow::Result<()> {
    let (config, _) = settings.load()?;
    let db = crate::db::open_for(&config, Clock::System).await?;
    db.close().await;
    super::print::line("The database is at this version's schema.")
}

/// Waits for SIGTERM or Ctrl-C.
///
/// # Errors
/// When signals can't be listened to.
pub async fn stop_asked() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        pressed = tokio::signal::ctrl_c() => Ok(pressed?),
    }
}

/// Sends the log to stderr, so that stdout holds machine output alone, and spans where `traces` lead.
///
/// # Errors
/// When the level can't be read.
pub fn log_to_stderr(config: &Config, traces: Option<&Traces>) -> anyhow::Result<()> {
    let filter = filter(&config.log_level).context("log_level")?;
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let all = tracing_subscriber::registry().with(traces.map(Traces::layer));
    let json = match config.log_format.as_str() {
        "" => !std::io::stderr().is_terminal(),
        format => format == "json",
    };
    if json {
        all.with(log.json().with_filter(filter)).init();
    } else {
        // What goes into a file is read by programs that know no colours.
        let plain = !std::io::stderr().is_terminal() || std::env::var_os("NO_COLOR").is_some();
        all.with(log.with_target(false).with_ansi(!plain).with_filter(filter)).init();
    }
    Ok(())
}

/// What is logged: `level`, without one library's lowest, at which whole frames would be in the log, and with them what
/// events say; without what another says of parameters of `database_url`, values and all; and without spans.
fn filter(level: &str) -> anyhow::Result<EnvFilter> {
    // A word that is no level would be taken for the name of a module, and nothing else would be logged.
    let mut bare = level.split(',').map(str::trim).filter(|part| !part.contains(['=', '[']));
    if let Some(word) = bare.find(|word| word.parse::<LevelFilter>().is_err()) {
        anyhow::bail!("{word:?} is not one of off, error, warn, info, debug and trace");
    }
    let lowest = EnvFilter::try_new(level)?.max_level_hint() == Some(LevelFilter::TRACE);
    let frames = if lowest { "tungstenite=debug," } else { "" };
    let level = if level.is_empty() { "error" } else { level };
    Ok(EnvFilter::try_new(format!(
        "{frames}{level},sqlx_postgres::options::parse=off,{}=off",
        traces::TARGET
    ))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_level_is_raised_and_frames_are_in_no_log() {
        for (level, most) in [("info", LevelFilter::INFO), ("warn,hyper=debug", LevelFilter::DEBUG)] {
            assert_eq!(filter(level).unwrap().max_level_hint(), Some(most), "{level}");
        }
        for level in ["bogus", "info,hyper", "infos"] {
            assert!(filter(level).is_err(), "{level}");
        }
        for level in ["trace", "5", "TRACE"] {
            assert!(filter(level).unwrap().to_string().contains("tungstenite=debug"), "{level}");
        }
    }
}
