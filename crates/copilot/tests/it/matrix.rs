//! Every route for everybody: what the table of access declares is what happens, at every door.

mod apart;
mod extra;
mod stage;

use copilot::auth::access::{Access, Row, TABLE};
use reqwest::StatusCode;
use serde_json::json;

use crate::bodies::document;
use stage::{Caller, Cell, Stage, Standing, declared, good_body, observed};

/// What was sent and what came of it.
struct Outcome {
    wrong: Vec<String>,
    cells: usize,
    /// Refused changes of people and keys of the world's organisation: each has an entry in its audit log.
    refused: usize,
}

impl Outcome {
    fn new() -> Self {
        Self { wrong: Vec::new(), cells: 0, refused: 0 }
    }

    fn note(&mut self, row: &Row, caller: &Caller, cell: Cell, status: StatusCode) {
        self.cells += 1;
        let changes = !["GET", "HEAD"].contains(&row.method);
        self.refused += usize::from(
            status == StatusCode::FORBIDDEN && changes && row.access != Access::Webhook && caller.is_ours(),
        );
        if observed(status, row, caller) != cell {
            let Row { method, path, .. } = row;
            self.wrong.push(format!("{method} {path} as {}: {cell:?}, but {status}", caller.name));
        }
    }

    #[track_caller]
    fn check(self, least: usize) {
        let Self { wrong, cells, .. } = self;
        assert!(wrong.is_empty(), "{} of {cells} cells are wrong:\n{}", wrong.len(), wrong.join("\n"));
        assert!(cells > least, "only {cells} cells");
    }
}

#[tokio::test]
async fn everybody_may_do_what_the_table_says_and_no_more() {
    let stage = Stage::new().await;
    let document = document();
    let (mut outcome, refused) = (Outcome::new(), stage.refusals().await);
    for row in TABLE {
        for caller in &stage.callers {
            let cell = declared(row, caller);
            if cell == Cell::Elsewhere {
                continue;
            }
            let foreign = caller.standing == Standing::Foreign;
            let path = stage.path(row, row.method == "DELETE" && !foreign && cell == Cell::Passes);
            let body = match row.method {
                "GET" | "DELETE" => None,
                _ if foreign && row.path.contains('{') => good_body(&document, row),
                _ => Some(json!({})),
            };
            let crossed = foreign && row.path.starts_with("/api/v1/projects/{project_id}/");
            for door in stage.doors(row) {
                let url = format!("{door}{path}");
                outcome.note(row, caller, cell, stage.send(&url, row.method, caller, body.clone()).await);
                // What is ours, as if it were in a project of theirs.
                if crossed && row.path.matches('{').count() > 1 {
                    let url = url.replace(&stage.ids["project_id"], &caller.own);
                    let status = stage.send(&url, row.method, caller, body.clone()).await;
                    outcome.note(row, caller, cell, status);
                }
            }
        }
    }
    let recorded = stage.refusals().await - refused;
    if recorded != outcome.refused {
        outcome
            .wrong
            .push(format!("{} refused changes are {recorded} entries of the audit log", outcome.refused));
    }
    outcome.check(2_400);
    stage.world.end().await;
}

#[tokio::test]
async fn cookies_are_for_their_two_routes() {
    let stage = Stage::new().await;
    let mut outcome = Outcome::new();
    for caller in &stage.callers {
        // A session whose access token has expired may still be renewed; one that has ended, or none, may not.
        let cell = match caller.name.as_str() {
            "a stranger" | "an ended session" => Cell::Unauthenticated,
            _ if !caller.key.is_empty() => Cell::Unauthenticated,
            _ => Cell::Passes,
        };
        for path in ["/api/v1/auth/refresh", "/api/v1/auth/logout", "/api/v1/auth/refresh"] {
            let row = TABLE.iter().find(|row| row.path == path).unwrap();
            let url = format!("{}{path}", stage.world.base);
            // Ending a session that has ended is no failure.
            let again = path.ends_with("logout") && caller.name == "an ended session";
            let ended = path.ends_with("refresh") && outcome.cells % 3 == 2;
            let cell = if again {
                Cell::Passes
            } else if ended {
                Cell::Unauthenticated
            } else {
                cell
            };
            outcome.note(row, caller, cell, stage.send(&url, "POST", caller, None).await);
        }
    }
    outcome.check(3 * 16);
    stage.world.end().await;
}

#[tokio::test]
async fn a_project_is_deleted_by_its_owners_alone() {
    let stage = Stage::new().await;
    let path = "/api/v1/projects/{project_id}";
    let delete = TABLE.iter().find(|row| row.path == path && row.method == "DELETE").unwrap();
    let read = TABLE.iter().find(|row| row.path == path && row.method == "GET").unwrap();
    let url = format!("{}{}", stage.world.base, stage.path(delete, false));
    let mut outcome = Outcome::new();
    let last = |caller: &&Caller| caller.name == "owner's key";
    for caller in stage.callers.iter().filter(|caller| !last(caller) && caller.name != "owner") {
        outcome.note(
            delete,
            caller,
            declared(delete, caller),
            stage.send(&url, "DELETE", caller, None).await,
        );
        assert_ne!(declared(delete, caller), Cell::Elsewhere, "{} is no owner", caller.name);
    }
    let owner = stage.callers.iter().find(last).unwrap();
    outcome.note(delete, owner, Cell::Passes, stage.send(&url, "DELETE", owner, None).await);
    for caller in &stage.callers {
        let cell = match caller.standing {
            Standing::Has(_) if caller.key.is_empty() => Cell::NotFound,
            // The project's keys ended with it.
            Standing::Has(_) | Standing::Nobody => Cell::Unauthenticated,
            Standing::Foreign => Cell::NotFound,
        };
        outcome.note(read, caller, cell, stage.send(&url, "GET", caller, None).await);
    }
    outcome.check(30);
    stage.world.end().await;
}

/// Headers and parameters by which some servers let a request pretend to be another.
#[tokio::test]
async fn a_method_is_what_it_says() {
    let stage = Stage::new().await;
    let owner = stage.callers.iter().find(|caller| caller.name == "owner's key").unwrap();
    let mut tried = 0;
    for row in TABLE.iter().filter(|row| row.method == "DELETE" && row.path.contains('{')) {
        let for_keys = |other: &Row| matches!(other.access, Access::Member(_));
        let reads = |other: &&Row| other.path == row.path && other.method == "GET" && for_keys(other);
        if !TABLE.iter().any(|other| reads(&other)) {
            continue;
        }
        let url = format!("{}{}", stage.world.base, stage.path(row, false));
        for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
            let get = stage.world.http.get(format!("{url}?_method=DELETE")).bearer_auth(&owner.key);
            assert_eq!(get.header(name, "DELETE").send().await.unwrap().status(), 200, "{url} {name}");
            let post = stage.world.http.post(&url).bearer_auth(&owner.key).header(name, "DELETE");
            assert_eq!(
                post.json(&json!({"_method": "DELETE"})).send().await.unwrap().status(),
                405,
                "{url} {name}"
            );
            tried += 1;
        }
        assert_eq!(stage.send(&url, "GET", owner, None).await, StatusCode::OK, "{url} is still there");
    }
    assert!(tried >= 6, "{tried}");
    stage.world.end().await;
}

/// An unoffered method, or a path that is only nearly a route, is absent: never done, and never a redirect,
/// which senders follow without their body.
#[tokio::test]
async fn nearly_a_route_is_none() {
    let stage = Stage::new().await;
    let document = document();
    let owner = stage.callers.iter().find(|caller| caller.name == "owner").unwrap();
    let mut wrong = Vec::new();
    for row in TABLE {
        let path = stage.path(row, false);
        let body = if row.method == "PATCH" { good_body(&document, row) } else { None };
        let at = path.rfind('/').unwrap();
        let (parent, leaf) = path.split_at(at);
        let variants = [
            format!("/{path}"),
            format!("{parent}/{leaf}"),
            format!("{path}/"),
            format!("{path}."),
            format!("{path};x=1"),
            format!("{}%2f{}", if parent.is_empty() { "/" } else { parent }, &leaf[1..]),
            format!("{path}/x"),
            path.to_uppercase(),
        ];
        for variant in variants {
            for door in stage.doors(row) {
                let status =
                    stage.send(&format!("{door}{variant}"), row.method, owner, body.clone()).await.as_u16();
                if ![404, 405].contains(&status) {
                    wrong.push(format!("{} {variant} (of {}): {status}", row.method, row.path));
                }
            }
        }
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"] {
            if TABLE.iter().any(|other| other.path == row.path && other.method == method) {
                continue;
            }
            for door in stage.doors(row) {
                let status = stage.send(&format!("{door}{path}"), method, owner, None).await;
                if status != StatusCode::METHOD_NOT_ALLOWED {
                    wrong.push(format!("{method} {}: {status}", row.path));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    stage.world.end().await;
}
