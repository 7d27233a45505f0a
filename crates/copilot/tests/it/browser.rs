//! A browser: it keeps cookies and says where its requests come from.

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::world::{Answer, PASSWORD, World, cookies, read, text};

/// A browser that has signed in.
#[derive(Clone)]
pub struct Browser {
    pub cookies: String,
    pub csrf: String,
    pub base: String,
    http: reqwest::Client,
}

impl Browser {
    /// One that has visited nothing yet.
    pub fn new(world: &World) -> Self {
        let (base, http) = (world.base.clone(), world.http.clone());
        Self { cookies: String::new(), csrf: String::new(), base, http }
    }

    /// One that has visited nothing yet, of the server at this address.
    pub fn at(base: &str) -> Self {
        let (base, http) = (base.to_owned(), crate::world::client());
        Self { cookies: String::new(), csrf: String::new(), base, http }
    }

    /// One in which the owner has signed in.
    pub async fn owner(world: &World) -> Self {
        let mut browser = Self::new(world);
        browser.sign_in("ana@shop.example").await.expect(200);
        browser
    }

    /// Signs in with the password that everybody has.
    pub async fn sign_in(&mut self, email: &str) -> Answer {
        self.visit("/api/v1/auth/login", json!({"email": email, "password": PASSWORD})).await
    }

    /// Posts as our own page, and keeps the cookies of the answer.
    pub async fn visit(&mut self, path: &str, body: Value) -> Answer {
        let answer = self.send(Method::POST, path, Some(body), &[("sec-fetch-site", "same-origin")]).await;
        self.keep(&answer);
        answer
    }

    /// Keeps what an answer sets.
    pub fn keep(&mut self, answer: &Answer) {
        if answer.headers.contains_key("set-cookie") {
            self.cookies = cookies(&answer.headers);
        }
        if let Some(token) = answer.body["csrf_token"].as_str() {
            self.csrf = token.to_owned();
        }
    }

    /// A request with the cookies and these headers.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&'static str, &str)],
    ) -> Answer {
        let mut all = HeaderMap::new();
        if !self.cookies.is_empty() {
            all.insert("cookie", self.cookies.parse().unwrap());
        }
        for (name, value) in headers {
            all.append(*name, value.parse().unwrap());
        }
        let mut request = self.http.request(method, format!("{}{path}", self.base)).headers(all);
        if let Some(body) = body {
            request = request.json(&body);
        }
        read(request.send().await.unwrap()).await
    }

    /// A request of our own page.
    pub async fn page(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.send(method, path, body, &[("sec-fetch-site", "same-origin")]).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, &[]).await
    }

    /// The value of one of the cookies.
    pub fn cookie(&self, name: &str) -> String {
        let pair = self.cookies.split("; ").find(|pair| pair.starts_with(&format!("{name}=")));
        pair.unwrap_or_else(|| panic!("no cookie {name}")).split_once('=').unwrap().1.to_owned()
    }
}

/// Invites somebody to the world's project, who accepts.
pub async fn join(world: &World, email: &str, role: &str) -> Browser {
    let invited =
        world.post("/api/v1/auth/invitations", json!({"email": email, "role": role})).await.expect(201);
    let link = text(&invited["link"]);
    let token = link.split_once('#').unwrap().1;
    let mut browser = Browser::new(world);
    let body = json!({"token": token, "password": PASSWORD, "full_name": email});
    browser.visit("/api/v1/auth/invitations/accept", body).await.expect(200);
    browser
}
