//! The `sre-copilot` command.

use std::process::ExitCode;

use clap::Parser as _;
use copilot::cli::{self, Cli};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            // Help was asked for and is no failure; anything else is wrong usage.
            return ExitCode::from(u8::from(error.use_stderr()));
        }
    };
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        eprintln!("sre-copilot: the TLS library could not be set up");
        return ExitCode::FAILURE;
    }
    match cli::run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sre-copilot: {}", told(&error));
            ExitCode::FAILURE
        }
    }
}

/// The error and its causes, each said once: libraries repeat the cause in their own words.
fn told(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |told, cause| match cause.to_string() {
        cause if told.contains(&cause) => told,
        cause if told.is_empty() => cause,
        cause => format!("{told}: {cause}"),
    })
}
