//! The commands of `sre-copilot`.

mod account;
mod audit;
mod check;
mod demo;
mod demo_watch;
mod diagnose;
mod health;
mod history;
mod print;
mod serve;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::{self, Config, Shown};
use crate::service::Service;

/// Takes alerts from Prometheus, Alertmanager and Grafana, and carries each to its explanation.
#[derive(Debug, Parser)]
#[command(name = "sre-copilot", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs all services in this process, or the named ones.
    Serve(ServeArgs),
    /// Shows the main job live: a simulated shop, a real Prometheus and Alertmanager, and a fault.
    Demo(demo::DemoArgs),
    /// Brings the database to this version's schema (`serve` does so too).
    Migrate(Settings),
    /// Ranks root causes from a metrics file; no server is needed.
    Diagnose(diagnose::DiagnoseArgs),
    /// Runs `diagnose` over a folder of cases, or a project's own incidents.
    Eval(diagnose::EvalArgs),
    /// Prints the OpenAPI 3.1 document of the API.
    Openapi,
    /// Manages people without a browser.
    User {
        #[command(subcommand)]
        command: account::UserCommand,
    },
    /// Manages API keys without a browser.
    Token {
        #[command(subcommand)]
        command: account::TokenCommand,
    },
    /// Manages the master key.
    MasterKey {
        #[command(subcommand)]
        command: account::MasterKeyCommand,
    },
    /// Asks a running service whether it is well: exits with 0 if so, for container health checks.
    Health {
        /// Where it answers, such as http://127.0.0.1:8504/-/healthy; the gateway's address by the settings when it is not given.
        url: Option<String>,
        #[command(flatten)]
        settings: Settings,
    },
    /// Looks at the audit log.
    Audit {
        #[command(subcommand)]
        command: audit::AuditCommand,
    },
    /// Checks the configuration of a sender; no server is needed.
    Check {
        #[command(subcommand)]
        command: check::CheckCommand,
    },
    /// Shows settings.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Prints every setting, its value and where the value came from; secrets stay hidden.
    Show(Settings),
}

/// Where the settings come from.
#[derive(Debug, Args)]
pub struct Settings {
    /// A settings file; `config.default.toml` in the source shows every key.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Settings {
    fn load(&self) -> anyhow::Result<(Config, Vec<Shown>)> {
        config::load(self.config.as_deref(), |name| {
            std::env::var(name).ok().filter(|value| !value.is_empty())
        })
    }
}

/// What `serve` takes.
#[derive(Debug, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    settings: Settings,
    /// Only these, separated by commas: gateway, auth, incident, ai, integration, websocket.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    services: Vec<Service>,
}

/// Runs the command.
///
/// # Errors
/// When it failed; the reason is for the person who typed it.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Serve(args) => serve::serve(args).await,
        Command::Demo(args) => demo::demo(args).await,
        Command::Migrate(settings) => serve::migrate(&settings).await,
        Command::Diagnose(args) => diagnose::diagnose(&args),
        Command::Eval(args) if args.history.history => history::history(args.history).await,
        Command::Eval(args) => diagnose::eval(&args),
        Command::Openapi => print::line(&crate::gateway::document().to_pretty_json()?),
        Command::User { command } => account::user(command).await,
        Command::Token { command } => account::token(command).await,
        Command::MasterKey { command } => account::master_key(command).await,
        Command::Health { url, settings } => health::health(url, &settings).await,
        Command::Audit { command } => audit::audit(command).await,
        Command::Check { command } => check::check(&command),
        Command::Config { command: ConfigCommand::Show(settings) } => {
            let (_, shown) = settings.load()?;
            let width = shown.iter().map(|row| row.key.len()).max().unwrap_or_default();
            for Shown { key, value, origin } in shown {
                print::line(&format!("{key:width$}  {value}  ({origin})"))?;
            }
            Ok(())
        }
    }
}
