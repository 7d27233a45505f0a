//! Where measurements keep their files, and ports for what they start.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context as _;
use bench::faults::replica::free_ports;
use tempfile::TempDir;

/// A folder of its own on the disk that holds the working directory (not in memory: an fsync must be real),
/// or in `SRE_COPILOT_BENCH_DIR`. Other users may pass through it, since PostgreSQL never runs as root.
///
/// # Errors
/// When it can't be created.
pub fn create() -> anyhow::Result<TempDir> {
    let base = std::env::var_os("SRE_COPILOT_BENCH_DIR")
        .map_or_else(|| PathBuf::from("target/bench"), PathBuf::from);
    std::fs::create_dir_all(&base).with_context(|| format!("creating {}", base.display()))?;
    let base = base.canonicalize()?;
    let folder = tempfile::tempdir_in(&base)?;
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open)?;
    Ok(folder)
}

/// `127.0.0.1:PORT` that nobody listens on.
///
/// # Errors
/// When there is none.
pub fn free_address() -> anyhow::Result<String> {
    Ok(free_ports(1)?.iter().map(|port| format!("127.0.0.1:{port}")).collect())
}

/// Median milliseconds of a 4 KiB write with its fdatasync in `folder`.
///
/// # Errors
/// When nothing can be written there.
pub fn sync_ms(folder: &std::path::Path) -> anyhow::Result<f64> {
    use std::io::Write as _;
    let mut file = std::fs::File::create(folder.join("sync"))?;
    let mut times = Vec::new();
    for _ in 0..50 {
        let begun = Instant::now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok(crate::report::quantile(&times, 0.5))
}
