//! `user create` and `token create`: what an operator needs without a browser.

use std::io::Read as _;

use anyhow::Context as _;
use clap::Subcommand;
use outbox::Clock;
use serde_json::json;

use super::{Settings, print};
use crate::auth::{Keys, Role, operator};
use crate::config::Config;
use crate::ids::ProjectId;

/// What can be done about people.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Creates a tenant with its first project and its owner; the password is read from standard input.
    Create {
        #[command(flatten)]
        settings: Settings,
        /// The address they sign in with.
        #[arg(long)]
        email: String,
        /// Their name, as shown to others.
        #[arg(long)]
        name: String,
        /// The organisation.
        #[arg(long)]
        tenant: String,
    },
}

/// What can be done about API keys.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Creates an API key and prints it, once.
    Create {
        #[command(flatten)]
        settings: Settings,
        /// The person in whose name it is made.
        #[arg(long)]
        email: String,
        /// The project it is for; their first when it is not given.
        #[arg(long)]
        project: Option<ProjectId>,
        /// What it is for.
        #[arg(long)]
        name: String,
        /// viewer, engineer, admin or owner.
        #[arg(long, default_value_t = Role::Engineer)]
        role: Role,
    },
}

/// Runs a command about people.
///
/// # Errors
/// When it can't be done; the reason says why.
pub async fn user(command: UserCommand) -> anyhow::Result<()> {
    let UserCommand::Create { settings, email, name, tenant } = command;
    let mut password = String::new();
    std::io::stdin().read_to_string(&mut password).context("reading the password from standard input")?;
    let password = password.trim_end_matches(['\r', '\n']);
    let (config, _) = settings.load()?;
    let db = open(&config).await?;
    let keys = Keys::load(&config, &config.data_dir)?;
    let created = operator::create_user(&db, &keys, &tenant, &email, &name, password).await?;
    db.close().await;
    let line = json!({
        "user_id": created.user, "tenant_id": created.tenant, "project_id": created.project,
    });
    print::line(&line.to_string())
}

/// Runs a command about API keys.
///
/// # Errors
/// When it can't be done; the reason says why.
pub async fn token(command: TokenCommand) -> anyhow::Result<()> {
    let TokenCommand::Create { settings, email, project, name, role } = command;
    let (config, _) = settings.load()?;
    let db = open(&config).await?;
    let key = operator::create_token(&db, &email, project, &name, role, None).await?;
    db.close().await;
    print::line(key.reveal())
}

async fn open(config: &Config) -> anyhow::Result<outbox::Db> {
    crate::db::open(&config.database_url, &config.data_dir, Clock::System).await
}
