//! How long lists, searches, counts and pages take with a million incidents, and with ten thousand.

mod store;

use std::time::Instant;

use anyhow::Context as _;
use serde_json::Value;

use crate::api::Account;
use crate::child;
use crate::folder;
use crate::postgres::Postgres;
use crate::product::{self, Product};
use crate::report::{Report, quantile};
use crate::wire::Connection;
use store::Seed;

/// What to measure.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// A hundred thousand incidents and few requests; the figures are not kept.
    #[arg(long)]
    quick: bool,
    /// Incidents of the large project.
    #[arg(long, default_value_t = 1_000_000)]
    incidents: i64,
    /// Requests of each kind.
    #[arg(long, default_value_t = 200)]
    requests: usize,
}

/// Incidents of the small project that the large one is compared with.
const FEW: i64 = 10_000;

/// What is asked for, and how it is called.
const QUESTIONS: [(&str, &str); 30] = [
    ("first page", "/incidents"),
    ("needs_me", "/incidents?sort=needs_me"),
    ("oldest first", "/incidents?sort=detected_at"),
    ("open", "/incidents?open=true&sort=needs_me"),
    ("closed", "/incidents?open=false"),
    ("state: two open ones", "/incidents?state=detected&state=acknowledged"),
    ("state: resolved", "/incidents?state=resolved"),
    ("state: learned", "/incidents?state=learned&sort=detected_at"),
    ("severity: critical", "/incidents?severity=critical"),
    ("severity: none there", "/incidents?severity=info"),
    ("service: a common one", "/incidents?service_name=service-0"),
    ("service: a rare one", "/incidents?service_name=service-199"),
    ("service: absent", "/incidents?service_name=nobody"),
    ("service, state, severity", "/incidents?service_name=service-0&state=detected&severity=low"),
    ("from and to", "/incidents?from=FROM&to=TO"),
    ("from, to, severity", "/incidents?from=FROM&to=TO&severity=critical&sort=needs_me"),
    ("200 a page", "/incidents?limit=200"),
    ("q: in every one", "/incidents?q=limit"),
    ("q: a common word", "/incidents?q=checkout"),
    ("q: a rare word", "/incidents?q=quicksand"),
    ("q: no match", "/incidents?q=zebra"),
    ("q: one letter", "/incidents?q=s"),
    ("q: two words", "/incidents?q=service-199+rule7"),
    ("q: INC-number", "/incidents?q=INC-4242"),
    ("q, open, needs_me", "/incidents?q=checkout&open=true&sort=needs_me"),
    ("q, severity none has", "/incidents?q=checkout&severity=info"),
    ("q, from and to", "/incidents?q=checkout&from=FROM&to=TO"),
    ("counts", "/incidents/summary"),
    ("analytics of a week", "/analytics/incidents?from=WEEK&to=NOW&bucket=day"),
    ("analytics of a year", "/analytics/incidents?from=YEAR&to=NOW&bucket=day"),
];

/// Parts of an incident's page.
const PARTS: [&str; 4] = ["", "/steps", "/alerts", "/hypotheses"];

/// Fills both databases and reports every question's time.
///
/// # Errors
/// When something can't be started, or a question is refused.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let mut options = options.clone();
    if options.quick {
        options.incidents = options.incidents.min(100_000);
        options.requests = options.requests.min(30);
    }
    let folder = folder::create()?;
    let title = format!("Reading at {} incidents, milliseconds", options.incidents);
    let mut report = Report::begin("reading", &title, options.quick)?;
    let postgres = Postgres::start(folder.path())?;
    for database in ["SQLite", "PostgreSQL"] {
        let url = if database == "SQLite" { None } else { Some(postgres.database("reading")?) };
        let data = tempfile::tempdir_in(folder.path())?;
        let settings: Vec<(&str, &str)> = url.iter().map(|url| ("DATABASE_URL", url.as_str())).collect();
        let mut large = Target::start(&settings, data.path())?;
        large.seed(url.as_deref(), options.incidents, &settings)?;
        let small_url = if database == "SQLite" { None } else { Some(postgres.database("reading_few")?) };
        let small_data = tempfile::tempdir_in(folder.path())?;
        let small_settings: Vec<(&str, &str)> =
            small_url.iter().map(|url| ("DATABASE_URL", url.as_str())).collect();
        let mut small = Target::start(&small_settings, small_data.path())?;
        small.seed(small_url.as_deref(), FEW, &small_settings)?;
        compare(database, &options, &large, &small, &mut report)?;
    }
    report.line(
        "Each time is of a whole request over one open connection, authentication included: more than the",
    )?;
    report.line("server's own. Goal: p99 under 20 ms on SQLite and 10 ms on PostgreSQL, at most 1.5 times that at 10,000.")?;
    report.end()
}

fn compare(
    database: &str,
    options: &Options,
    large: &Target,
    small: &Target,
    report: &mut Report,
) -> anyhow::Result<()> {
    let goal = if database == "SQLite" { 20.0 } else { 10.0 };
    let headings = ["question", "median", "p99", "p99 at 10,000", "ratio", "met"];
    let mut rows = vec![headings.map(str::to_owned).to_vec()];
    for (name, path) in QUESTIONS {
        let (at_large, at_small) = (large.ask(path, options.requests)?, small.ask(path, options.requests)?);
        rows.push(row(name, &at_large, &at_small, goal));
    }
    for part in PARTS {
        let path = format!("/incidents/INC-NUMBER{part}");
        let (at_large, at_small) = (large.ask(&path, options.requests)?, small.ask(&path, options.requests)?);
        rows.push(row(&format!("one incident {part}"), &at_large, &at_small, goal));
    }
    report.line(&format!("## {database}\n"))?;
    report.table(&rows)?;
    report.line(&format!(
        "The process held {:.0} MiB resident at most.\n",
        child::peak_resident_mib(large.product.process.id())
    ))
}

fn row(name: &str, large: &[f64], small: &[f64], goal: f64) -> Vec<String> {
    let (p99, before) = (quantile(large, 0.99), quantile(small, 0.99));
    let ratio = p99 / before.max(1e-9);
    vec![
        name.to_owned(),
        format!("{:.2}", quantile(large, 0.5)),
        format!("{p99:.2}"),
        format!("{before:.2}"),
        format!("{ratio:.2}"),
        if p99 > goal {
            "no"
        } else if ratio > 1.5 {
            "slower"
        } else {
            "yes"
        }
        .to_owned(),
    ]
}

/// The product with a project full of incidents.
struct Target {
    product: Product,
    account: Account,
    data: std::path::PathBuf,
    incidents: i64,
}

impl Target {
    fn start(settings: &[(&str, &str)], data: &std::path::Path) -> anyhow::Result<Self> {
        let product = Product::start(&product::binary(), data, settings)?;
        let account = Account::register(&product.gateway)?;
        Ok(Self { product, account, data: data.to_owned(), incidents: 0 })
    }

    /// Fills the project while the product rests, and starts it again.
    fn seed(&mut self, url: Option<&str>, incidents: i64, settings: &[(&str, &str)]) -> anyhow::Result<()> {
        self.product.process.stop()?;
        let begun = Instant::now();
        let file = format!("sqlite://{}", self.data.join("data/sre-copilot.db").display());
        let seed = Seed {
            tenant: self.account.tenant.clone(),
            project: self.account.project.clone(),
            incidents,
            now_s: crate::now().as_second(),
        };
        seed.fill(url.unwrap_or(&file)).context("filling the database")?;
        crate::report::say(&format!(
            "{incidents} incidents written in {:.0} s",
            begun.elapsed().as_secs_f64()
        ))?;
        self.incidents = incidents;
        self.product = Product::start(&product::binary(), &self.data, settings)?;
        self.account.address.clone_from(&self.product.gateway);
        Ok(())
    }

    /// Milliseconds of each of so many requests, in order.
    fn ask(&self, path: &str, requests: usize) -> anyhow::Result<Vec<f64>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut connection = Connection::open(&self.account.address).await?;
            let mut times = Vec::with_capacity(requests);
            for at in 0..requests + 5 {
                let request = self.request(path, at);
                let begun = Instant::now();
                let (status, _, body) = connection.exchange(request.as_bytes()).await?;
                let took = begun.elapsed().as_secs_f64() * 1e3;
                anyhow::ensure!(status == 200, "{path}: {status} {}", String::from_utf8_lossy(&body));
                // The first ones warm caches and plans up.
                if at >= 5 {
                    times.push(took);
                }
                debug_assert!(serde_json::from_slice::<Value>(&body).is_ok(), "{path} is answered with JSON");
            }
            times.sort_by(f64::total_cmp);
            Ok(times)
        })
    }

    fn request(&self, path: &str, at: usize) -> String {
        let now = crate::now();
        let day = |days: f64| {
            let at = now - jiff::SignedDuration::from_secs_f64(days * 86_400.0);
            at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
        };
        // Another day, and another incident, each time.
        let begin = 30.0 + (at % 300) as f64;
        let path = path
            .replace("FROM", &day(begin + 10.0))
            .replace("TO", &day(begin))
            .replace("WEEK", &day(7.0))
            .replace("YEAR", &day(365.0))
            .replace("NOW", &day(0.0))
            .replace("NUMBER", &(1 + (at as i64 * 7_919) % self.incidents.max(1)).to_string());
        format!(
            "GET /api/v1{path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\r\n",
            self.account.address, self.account.key
        )
    }
}
