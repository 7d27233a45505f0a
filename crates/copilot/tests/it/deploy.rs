//! The files of `deploy/`, held against the programs that read them and against the product's own names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use copilot::config::Config;
use copilot::service::Service;
use tempfile::tempdir;

fn deploy(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(file)
}

fn text(file: &str) -> String {
    std::fs::read_to_string(deploy(file)).unwrap()
}

/// Runs a checker, unless this machine does not have it; what it said.
#[track_caller]
#[expect(clippy::print_stdout, reason = "a skipped check says so")]
fn passes(command: &mut Command) -> String {
    match command.output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert!(output.status.success(), "{command:?}: {said}");
            said
        }
        Err(error) => {
            println!("skipped: {}: {error}", command.get_program().display());
            String::new()
        }
    }
}

#[test]
fn prometheus_and_alertmanager_take_their_files() {
    passes(Command::new("promtool").args(["check", "config"]).arg(deploy("prometheus/prometheus.yml")));
    passes(Command::new("promtool").args(["test", "rules"]).arg(deploy("prometheus/rules.test.yml")));
    passes(Command::new("amtool").arg("check-config").arg(deploy("alertmanager/alertmanager.yml")));
}

#[test]
fn every_default_receiver_keeps_what_it_had() {
    let routed = |labels: &str| {
        let mut command = Command::new("amtool");
        command.args(["config", "routes", "test", labels]);
        let output = command.arg("--config.file").arg(deploy("alertmanager/alertmanager.yml")).output();
        output.ok().map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    if let Some(receivers) = routed("severity=warning") {
        assert_eq!(receivers, "sre-copilot,default");
    }
}

/// Has nginx check one of the examples, changed so that it needs neither root nor a certificate of a real name.
#[track_caller]
fn nginx_takes(file: &str, changed: impl Fn(&Path, String) -> Option<String>) {
    let folder = tempdir().unwrap();
    let place = folder.path();
    let (outer, inner) = (place.join("nginx.conf"), place.join("site.conf"));
    let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {}/{name};", place.display()));
    let around = format!(
        "pid {0}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n{1}\ninclude {2};\n}}\n",
        place.display(),
        paths.join("\n"),
        inner.display()
    );
    let Some(site) = changed(place, text(file)) else { return };
    std::fs::write(&inner, site).unwrap();
    std::fs::write(&outer, around).unwrap();
    passes(Command::new("/usr/sbin/nginx").args(["-t", "-e", "stderr", "-c"]).arg(outer));
}

#[test]
fn nginx_takes_its_file() {
    nginx_takes("nginx/sre-copilot.conf", |_, file| Some(file));
}

#[test]
fn nginx_takes_its_file_with_tls() {
    nginx_takes("nginx/sre-copilot-tls.conf", |place, file| {
        let (key, certificate) = (place.join("key.pem"), place.join("certificate.pem"));
        let mut openssl = Command::new("openssl");
        openssl.args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "1",
            "-subj",
            "/CN=localhost",
        ]);
        passes(openssl.arg("-keyout").arg(&key).arg("-out").arg(&certificate));
        if !certificate.exists() {
            return None;
        }
        let letsencrypt = "/etc/letsencrypt/live/sre.example.com";
        let changed = file
            .replace(&format!("{letsencrypt}/fullchain.pem"), &certificate.display().to_string())
            .replace(&format!("{letsencrypt}/privkey.pem"), &key.display().to_string())
            .replace("listen 80;", &format!("listen unix:{}/plain;", place.display()))
            .replace("listen 443 ssl;", &format!("listen unix:{}/tls ssl;", place.display()));
        assert!(!changed.contains("letsencrypt") && changed.matches("listen unix:").count() == 2);
        Some(changed)
    });
}

#[test]
fn both_files_of_nginx_forward_in_the_same_way() {
    let upstream = |file: &str| {
        let all = text(file);
        let map = all[all.find("upstream ").unwrap()..].split("\n}\n\n").nth(1).unwrap().to_owned();
        let server = all[all.rfind("    server_tokens off;").unwrap()..].to_owned();
        (map, server)
    };
    assert_eq!(upstream("nginx/sre-copilot.conf"), upstream("nginx/sre-copilot-tls.conf"));
}

#[test]
fn systemd_takes_its_units() {
    let folder = tempdir().unwrap();
    // The binary is not installed here, and the checker wants it to be.
    let binary = env!("CARGO_BIN_EXE_sre-copilot");
    for (unit, instance) in
        [("sre-copilot.service", "sre-copilot.service"), ("sre-copilot@.service", "sre-copilot@ai.service")]
    {
        let file = text(&format!("systemd/{unit}")).replace("/usr/bin/sre-copilot", binary);
        let copy = folder.path().join(instance);
        std::fs::write(&copy, file).unwrap();
        // What it does not know it tells of, and passes.
        let said = passes(Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(copy));
        assert!(!said.contains("ignoring"), "{said}");
    }
}

/// Words in capitals that look like settings of ours.
fn settings_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    let ours = |word: &&str| {
        ["SRE_COPILOT_", "OPENAI_", "AZURE_OPENAI_"].iter().any(|start| word.starts_with(start))
            || ["DATABASE_URL", "REDIS_URL"].contains(word)
    };
    words.filter(ours).map(str::to_owned).collect()
}

#[test]
fn every_setting_and_service_that_they_name_exists() {
    let (_, shown) = copilot::config::load(None, |_| None).unwrap();
    let names = shown.iter().map(|row| copilot::config::variable(&row.key));
    // Each may also name a file that holds the value.
    let known: BTreeSet<String> = names.flat_map(|name| [format!("{name}_FILE"), name]).collect();
    let files = [
        "compose.yaml",
        "env.example",
        "Dockerfile",
        "systemd/sre-copilot.service",
        "systemd/sre-copilot@.service",
        "helm/sre-copilot/values.yaml",
        "README.md",
    ];
    for file in files {
        let named = settings_in(&text(file));
        let unknown: Vec<_> = named.difference(&known).filter(|name| !name.ends_with('_')).collect();
        assert!(unknown.is_empty(), "{file} names {unknown:?}");
    }
    let (compose, values) = (text("compose.yaml"), text("helm/sre-copilot/values.yaml"));
    let config = Config::defaults().unwrap();
    for service in Service::ALL {
        let port = service.listen(&config).rsplit(':').next().unwrap().to_owned();
        assert!(
            compose.contains(&format!("command: [serve, --services, {}]", service.name())),
            "{service:?}"
        );
        assert!(values.contains(&format!("  {}: {{port: {port},", service.name())), "{service:?}");
        assert!(text("Dockerfile").contains(&format!("0.0.0.0:{port}")), "{service:?}");
    }
}
