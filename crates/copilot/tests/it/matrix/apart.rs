//! What belongs to others: absent like what is nowhere, and never told.

use copilot::auth::access::TABLE;
use futures_util::{Stream, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use uuid::Uuid;

use super::stage::{Caller, Cell, Stage, Standing, declared, good_body};
use crate::bodies::document;
use crate::world::text;

/// How long a test waits for what must happen.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

impl Stage {
    /// The path with names that nothing has instead of ours.
    fn nowhere(&self, path: &str) -> String {
        let ours = |part: &&str| self.ids.values().any(|id| id == part);
        let fresh = Uuid::now_v7().to_string();
        let parts: Vec<&str> =
            path.split('/').map(|part| if ours(&part) { fresh.as_str() } else { part }).collect();
        parts.join("/")
    }
}

/// T-G12g: whoever guesses a name learns nothing from the answer.
#[tokio::test]
async fn what_is_anothers_is_answered_as_what_is_nowhere() {
    let stage = Stage::new().await;
    let document = document();
    let (mut wrong, mut compared) = (Vec::new(), 0);
    for row in TABLE.iter().filter(|row| row.path.contains('{')) {
        let path = stage.path(row, false);
        let body = good_body(&document, row);
        for caller in stage.callers.iter().filter(|caller| caller.standing == Standing::Foreign) {
            if declared(row, caller) != Cell::NotFound {
                continue;
            }
            // What is ours as if it were in a project of theirs, too.
            let crossed = path.replace(&stage.ids["project_id"], &caller.own);
            let paths = if row.path.matches('{').count() > 1 {
                vec![path.clone(), crossed]
            } else {
                vec![path.clone()]
            };
            for (door, path) in
                stage.doors(row).iter().flat_map(|door| paths.iter().map(move |path| (door, path)))
            {
                let said = async |path: &str| {
                    let answer =
                        stage.answer(&format!("{door}{path}"), row.method, caller, body.clone()).await;
                    let mut said = answer.body;
                    for name in ["request_id", "instance"] {
                        if let Some(members) = said.as_object_mut() {
                            members.remove(name);
                        }
                    }
                    (answer.status, said)
                };
                let (theirs, none) = (said(path).await, said(&stage.nowhere(path)).await);
                compared += 1;
                if theirs != none {
                    let (method, path, name) = (row.method, row.path, &caller.name);
                    wrong.push(format!("{method} {path} as {name}: {theirs:?}, and nowhere {none:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {compared} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > 200, "only {compared} answers");
    stage.world.end().await;
}

/// T-G12c: everybody asks for a socket of each project; who gets one is told what happens in that project alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_socket_tells_of_one_project_whoever_may_read_it() {
    let stage = Stage::new().await;
    let foreign = |name: &str| {
        let found = stage.callers.iter().find(|caller| caller.name == name);
        found.unwrap_or_else(|| panic!("no {name}"))
    };
    let owners = [foreign("owner's key"), foreign("a neighbour's key"), foreign("another tenant's key")];
    let others = [foreign("a neighbour"), foreign("another tenant")].map(|caller| caller.own.clone());
    let projects = [stage.world.project.clone(), others[0].clone(), others[1].clone()];
    let (mut sockets, mut wrong, mut refused) = (Vec::new(), Vec::new(), 0);
    for caller in &stage.callers {
        for (at, project) in projects.iter().enumerate() {
            let may = match caller.standing {
                Standing::Nobody => 401,
                Standing::Has(_) if at == 0 => 101,
                Standing::Foreign if caller.own.contains(project.as_str()) => 101,
                _ => 404,
            };
            match connect(&stage, caller, project).await {
                Ok(socket) if may == 101 => sockets.push((at, &caller.name, socket)),
                Ok(_) => wrong.push(format!("{} of project {at}: a socket, not {may}", caller.name)),
                Err(status) if status == may => refused += 1,
                Err(status) => wrong.push(format!("{} of project {at}: {status}, not {may}", caller.name)),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(sockets.len() >= 12 && refused > 24, "{} sockets, {refused} refused", sockets.len());
    for title in ["the first", "the last"] {
        for owner in owners {
            let url = format!("{}/api/v1/incidents", stage.world.base);
            stage.answer(&url, "POST", owner, Some(json!({"title": title}))).await.expect(201);
        }
    }
    for (at, name, mut socket) in sockets {
        let told = until_the_last(&mut socket).await;
        assert!(told.iter().any(|event| event.to_string().contains("the first")), "{name}: {told:?}");
        assert!(told.iter().any(|event| event["project_id"].is_string()), "{told:?}");
        for event in told.iter().filter(|event| event["project_id"].is_string()) {
            assert_eq!(text(&event["project_id"]), projects[at], "{name} was told {event}");
        }
    }
    stage.world.end().await;
}

async fn connect(
    stage: &Stage,
    caller: &Caller,
    project: &str,
) -> Result<impl Stream<Item = Result<Message, Error>> + Unpin + use<>, u16> {
    let base = &stage.world.base;
    let url = format!("{}/ws?project_id={project}", base.replacen("http", "ws", 1));
    let mut request = url.into_client_request().unwrap();
    let headers = request.headers_mut();
    if !caller.cookies.is_empty() {
        headers.insert("cookie", caller.cookies.parse().unwrap());
        headers.insert("origin", base.parse().unwrap());
    }
    if !caller.key.is_empty() {
        headers.insert("authorization", format!("Bearer {}", caller.key).parse().unwrap());
    }
    match tokio_tungstenite::connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

/// What comes until there is word of the last incident.
async fn until_the_last(socket: &mut (impl Stream<Item = Result<Message, Error>> + Unpin)) -> Vec<Value> {
    let mut told = Vec::new();
    let listening = async {
        while let Some(message) = socket.next().await {
            let Message::Text(text) = message.unwrap() else { continue };
            let last = text.contains("the last");
            told.push(serde_json::from_str(&text).unwrap());
            if last {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, listening).await.expect("the last incident was not told");
    told
}
