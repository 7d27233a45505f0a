//! `demo`: the main job, live, in one process tree.

use std::io::IsTerminal as _;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use outbox::Clock;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::demo_watch::{Answer, Watch};
use super::{print, serve};
use crate::ai::changes;
use crate::app::App;
use crate::auth::{self, Actor, Member, Role, SecretToken, Source, operator};
use crate::config::{self, Config};
use crate::demo::terminal::{self, Banner, Style};
use crate::demo::{self, Options, Scenario, Shop, Webhook};
use crate::ids::SessionId;
use crate::integration::{self, Kind, NewIntegration};
use crate::server::{self, Server, Start};
use crate::service::Service;

/// The address of the demo's owner; no mail is ever sent.
const EMAIL: &str = "demo@example.com";

/// Where the dashboard is, unless something else is there.
const PORT: u16 = 8500;

/// How long the incident may take after the fault; more is our fault.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What `demo` takes.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// What happens: bad-deploy, saturated-database, flapping-alert and more; a wrong name lists them all.
    #[arg(long, default_value_t = Scenario::default())]
    scenario: Scenario,
    /// Ends by itself once the scenario is over, and fails when it did not go as it should.
    #[arg(long)]
    once: bool,
    /// Shows it on the installation that `DATABASE_URL` and the other settings name, which must be running: as a tenant of
    /// its own, and with nothing served from here.
    #[arg(long)]
    attach: bool,
}

/// Runs the demo until Ctrl-C.
///
/// # Errors
/// When a part can't start; with `--once` also when no incident or no answer arrived in time.
pub async fn demo(args: DemoArgs) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("sre-copilot-demo-").tempdir().context("making a folder")?;
    let style = Style::choose(
        std::io::stdout().is_terminal(),
        std::env::var("NO_COLOR").ok().as_deref(),
        std::env::var("TERM").ok().as_deref(),
    );
    let config = if args.attach { attached(folder.path())? } else { config(folder.path())? };
    serve::log_to_stderr(&config, None)?;
    print::line(&terminal::starting(style))?;
    let services = if args.attach { Vec::new() } else { Service::ALL.to_vec() };
    let start = Start { config, services, clock: Clock::System, metrics: None, model: None };
    let server = server::start(start).await?;
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let told = tokio::select! {
        told = tell(&server, &args, style, folder.path(), &stop, &tasks) => told,
        asked = serve::stop_asked() => asked,
    };
    stop.cancel();
    tasks.close();
    tasks.wait().await;
    server.stop().await;
    print::line(terminal::STOPPED)?;
    told
}

/// The usual settings, but for a fresh folder, free ports and quiet logs; a configured model and address stay.
fn config(folder: &Path) -> anyhow::Result<Config> {
    let (mut config, _) =
        config::load(None, |name| std::env::var(name).ok().filter(|value| !value.is_empty()))?;
    if std::env::var_os("SRE_COPILOT_GATEWAY_LISTEN").is_none_or(|given| given.is_empty()) {
        let free = (PORT..PORT + 100).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
        let free = free.context("no free port between 8500 and 8599")?;
        if free != PORT {
            print::line(&terminal::port_taken(PORT, free))?;
        }
        config.gateway_listen = format!("127.0.0.1:{free}");
    }
    for listen in [
        &mut config.auth_listen,
        &mut config.incident_listen,
        &mut config.ai_listen,
        &mut config.integration_listen,
        &mut config.websocket_listen,
    ] {
        *listen = "127.0.0.1:0".to_owned();
    }
    config.database_url = String::new();
    config.redis_url = String::new();
    config.public_url = String::new();
    config.data_dir = folder.join("data");
    if std::env::var_os("SRE_COPILOT_LOG_LEVEL").is_none() {
        config.log_level = "error".to_owned();
    }
    Ok(config)
}

/// The settings of a running installation, with quiet logs.
fn attached(folder: &Path) -> anyhow::Result<Config> {
    let (mut config, _) =
        config::load(None, |name| std::env::var(name).ok().filter(|value| !value.is_empty()))?;
    anyhow::ensure!(
        !config.database_url.is_empty() && !config.master_key.is_empty(),
        "--attach needs DATABASE_URL and SRE_COPILOT_MASTER_KEY of the running installation"
    );
    config.data_dir = folder.join("data");
    if std::env::var_os("SRE_COPILOT_LOG_LEVEL").is_none() {
        config.log_level = "error".to_owned();
    }
    Ok(config)
}

/// Starts the shop, breaks it, and says what comes of it.
async fn tell(
    server: &Server,
    args: &DemoArgs,
    style: Style,
    folder: &Path,
    stop: &CancellationToken,
    tasks: &TaskTracker,
) -> anyhow::Result<()> {
    let app = &server.app;
    let owner = owner(app, args.attach).await?;
    let member = owner.member;
    let (webhook, prometheus) = integrations(app, &member).await?;
    let options =
        Options { scenario: args.scenario, folder: Some(folder.join("shop")), ..Options::default() };
    let clock = app.clock().clone();
    let shop =
        demo::start(&options, &webhook, Arc::new(move || clock.now().unix_seconds()), stop, tasks).await?;
    connect_prometheus(app, &member, prometheus, &shop).await?;
    for change in &shop.earlier_changes {
        report(app, &member, change).await?;
    }
    let (link, sign_in) = if args.attach {
        // A one-time link works in the process that made it.
        (server.url(), format!("sign in as {} with the password {}", owner.email, owner.password))
    } else {
        let user = member.actor.user().context("the demo's owner is a person")?;
        let link = auth::issue_link(app, member.tenant, user);
        (format!("{}/link#{link}", server.url()), "signs you in as \"demo\", once".to_owned())
    };
    print::line(&terminal::banner(
        style,
        &Banner {
            version: env!("CARGO_PKG_VERSION"),
            link: &link,
            sign_in: &sign_in,
            docs: &format!("{}/docs", server.url()),
            prometheus: &shop.prometheus_url,
            alertmanager: &shop.alertmanager_url,
            model: app.model.name(),
        },
    ))?;
    print::line(&terminal::history_ready(style, shop.history))?;
    let watch = Watch::begin(app, &member, style, server.url()).await?;
    print::line(&terminal::announcement(
        args.scenario,
        demo::FAULT_AFTER.as_secs(),
        style == Style::Coloured,
    ))?;
    tokio::time::sleep(demo::FAULT_AFTER).await;
    let injected = shop.inject().await?;
    if let Some(change) = &injected.change {
        report(app, &member, change).await?;
    }
    watch.say(&terminal::injected(style, watch.time(), injected.change.as_ref()))?;
    let logs = folder.join("shop").display().to_string();
    let answer = watch.until_answered(PATIENCE, &logs, args.once).await?;
    if args.once {
        return judge(args.scenario, answer);
    }
    tokio::select! {
        ended = watch.go_on() => ended,
        () = shop.ended() => Ok(()),
    }
}

/// Whether the first hypothesis names what was broken, or nothing where nothing was.
fn judge(scenario: Scenario, answer: Option<Answer>) -> anyhow::Result<()> {
    let said = match &answer {
        Some(Answer::Suspects(service)) => service.as_str(),
        Some(Answer::Nothing) | None => "nothing",
    };
    let truth = scenario.culprit().map_or("nothing", demo::Service::name);
    anyhow::ensure!(said == truth, "{scenario}: {truth} was broken, and the first hypothesis names {said}");
    print::line(&format!("{scenario}: right, {truth}"))
}

/// The demo's owner.
struct Owner {
    member: Member,
    email: String,
    password: String,
}

/// Registers the demo's owner; in a running installation each time another one.
async fn owner(app: &App, attached: bool) -> anyhow::Result<Owner> {
    let password = SecretToken::generate().reveal().to_owned();
    let email =
        if attached { format!("demo-{}@example.com", SessionId::new().0.simple()) } else { EMAIL.to_owned() };
    let created = operator::create_user(&app.db, &app.keys, "Demo shop", &email, "demo", &password).await?;
    let actor = Actor::User {
        id: created.user,
        name: "demo".to_owned(),
        email: email.clone(),
        session: SessionId::new(),
    };
    let member = Member { tenant: created.tenant, project: created.project, role: Role::Owner, actor };
    Ok(Owner { member, email, password })
}

/// Adds the Alertmanager that will send, and the Prometheus that will be asked.
async fn integrations(app: &App, member: &Member) -> anyhow::Result<(Webhook, crate::ids::IntegrationId)> {
    let mut tx = app.db.begin(member.tenant.0).await?;
    let address = std::net::Ipv4Addr::LOCALHOST.into();
    let here = Source { address, user_agent: "demo".to_owned(), device: None };
    let alertmanager = named(Kind::Alertmanager, "shop Alertmanager");
    let alertmanager = integration::create(app, &mut tx, member, &here, alertmanager).await?;
    let prometheus = named(Kind::Prometheus, "shop Prometheus");
    let prometheus = integration::create(app, &mut tx, member, &here, prometheus).await?;
    tx.commit().await?;
    let webhook = Webhook { url: alertmanager.integration.webhook_url, token: alertmanager.token };
    Ok((webhook, prometheus.integration.id))
}

fn named(kind: Kind, name: &str) -> NewIntegration {
    NewIntegration { kind, name: name.to_owned(), url: None, auth: None, settings: None }
}

async fn connect_prometheus(
    app: &App,
    member: &Member,
    id: crate::ids::IntegrationId,
    shop: &Shop,
) -> anyhow::Result<()> {
    let mut tx = app.db.begin(member.tenant.0).await?;
    let row = integration::store::find(&mut tx, member.tenant, member.project, id).await?;
    let mut row = row.context("the integration that was just added")?;
    row.url = Some(shop.prometheus_url.clone());
    integration::store::save(&mut tx, member.tenant, &row).await?;
    Ok(tx.commit().await?)
}

async fn report(app: &App, member: &Member, change: &demo::Change) -> anyhow::Result<()> {
    let mut tx = app.db.begin(member.tenant.0).await?;
    changes::record(
        &mut tx,
        member,
        changes::NewChange {
            service_name: change.service.name().to_owned(),
            summary: change.summary.to_owned(),
            kind: change.kind.name().to_owned(),
            version: change.version.map(str::to_owned),
            timestamp: Some(outbox::Ts::from_micros((change.at_s * 1e6) as i64)),
            url: None,
        },
    )
    .await?;
    Ok(tx.commit().await?)
}
