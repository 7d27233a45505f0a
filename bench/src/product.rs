//! The release binary, as an operator runs it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::bail;
use bench::faults::replica::free_ports;

use crate::api;
use crate::child::Process;

/// The services, each with a port of its own.
const SERVICES: [&str; 6] = ["GATEWAY", "AUTH", "INCIDENT", "AI", "INTEGRATION", "WEBSOCKET"];

/// A running `sre-copilot serve`.
pub struct Product {
    /// The process.
    pub process: Process,
    /// `host:port` of the gateway.
    pub gateway: String,
    /// `host:port` of the service that pushes events.
    pub websocket: String,
    /// From the start of the process to its being ready.
    pub ready_after: Duration,
}

impl Product {
    /// Starts the binary with its data in `folder` and waits until it is ready.
    ///
    /// # Errors
    /// When it is not built, or does not become ready.
    pub fn start(binary: &Path, folder: &Path, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        if !binary.is_file() {
            bail!("{} is not there: run `make build` first", binary.display());
        }
        let mut addresses = Vec::new();
        let mut command = Command::new(binary);
        command.arg("serve").env_clear().env("SRE_COPILOT_DATA_DIR", folder.join("data"));
        // Any random 32 bytes: nothing here is secret, and PostgreSQL asks for them.
        command.env("SRE_COPILOT_MASTER_KEY", "JslIPjOFqt96rSOcVMhIXxSNmt1ZW5bdcnmOtskZWL0=");
        command.env("SRE_COPILOT_LOG_LEVEL", "warn").env("SRE_COPILOT_API_REQUESTS_PER_MINUTE", "0");
        for (service, port) in SERVICES.into_iter().zip(free_ports(SERVICES.len())?) {
            let address = format!("127.0.0.1:{port}");
            command.env(format!("SRE_COPILOT_{service}_LISTEN"), &address);
            addresses.push(address);
        }
        command.envs(settings.iter().copied());
        let mut process = Process::start("sre-copilot", &mut command, &folder.join("sre-copilot.log"))?;
        let mut addresses = addresses.into_iter();
        let gateway = addresses.next().unwrap_or_default();
        let ready_after = process.wait_until(|| api::answers(&gateway, "/-/ready"))?;
        let websocket = addresses.last().unwrap_or_default();
        Ok(Self { process, gateway, websocket, ready_after })
    }
}

/// The binary that `make build` leaves, or the one that `SRE_COPILOT_BINARY` names.
pub fn binary() -> PathBuf {
    std::env::var_os("SRE_COPILOT_BINARY")
        .map_or_else(|| PathBuf::from("target/release/sre-copilot"), PathBuf::from)
}
