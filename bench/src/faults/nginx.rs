//! The nginx that we recommend, in front of two replicas: the file that we ship, with other ports.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpStream;

use super::process::Process;
use super::{replica, until};

/// The example of `deploy/`.
const EXAMPLE: &str = include_str!("../../../deploy/nginx/sre-copilot.conf");

/// A running nginx.
#[derive(Debug)]
pub struct Nginx {
    address: String,
    _process: Process,
}

impl Nginx {
    /// Starts it in `folder`, in front of the gateways at two addresses.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub async fn start(folder: &Path, gateways: &[String]) -> anyhow::Result<Self> {
        let [first, second] = gateways else { anyhow::bail!("two gateways") };
        let port = replica::free_ports(1)?.first().copied().context("a port")?;
        let address = format!("127.0.0.1:{port}");
        let example = EXAMPLE
            .replace("127.0.0.1:8500", first)
            .replace("127.0.0.1:8510", second)
            .replace("127.0.0.1:8080", &address);
        let place = folder.display();
        let kept = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {place}/nginx-{name};"))
            .join("\n");
        let file = folder.join("nginx.conf");
        let all = format!(
            "daemon off;\nmaster_process off;\npid {place}/nginx.pid;\nerror_log {place}/nginx.log;\n\
             events {{ worker_connections 1024; }}\nhttp {{\naccess_log off;\n{kept}\n{example}\n}}\n"
        );
        std::fs::write(&file, all)?;
        // Debian has it where only root looks.
        let program = Path::new("/usr/sbin/nginx");
        let mut command = Command::new(if program.exists() { program } else { Path::new("nginx") });
        command.arg("-p").arg(folder).arg("-e").arg(folder.join("nginx.log")).arg("-c").arg(&file);
        let mut process = Process::start("nginx", &mut command, &folder.join("nginx.out"))?;
        let listens = until(Duration::from_secs(60), async || {
            if let Some(status) = process.ended()? {
                let said = std::fs::read_to_string(folder.join("nginx.log")).unwrap_or_default();
                anyhow::bail!("nginx ended early: {status}: {said}");
            }
            Ok(TcpStream::connect(&address).await.ok())
        });
        listens.await?.context("nginx did not start")?;
        Ok(Self { address, _process: process })
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }
}
