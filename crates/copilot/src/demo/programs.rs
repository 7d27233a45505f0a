//! The programs that the demo runs beside itself, and where they are.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::bail;

/// Where the programs are.
pub struct Programs {
    /// Prometheus.
    pub prometheus: PathBuf,
    /// Its tool, which writes blocks.
    pub promtool: PathBuf,
    /// Alertmanager.
    pub alertmanager: PathBuf,
    /// util-linux' setpriv, with which children die with us even when we are killed; the demo works without.
    pub setpriv: Option<PathBuf>,
}

impl Programs {
    /// Looks in the folders of `path` (as in the variable PATH) and then in `/usr/bin`.
    ///
    /// # Errors
    /// Names everything that is missing, and the packages that have it.
    pub fn find(path: Option<&OsStr>) -> anyhow::Result<Self> {
        let mut folders: Vec<PathBuf> =
            path.map(|path| std::env::split_paths(path).collect()).unwrap_or_default();
        folders.push(PathBuf::from("/usr/bin"));
        Self::find_in(&folders)
    }

    fn find_in(folders: &[PathBuf]) -> anyhow::Result<Self> {
        let find = |names: &[&str]| {
            let places = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
            places.into_iter().find(|place| is_program(place))
        };
        // Debian calls Alertmanager's program by its package's name.
        let found =
            (find(&["prometheus"]), find(&["promtool"]), find(&["alertmanager", "prometheus-alertmanager"]));
        if let (Some(prometheus), Some(promtool), Some(alertmanager)) = found {
            return Ok(Self { prometheus, promtool, alertmanager, setpriv: find(&["setpriv"]) });
        }
        let missing = [("prometheus", found.0), ("promtool", found.1), ("alertmanager", found.2)]
            .into_iter()
            .filter_map(|(name, place)| place.is_none().then_some(name));
        let missing = missing.collect::<Vec<_>>().join(", ");
        bail!(
            "the demo runs a real Prometheus and Alertmanager, and {missing} can't be found in PATH or /usr/bin; \
             on Debian or Ubuntu: apt-get install prometheus prometheus-alertmanager"
        )
    }
}

fn is_program(place: &Path) -> bool {
    place.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let place = folder.path().join(name);
            std::fs::write(&place, "").unwrap();
            std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        folder
    }

    #[test]
    fn what_is_missing_is_named_with_its_packages() {
        let folder = folder_with(&["promtool"]);
        let error = Programs::find_in(&[folder.path().to_owned()]).err().unwrap().to_string();
        assert!(error.contains("and prometheus, alertmanager can't be found"), "{error}");
        assert!(error.contains("apt-get install prometheus prometheus-alertmanager"), "{error}");
    }

    #[test]
    fn debian_names_are_known_and_plain_files_are_no_programs() {
        let folder = folder_with(&["prometheus", "promtool", "prometheus-alertmanager"]);
        std::fs::write(folder.path().join("alertmanager"), "notes").unwrap();
        let programs = Programs::find_in(&[folder.path().to_owned()]).unwrap();
        assert_eq!(programs.alertmanager, folder.path().join("prometheus-alertmanager"));
        assert_eq!(programs.setpriv, None);
    }
}
