//! `user`, `token` and `master-key`: what an operator needs without a browser.

use std::io::{IsTerminal as _, Read as _};

use anyhow::Context as _;
use clap::Subcommand;
use outbox::Clock;
use serde_json::json;

use super::{Settings, print};
use crate::auth::{Role, installation, operator, rotation};
use crate::ids::ProjectId;

/// What can be done about people.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Adds the owner of a new organisation, or, where there is one of that name, an owner of its first project; the
    /// password is asked for, or read from standard input.
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
    /// Lists everybody: address, name, organisation, and the role in each project.
    List(Settings),
    /// Gives somebody another password and ends all their sessions; it is asked for, or read from standard input.
    ResetPassword {
        #[command(flatten)]
        settings: Settings,
        /// The address they sign in with.
        email: String,
    },
}

/// What can be done about the master key.
#[derive(Debug, Subcommand)]
pub enum MasterKeyCommand {
    /// Lets the next start take another master key than the one the database was set up with, which is lost.
    Forget(Settings),
    /// Changes to the new master key, and seals with it whatever is sealed with the previous one, while everything runs.
    Rotate(Settings),
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
        /// The project it is for, by its id, which `user list` shows; their first when it is not given.
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
    match command {
        UserCommand::Create { settings, email, name, tenant } => {
            let (config, _) = settings.load()?;
            let password = password()?;
            let db = crate::db::open_for(&config, Clock::System).await?;
            let keys = installation::keys(&db, &config).await?;
            let created = operator::create_user(&db, &keys, &tenant, &email, &name, &password).await?;
            db.close().await;
            let done = if created.founded { "founded" } else { "joined" };
            eprintln!("{done} the organisation {tenant}");
            let line = json!({
                "user_id": created.user, "tenant_id": created.tenant, "project_id": created.project,
            });
            print::line(&line.to_string())
        }
        UserCommand::List(settings) => {
            let (config, _) = settings.load()?;
            let db = crate::db::open_existing(&config).await?;
            let people = operator::people(&db).await?;
            db.close().await;
            people.iter().try_for_each(|person| print::line(&json!(person).to_string()))
        }
        UserCommand::ResetPassword { settings, email } => {
            let (config, _) = settings.load()?;
            let db = crate::db::open_existing(&config).await?;
            let ended = operator::reset_password(&db, &email, &password()?).await?;
            db.close().await;
            print::line(&format!("{email} has another password; {ended} sessions were ended."))
        }
    }
}

/// Runs a command about the master key.
///
/// # Errors
/// When it can't be done, or the database refused.
pub async fn master_key(command: MasterKeyCommand) -> anyhow::Result<()> {
    match command {
        MasterKeyCommand::Forget(settings) => {
            let (config, _) = settings.load()?;
            let db = crate::db::open_existing(&config).await?;
            let known = installation::forget(&db).await?;
            db.close().await;
            print::line(if known {
                "The next start takes the master key it is given."
            } else {
                "No master key was noted; the next start takes the one it is given."
            })
        }
        MasterKeyCommand::Rotate(settings) => {
            let (config, _) = settings.load()?;
            let db = crate::db::open_existing(&config).await?;
            let done = rotation::rotate(&db, &config).await;
            db.close().await;
            let rotation::Rotated { sealed, broken, processes } = done?;
            for place in broken {
                print::line(&format!("{place} can't be opened with either key, and was left."))?;
            }
            print::line(&format!(
                "{sealed} values were sealed anew; {processes} running processes use the new master key, and nothing needs \
                 the previous one any more."
            ))
        }
    }
}

/// The password: typed unseen at a terminal, or the whole of standard input.
fn password() -> anyhow::Result<String> {
    if std::io::stdin().is_terminal() {
        return rpassword::prompt_password("password: ").context("asking for the password");
    }
    let mut password = String::new();
    std::io::stdin().read_to_string(&mut password).context("reading the password from standard input")?;
    Ok(password.trim_end_matches(['\r', '\n']).to_owned())
}

/// Runs a command about API keys.
///
/// # Errors
/// When it can't be done; the reason says why.
pub async fn token(command: TokenCommand) -> anyhow::Result<()> {
    let TokenCommand::Create { settings, email, project, name, role } = command;
    let (config, _) = settings.load()?;
    let db = crate::db::open_existing(&config).await?;
    let key = operator::create_token(&db, &email, project, &name, role, None).await?;
    db.close().await;
    print::line(key.reveal())
}
