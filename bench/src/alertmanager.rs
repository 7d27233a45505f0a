//! A real Alertmanager to compare with.

use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

use crate::child::Process;
use crate::{api, folder};

/// Groups as a site does, and notifies nobody.
const CONFIGURATION: &str = "\
route:
  receiver: nobody
  group_by: [alertname, service]
receivers:
  - name: nobody
";

/// Where it takes alerts.
pub const PATH: &str = "/api/v2/alerts";

/// A running Alertmanager.
pub struct Alertmanager {
    /// The process.
    pub process: Process,
    /// `host:port`.
    pub address: String,
}

impl Alertmanager {
    /// Starts it with its data in `folder` and waits until it is ready.
    ///
    /// # Errors
    /// When it is not installed or does not become ready.
    pub fn start(folder: &Path) -> anyhow::Result<Self> {
        let program = program(&["prometheus-alertmanager", "alertmanager"])?;
        let (configuration, address) = (folder.join("alertmanager.yml"), folder::free_address()?);
        std::fs::write(&configuration, CONFIGURATION)?;
        let mut command = Command::new(program);
        command.args(["--cluster.listen-address=", "--log.level=warn"]);
        command.arg(format!("--config.file={}", configuration.display()));
        command.arg(format!("--storage.path={}", folder.join("alertmanager").display()));
        command.arg(format!("--web.listen-address={address}"));
        let mut process = Process::start("Alertmanager", &mut command, &folder.join("alertmanager.log"))?;
        process.wait_until(|| api::answers(&address, "/-/ready"))?;
        Ok(Self { process, address })
    }
}

/// The first of `names` that is in PATH or `/usr/bin`.
///
/// # Errors
/// When none is.
pub fn program(names: &[&str]) -> anyhow::Result<std::path::PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([Path::new("/usr/bin").to_owned()]);
    let mut places = folders.flat_map(|folder| names.iter().map(move |name| folder.join(name)));
    places.find(|place| place.is_file()).with_context(|| format!("{} is not installed", names.join(" or ")))
}
