//! The product's API as a program uses it.

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use crate::wire::Connection;

/// A project with an owner's key, on a server that listens at `address`.
pub struct Account {
    /// `host:port` of the gateway.
    pub address: String,
    /// Its tenant's id.
    pub tenant: String,
    /// The project's id.
    pub project: String,
    /// An API key of its owner.
    pub key: String,
    /// Headers of the owner's browser.
    session: String,
}

impl Account {
    /// Registers the first visitor and makes a key for them.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn register(address: &str) -> anyhow::Result<Self> {
        let body = json!({
            "email": "ana@shop.example", "password": "lantern orchid seventeen tugboat",
            "full_name": "Ana Lee", "tenant_name": "Shop",
        });
        let (head, registered) = exchange(address, "POST", "/api/v1/auth/register", "", Some(&body))?;
        let cookies = head.lines().filter_map(|line| line.split_once(": "));
        let cookies = cookies.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
        let cookies: Vec<&str> = cookies.filter_map(|(_, value)| value.split(';').next()).collect();
        let who = format!("cookie: {}\r\nsec-fetch-site: same-origin\r\n", cookies.join("; "));
        let (tenant, project) = (text(&registered, "/tenant/id")?, text(&registered, "/project/id")?);
        let path = format!("/api/v1/projects/{project}/api-keys");
        let body = json!({"name": "bench", "role": "owner"});
        let (_, made) = exchange(address, "POST", &path, &who, Some(&body))?;
        Ok(Self { address: address.to_owned(), tenant, project, key: text(&made, "/key")?, session: who })
    }

    /// One more project of the same owner, with a key of its own.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn another(&self, name: &str) -> anyhow::Result<Self> {
        let (address, who) = (&self.address, &self.session);
        let (_, made) = exchange(address, "POST", "/api/v1/projects", who, Some(&json!({"name": name})))?;
        let project = text(&made, "/id")?;
        let path = format!("/api/v1/projects/{project}/api-keys");
        let (_, key) =
            exchange(address, "POST", &path, who, Some(&json!({"name": "bench", "role": "owner"})))?;
        let (tenant, session) = (self.tenant.clone(), who.clone());
        Ok(Self { address: address.clone(), tenant, project, key: text(&key, "/key")?, session })
    }

    /// Asks the API and reads its answer.
    ///
    /// # Errors
    /// When it refuses.
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let who = format!("authorization: Bearer {}\r\n", self.key);
        Ok(exchange(&self.address, method, path, &who, body)?.1)
    }

    /// Adds an integration of this kind; returns its webhook token.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn integration(&self, kind: &str, settings: &Value) -> anyhow::Result<String> {
        let path = format!("/api/v1/projects/{}/integrations", self.project);
        let body = json!({"kind": kind, "name": "bench", "settings": settings});
        text(&self.call("POST", &path, Some(&body))?, "/token")
    }
}

/// Whether `GET path` is answered 200.
pub fn answers(address: &str, path: &str) -> bool {
    exchange(address, "GET", path, "", None).is_ok()
}

/// Whether the product works and no webhook waits in its spool.
pub fn has_stored_everything(address: &str) -> bool {
    let ready = request(address, "GET", "/-/ready", "", None);
    ready.is_ok_and(|(status, _, body)| status == 200 && body == b"ready\n")
}

/// The text at `pointer`.
///
/// # Errors
/// When there is none.
pub fn text(value: &Value, pointer: &str) -> anyhow::Result<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    Ok(found.with_context(|| format!("no text at {pointer} of {value}"))?.to_owned())
}

fn exchange(
    address: &str,
    method: &str,
    path: &str,
    headers: &str,
    body: Option<&Value>,
) -> anyhow::Result<(String, Value)> {
    let (status, head, body) = request(address, method, path, headers, body)?;
    if !(200..300).contains(&status) {
        bail!("{method} {path} was answered {status}: {}", String::from_utf8_lossy(&body));
    }
    Ok((head, serde_json::from_slice(&body).unwrap_or(Value::Null)))
}

fn request(
    address: &str,
    method: &str,
    path: &str,
    headers: &str,
    body: Option<&Value>,
) -> anyhow::Result<(u16, String, Vec<u8>)> {
    let body = body.map(Value::to_string).unwrap_or_default();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async { Connection::open(address).await?.exchange(request.as_bytes()).await })
}
