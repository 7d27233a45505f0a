//! Somebody who uses the API of one replica or another, with a key or as a browser.

use anyhow::{Context as _, ensure};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::site::{PASSWORD, Site, text};

/// A program with a key, or a browser with its cookies.
#[derive(Clone, Debug)]
pub struct Caller {
    http: Client,
    header: &'static str,
    value: String,
}

/// What was answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, or null when it is not JSON.
    pub body: Value,
}

impl Answer {
    /// A header's value, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Caller {
    /// A program with `key`.
    pub fn program(http: &Client, key: &str) -> Self {
        Self { http: http.clone(), header: "authorization", value: format!("Bearer {key}") }
    }

    /// A browser in which somebody signs in at `base`.
    ///
    /// # Errors
    /// When they can't.
    pub async fn sign_in(http: &Client, base: &str, email: &str) -> anyhow::Result<Self> {
        let visitor = Self { http: http.clone(), header: "cookie", value: String::new() };
        let body = json!({"email": email, "password": PASSWORD});
        visitor.enter(base, "/api/v1/auth/login", &body).await.map(|(browser, _)| browser)
    }

    /// A browser in which somebody new accepts an invitation to the project of `site`, and their id.
    ///
    /// # Errors
    /// When they can't.
    pub async fn join(site: &Site, email: &str, role: &str) -> anyhow::Result<(Self, String)> {
        let base = site.replicas.first().context("a replica")?.base();
        let owner = Self::program(&site.http, &site.key);
        let wish = json!({"email": email, "role": role});
        let invited = owner.ask(&base, Method::POST, "/api/v1/auth/invitations", Some(&wish), &[]).await?;
        let link = text(&invited.body, "/link")?;
        let (_, token) = link.split_once('#').context("a token behind the link's #")?;
        let visitor = Self { http: site.http.clone(), header: "cookie", value: String::new() };
        let body = json!({"token": token, "password": PASSWORD, "full_name": "Bo Lind"});
        let (browser, answer) = visitor.enter(&base, "/api/v1/auth/invitations/accept", &body).await?;
        Ok((browser, text(&answer.body, "/user/id")?))
    }

    /// Posts what signs somebody in, and keeps the cookies.
    async fn enter(self, base: &str, path: &str, body: &Value) -> anyhow::Result<(Self, Answer)> {
        let answer = self.ask(base, Method::POST, path, Some(body), &[]).await?;
        ensure!(answer.status == 200, "{path} answered {}: {}", answer.status, answer.body);
        Ok((Self { value: cookies(&answer.headers), ..self }, answer))
    }

    /// Takes over the cookies that an answer sets.
    pub fn keep(&mut self, answer: &Answer) {
        if answer.headers.contains_key("set-cookie") {
            self.value = cookies(&answer.headers);
        }
    }

    /// The name and value of the header that says who this is.
    pub fn credential(&self) -> (&'static str, &str) {
        (self.header, &self.value)
    }

    /// Sends a request, as a page of ours would.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn ask(
        &self,
        base: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> anyhow::Result<Answer> {
        let mut request =
            self.http.request(method, format!("{base}{path}")).header("sec-fetch-site", "same-origin");
        if !self.value.is_empty() {
            request = request.header(self.header, &self.value);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = serde_json::from_slice(&answer.bytes().await?).unwrap_or_default();
        Ok(Answer { status, headers, body })
    }
}

/// The cookies that an answer sets, as a browser sends them back.
pub fn cookies(headers: &HeaderMap) -> String {
    let set = headers.get_all("set-cookie").iter();
    let pairs: Vec<&str> = set.filter_map(|value| value.to_str().ok()?.split(';').next()).collect();
    pairs.join("; ")
}
