//! The rules of the house that can be read off the text: each with a sample that must turn it red.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

mod tidy {
    pub mod contract;
    pub mod data;
    pub mod imports;
    pub mod metric;
    pub mod shape;
    pub mod text;
    pub mod words;
}

use tidy::text::{File, repository};
use tidy::{contract, data, imports, metric, shape, words};

/// Finds what breaks a rule, as `path:line: what`.
type Rule = fn(&[File]) -> Vec<String>;

/// Holds the repository against `rule`.
fn holds(rule: Rule) {
    let broken = rule(&repository());
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Holds `rule` against a sample of files and expects it to name exactly these places.
fn reports(rule: Rule, sample: &[(&str, &str)], places: &[&str]) {
    let files: Vec<File> = sample.iter().map(|(path, text)| File::new(path, text)).collect();
    let found = rule(&files);
    let named = found.len() == places.len()
        && found.iter().zip(places).all(|(found, place)| found.starts_with(&format!("{place}: ")));
    assert!(named, "expected {places:?}, found {found:#?}");
}

#[test]
fn a_file_answers_one_question() {
    holds(shape::long_files);
    let (long, fits) = ("x\n".repeat(401), "x\n".repeat(400));
    let sample =
        [("src/a.rs", long.as_str()), ("src/b.rs", &fits), ("web/c.tsx", &fits), ("web/d.gen.ts", &fits)];
    reports(shape::long_files, &sample, &["src/a.rs:401", "web/c.tsx:400"]);
}

#[test]
fn a_crate_is_only_for_what_does_not_know_the_product() {
    holds(shape::too_many_crates);
    let six = "[workspace]\nmembers = [\"1\", \"2\", \"3\",\n \"4\", \"5\", \"6\"]\n";
    let seven = six.replace("\"6\"", "\"6\", \"7\"");
    reports(shape::too_many_crates, &[("Cargo.toml", six)], &[]);
    reports(shape::too_many_crates, &[("Cargo.toml", &seven)], &["Cargo.toml:2"]);
}

#[test]
fn names_say_what_a_thing_is() {
    holds(shape::banned_names);
    let sample = [
        ("crates/a/src/utils.rs", "struct Fine;\n"),
        ("crates/a/src/common/x.rs", "struct Fine;\n"),
        (
            "crates/a/src/x.rs",
            "struct Alertmanager;\npub struct AlertManager<T>;\nenum ErrorHandler {}\nmod shared;\n",
        ),
        ("frontend/src/api/helpers.ts", ""),
        ("frontend/src/x.ts", "export interface PageHelpers {\n"),
    ];
    let places = [
        "crates/a/src/utils.rs:1",
        "crates/a/src/common/x.rs:1",
        "crates/a/src/x.rs:2",
        "crates/a/src/x.rs:3",
        "crates/a/src/x.rs:4",
        "frontend/src/api/helpers.ts:1",
        "frontend/src/x.ts:1",
    ];
    reports(shape::banned_names, &sample, &places);
}

#[test]
fn imports_point_forward() {
    holds(imports::backward);
    let src = |module: &str| format!("crates/copilot/src/{module}");
    let sample = [
        (src("incident/mod.rs"), "use crate::auth::Member;\nuse crate::{ai, ids};\n"),
        (src("integration/work.rs"), "use crate::incident;\nlet x = crate::websocket::Hub::new();\n"),
        (
            src("websocket/hub.rs"),
            "// crate::ai is not meant\nuse crate::event;\nuse crate::incident::State;\n",
        ),
        (src("ai/mod.rs"), "use crate::incident;\nuse crate::{\n    ids::TenantId,\n    gateway,\n};\n"),
        (src("auth/mod.rs"), "use crate::service::Service;\n#[cfg(test)]\nmod tests {\n use crate::ai;\n}\n"),
        (src("app.rs"), "use crate::gateway::Limits;\n"),
        (src("page.rs"), "use crate::incident;\n"),
    ];
    let sample: Vec<(&str, &str)> = sample.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let places = [
        "incident/mod.rs:2",
        "integration/work.rs:2",
        "websocket/hub.rs:3",
        "ai/mod.rs:4",
        "auth/mod.rs:1",
        "page.rs:1",
    ];
    let places: Vec<String> = places.iter().map(|place| src(place)).collect();
    reports(imports::backward, &sample, &places.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn each_door_has_one_file() {
    holds(imports::other_doors);
    let sample = [
        ("crates/copilot/src/outbound.rs", "use reqwest::Client;\n"),
        ("crates/llm/src/endpoint.rs", "use reqwest::Client;\n"),
        ("crates/copilot/src/gateway/forward.rs", "use tokio_tungstenite::connect_async;\n"),
        ("crates/copilot/src/auth/mod.rs", "// reqwest\nuse reqwest::Client;\n"),
        ("crates/copilot/src/ai/x.rs", "let s = tokio_tungstenite::accept();\n"),
        ("crates/copilot/src/redis/link.rs", "use ::redis::Client;\n"),
        ("crates/copilot/src/ai/y.rs", "use crate::redis::Redis;\nlet x = ::redis::cmd(\"GET\");\n"),
        ("crates/copilot/src/websocket/tests.rs", "use tokio_tungstenite::x;\n"),
    ];
    reports(
        imports::other_doors,
        &sample,
        &["crates/copilot/src/auth/mod.rs:2", "crates/copilot/src/ai/x.rs:1", "crates/copilot/src/ai/y.rs:2"],
    );
}

#[test]
fn sql_lives_in_stores() {
    holds(data::scattered_sql);
    let sql =
        "fn f() {\n    sqlx::query_as(\"select 1\");\n}\n#[cfg(test)]\nmod tests {\n sqlx::query(\"\");\n}\n";
    let sample = [
        ("crates/copilot/src/incident/store.rs", sql),
        ("crates/outbox/src/event.rs", sql),
        ("crates/copilot/src/health.rs", sql),
        ("crates/copilot/src/incident/routes.rs", sql),
    ];
    reports(data::scattered_sql, &sample, &["crates/copilot/src/incident/routes.rs:2"]);
}

#[test]
fn the_tenant_comes_first() {
    holds(data::stores_without_tenant);
    let store = "pub async fn good(tx: &mut Tx, tenant: TenantId, id: Id) {}\n\
                 pub fn pure(count: i64) {}\n\
                 pub async fn bad(tx: &mut Tx, id: Id, tenant: TenantId) {}\n\
                 async fn worse(\n    db: &Db,\n    ids: &BTreeMap<A, B>,\n) {}\n\
                 pub(super) async fn none(tx: &mut Tx) {}\n";
    let sample =
        [("crates/copilot/src/incident/store.rs", store), ("crates/copilot/src/incident/work.rs", store)];
    let path = "crates/copilot/src/incident/store.rs";
    let places = [format!("{path}:3"), format!("{path}:4"), format!("{path}:8")];
    reports(data::stores_without_tenant, &sample, &places.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn both_databases_have_the_same_tables() {
    holds(data::unequal_migrations);
    let (sqlite, postgres) = ("migrations/sqlite/1.sql", "migrations/postgres/1.sql");
    let table = "create table a (\n    x blob, -- why\n    primary key (x)\n) strict;\n";
    let same =
        "create table a (\n    x uuid,\n    primary key (x)\n);\nalter table a enable row level security;\n";
    let more = "create table a (\n    x uuid,\n    y uuid,\n    primary key (x)\n);\n";
    reports(data::unequal_migrations, &[(sqlite, table), (postgres, same)], &[]);
    reports(data::unequal_migrations, &[(sqlite, table), (postgres, more)], &["migrations/postgres/1.sql:3"]);
    reports(data::unequal_migrations, &[(sqlite, more), (postgres, table)], &["migrations/sqlite/1.sql:3"]);
    let added = "alter table a add column z integer;\n";
    let sample = [(sqlite, table), (postgres, same), ("migrations/sqlite/2.sql", added)];
    reports(data::unequal_migrations, &sample, &["migrations/sqlite/2.sql:1", "migrations/sqlite/2.sql:1"]);
}

#[test]
fn every_setting_is_explained() {
    holds(contract::unequal_settings);
    let file = "# A key.\nllm_model = \"x\"\nextra = 1\n";
    let code = "pub struct Other {\n    pub no: u8,\n}\npub struct Config {\n    pub llm_model: String,\n    pub lost: u32,\n}\n";
    let sample = [("crates/copilot/config.default.toml", file), ("crates/copilot/src/config.rs", code)];
    let places = ["crates/copilot/config.default.toml:3", "crates/copilot/src/config.rs:6"];
    reports(contract::unequal_settings, &sample, &places);
}

#[test]
fn what_is_recorded_is_in_the_table() {
    holds(metric::unknown);
    holds(metric::unrecorded);
    let code = "metrics::counter!(\"sre_copilot_panics_total\").increment(1);\n\
                metrics::counter!(\"sre_copilot_made_up_total\").increment(1);\n\
                metrics::gauge!(\"sre_copilot_panics_total\").set(1.0);\n\
                metrics::counter!(\n    \"sre_copilot_panics_total\",\n    \"tenant\" => id)\n\
                histogram!(name, \"x\" => y);\n\
                counter!(\"sre_copilot_wakes_total\", \"direction\" => of(\"told\"));\n";
    let sample = [("crates/copilot/src/a.rs", code)];
    let place = |line: usize| format!("crates/copilot/src/a.rs:{line}");
    let places = [2, 3, 4, 7].map(place);
    reports(metric::unknown, &sample, &places.each_ref().map(String::as_str));
}

#[test]
fn the_licence_is_there() {
    holds(contract::missing_licence);
    let manifest = "[workspace.package]\nlicense = \"Apache-2.0\"\n";
    let licence = "Apache License\nVersion 2.0, January 2004\n";
    reports(contract::missing_licence, &[("Cargo.toml", manifest), ("LICENSE", licence)], &[]);
    reports(contract::missing_licence, &[("Cargo.toml", manifest)], &["LICENSE:1"]);
    let other = [("Cargo.toml", "license = \"MIT\"\n"), ("LICENSE", licence)];
    reports(contract::missing_licence, &other, &["Cargo.toml:1"]);
}

#[test]
fn nothing_is_left_for_later() {
    holds(words::unfinished);
    let sample = [
        ("a.rs", "fn mastodon() {}\n// TODO: later\n"),
        ("b.rs", "todo!()\nunimplemented!()\n"),
        ("c.ts", "// FIXME\n"),
        ("d.sql", "-- XXX\n"),
    ];
    reports(words::unfinished, &sample, &["a.rs:2", "b.rs:1", "b.rs:2", "c.ts:1", "d.sql:1"]);
}

#[test]
fn no_test_is_switched_off() {
    holds(words::ignored_tests);
    let sample = [
        ("a.rs", "#[test]\n#[ignore = \"slow\"]\n"),
        ("b.spec.ts", "it.only('x')\ntest.skip('y')\nit('z')\n"),
    ];
    reports(words::ignored_tests, &sample, &["a.rs:2", "b.spec.ts:1", "b.spec.ts:2"]);
}

#[test]
fn tests_do_not_sleep() {
    holds(words::sleeping_tests);
    let sleeps = "fn f() {\n    tokio::time::sleep(x).await;\n}\n#[cfg(test)]\nmod tests {\n    std::thread::sleep(x);\n}\n";
    let sample = [
        ("crates/a/src/a.rs", sleeps),
        ("crates/a/tests/b.rs", "sleep(x).await;\nsleepy(x);\n"),
        ("crates/a/src/tests.rs", "sleep_until(x)\n"),
    ];
    let places = ["crates/a/src/a.rs:6", "crates/a/tests/b.rs:1", "crates/a/src/tests.rs:1"];
    reports(words::sleeping_tests, &sample, &places);
}

#[test]
fn no_machine_is_named() {
    holds(words::machine_paths);
    let sample = [
        ("README.md", concat!("See /wo", "rk/main/x.\n/usr/work/x is fine, and so is a/root/b\n")),
        ("a.rs", concat!("\"/ro", "ot/.cargo\"\n")),
    ];
    reports(words::machine_paths, &sample, &["README.md:1", "a.rs:1"]);
}

#[test]
fn the_repository_was_really_read() {
    let files = repository();
    for path in [
        "crates/copilot/src/app.rs",
        "crates/copilot/src/incident/store.rs",
        "migrations/sqlite/0001_foundation.sql",
        "Cargo.toml",
    ] {
        assert!(files.iter().any(|file| file.path() == path), "{path}");
    }
}
