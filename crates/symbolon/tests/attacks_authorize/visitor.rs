//! A browser one step at a time: it keeps cookies and follows nothing by itself.

use std::collections::BTreeMap;

use http::{HeaderName, Method, header};
use symbolon::demo::walk::{Answer, Http};
use url::Url;

use crate::support::Product;

#[derive(Clone)]
pub struct Visitor {
    http: Http,
    origin: String,
    pub cookies: BTreeMap<String, String>,
}

/// One answer.
#[derive(Debug)]
pub struct Seen {
    pub status: u16,
    answer: Answer,
}

impl Visitor {
    pub fn new(product: &Product) -> Self {
        Self {
            http: product.http.clone(),
            origin: product.public_url().to_owned(),
            cookies: BTreeMap::new(),
        }
    }

    /// Goes on at another node.
    pub fn move_to(&mut self, origin: &str) {
        self.origin = origin.to_owned();
    }

    /// Opens a path or URL of the product.
    pub async fn get(&mut self, url: &str) -> Seen {
        self.send(Method::GET, url, Vec::new(), String::new()).await
    }

    /// Opens a URL and follows redirects within the product.
    pub async fn follow(&mut self, url: &str) -> Seen {
        let mut seen = self.get(url).await;
        for _ in 0..10 {
            match seen
                .location()
                .filter(|to| to.starts_with('/') || to.starts_with(&self.origin))
            {
                Some(to) => seen = self.get(&to).await,
                None => return seen,
            }
        }
        panic!("redirected in a circle: {seen:?}")
    }

    /// Posts a form, as our own page would.
    pub async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Seen {
        self.post_from("same-origin", path, form).await
    }

    /// Posts a form that a page at some site submits.
    pub async fn post_from(&mut self, site: &str, path: &str, form: &[(&str, &str)]) -> Seen {
        let body = serde_urlencoded::to_string(form).expect("a form");
        let headers = vec![
            (
                header::CONTENT_TYPE,
                "application/x-www-form-urlencoded".to_owned(),
            ),
            (HeaderName::from_static("sec-fetch-site"), site.to_owned()),
        ];
        self.send(Method::POST, path, headers, body).await
    }

    async fn send(
        &mut self,
        method: Method,
        url: &str,
        mut headers: Vec<(HeaderName, String)>,
        body: String,
    ) -> Seen {
        let url = if url.starts_with('/') {
            format!("{}{url}", self.origin)
        } else {
            url.to_owned()
        };
        let pairs: Vec<String> = self
            .cookies
            .iter()
            .map(|(n, v)| format!("{n}={v}"))
            .collect();
        headers.push((header::COOKIE, pairs.join("; ")));
        let answer = self.http.send(method, &url, &headers, body).await;
        let answer = answer.expect("the product answers");
        for value in answer.headers.get_all(header::SET_COOKIE) {
            let text = value.to_str().expect("a cookie is ASCII");
            let (name, rest) = text.split_once('=').expect("a cookie has a name");
            let value = rest.split(';').next().unwrap_or_default();
            match value.is_empty() {
                true => self.cookies.remove(name),
                false => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        Seen {
            status: answer.status.as_u16(),
            answer,
        }
    }
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.answer.header(name)
    }

    pub fn body(&self) -> &str {
        &self.answer.body
    }

    /// Where it leads, if it is a redirect.
    pub fn location(&self) -> Option<String> {
        self.header("location").map(str::to_owned)
    }

    /// A parameter of where it leads.
    pub fn told(&self, name: &str) -> Option<String> {
        let url = Url::parse(&self.location()?).ok()?;
        let mut values = url.query_pairs().filter(|(own, _)| own == name);
        let found = values.next().map(|(_, value)| value.into_owned());
        assert!(values.next().is_none(), "{name} is there twice in {url}");
        found
    }

    /// A hidden field of the first form that has it.
    #[track_caller]
    pub fn hidden(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let found = self
            .body()
            .split_once(&start)
            .and_then(|(_, rest)| rest.split('"').next());
        found
            .unwrap_or_else(|| panic!("no field {name} in {}", self.body()))
            .to_owned()
    }

    /// A page of ours that names the error; nobody is redirected (AS-23).
    #[track_caller]
    pub fn assert_page(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{}", self.body());
        assert_eq!(self.header("location"), None);
        assert_eq!(
            self.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        assert!(
            self.body().contains(&format!("<code>{code}</code>")),
            "{}",
            self.body()
        );
        self.assert_guarded();
    }

    /// The client is told, with `state` and `iss` and without a code (AS-28, AS-29).
    #[track_caller]
    pub fn assert_told(&self, product: &Product, error: &str) {
        assert_eq!(self.status, 303, "{}", self.body());
        assert_eq!(
            self.told("error").as_deref(),
            Some(error),
            "{:?}",
            self.location()
        );
        assert_eq!(self.told("iss"), Some(product.authorization_server()));
        assert_eq!(self.told("code"), None);
        assert_eq!(self.header("cache-control"), Some("no-store"));
    }

    /// No page can be framed, cached or scripted (N-019).
    #[track_caller]
    pub fn assert_guarded(&self) {
        let policy = self.header("content-security-policy").unwrap_or_default();
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(policy.contains("default-src 'none'"), "{policy}");
        assert_eq!(self.header("x-frame-options"), Some("DENY"));
        assert_eq!(self.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(self.header("cache-control"), Some("no-store"));
    }
}
