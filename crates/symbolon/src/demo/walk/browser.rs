//! A browser without JavaScript: keeps cookies, follows redirects, submits plain forms.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use hyper::Method;
use hyper::header;
use url::Url;

use super::http::{Answer, Http};

/// More steps than any sign-in has.
const MAX_STEPS: usize = 20;

/// A person in front of a browser.
pub struct Browser {
    http: Http,
    /// Cookies by host and port: two servers on loopback are two sites here.
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

/// A page that was shown.
pub struct Page {
    /// Where it is.
    pub url: Url,
    /// The answer.
    pub answer: Answer,
}

impl Browser {
    /// A browser without any cookie.
    #[must_use]
    pub fn new(http: Http) -> Self {
        Self {
            http,
            cookies: BTreeMap::new(),
        }
    }

    /// Opens a URL and goes on, filling forms from `fields`, until it is sent to an address that
    /// begins with `until`.
    ///
    /// # Errors
    /// A page without a form, an answer that is neither page nor redirect, or too many steps.
    pub async fn walk(&mut self, start: &str, until: &str, fields: &[(&str, &str)]) -> Result<Url> {
        let mut page = self.open(Url::parse(start)?, until).await?;
        for _ in 0..MAX_STEPS {
            if page.url.as_str().starts_with(until) {
                return Ok(page.url);
            }
            page = self.submit(&page, until, fields).await?;
        }
        bail!("still at {} after {MAX_STEPS} forms", page.url)
    }

    /// Opens a URL and follows redirects to a page, or to an address that begins with `until`.
    ///
    /// # Errors
    /// A server that does not answer, or a redirect without an address.
    pub async fn open(&mut self, url: Url, until: &str) -> Result<Page> {
        self.request(Method::GET, url, String::new(), until).await
    }

    async fn submit(&mut self, page: &Page, until: &str, fields: &[(&str, &str)]) -> Result<Page> {
        let form = Form::first(&page.answer.body).with_context(|| {
            format!("{} shows no form (status {})", page.url, page.answer.status)
        })?;
        let mut target = page.url.join(&form.action)?;
        let body = serde_urlencoded::to_string(form.filled(fields))?;
        if form.method == Method::GET {
            target.set_query(Some(&body));
            return self
                .request(Method::GET, target, String::new(), until)
                .await;
        }
        self.request(Method::POST, target, body, until).await
    }

    async fn request(
        &mut self,
        mut method: Method,
        mut url: Url,
        mut body: String,
        until: &str,
    ) -> Result<Page> {
        for _ in 0..MAX_STEPS {
            let headers = self.headers(&method, &url);
            let answer = self.http.send(method, url.as_str(), &headers, body).await?;
            self.keep_cookies(&url, &answer);
            if !answer.status.is_redirection() {
                return Ok(Page { url, answer });
            }
            let location = answer
                .header("location")
                .context("a redirect without Location")?;
            url = url.join(location)?;
            if url.as_str().starts_with(until) {
                return Ok(Page { url, answer });
            }
            (method, body) = (Method::GET, String::new());
        }
        bail!("redirected more than {MAX_STEPS} times, at last to {url}")
    }

    fn headers(&self, method: &Method, url: &Url) -> Vec<(header::HeaderName, String)> {
        let mut headers = Vec::new();
        if let Some(cookies) = self.cookies.get(url.authority()) {
            let pairs: Vec<String> = cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
            headers.push((header::COOKIE, pairs.join("; ")));
        }
        if method == Method::POST {
            let kind = "application/x-www-form-urlencoded".to_owned();
            headers.push((header::CONTENT_TYPE, kind));
            headers.push((header::ORIGIN, url.origin().ascii_serialization()));
            headers.push((
                header::HeaderName::from_static("sec-fetch-site"),
                "same-origin".to_owned(),
            ));
        }
        headers
    }

    fn keep_cookies(&mut self, url: &Url, answer: &Answer) {
        let kept = self.cookies.entry(url.authority().to_owned()).or_default();
        for value in answer.headers.get_all(header::SET_COOKIE) {
            let Some((name, rest)) = value.to_str().ok().and_then(|text| text.split_once('='))
            else {
                continue;
            };
            let value = rest.split(';').next().unwrap_or_default();
            if rest.to_ascii_lowercase().contains("max-age=0") {
                kept.remove(name);
            } else {
                kept.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// The first form of a page.
struct Form {
    action: String,
    method: Method,
    inputs: Vec<(String, String)>,
}

impl Form {
    fn first(html: &str) -> Result<Self> {
        let start = html.find("<form").context("no <form>")?;
        let html = &html[start..];
        let inner = &html[..html.find("</form>").context("a <form> without end")?];
        let (opening, inner) = inner
            .split_once('>')
            .context("a <form> that is not closed")?;
        let post = attribute(opening, "method").is_some_and(|m| m.eq_ignore_ascii_case("post"));
        let mut inputs: Vec<(String, String)> = tags(inner, "<input")
            .filter(|tag| attribute(tag, "type").as_deref() != Some("submit"))
            .filter_map(|tag| {
                Some((
                    attribute(tag, "name")?,
                    attribute(tag, "value").unwrap_or_default(),
                ))
            })
            .collect();
        // Of several buttons a person who agrees presses the first.
        let mut buttons = tags(inner, "<button").filter_map(|tag| {
            Some((
                attribute(tag, "name")?,
                attribute(tag, "value").unwrap_or_default(),
            ))
        });
        inputs.extend(buttons.next());
        ensure!(post || !inputs.is_empty(), "an empty form");
        Ok(Self {
            action: attribute(opening, "action").unwrap_or_default(),
            method: if post { Method::POST } else { Method::GET },
            inputs,
        })
    }

    fn filled(&self, fields: &[(&str, &str)]) -> Vec<(String, String)> {
        let fill = |(name, value): &(String, String)| {
            let given = fields.iter().find(|(field, _)| field == name);
            let value = given.map_or(value.clone(), |(_, given)| (*given).to_owned());
            (name.clone(), value)
        };
        self.inputs.iter().map(fill).collect()
    }
}

fn tags<'a>(html: &'a str, opening: &'a str) -> impl Iterator<Item = &'a str> {
    html.match_indices(opening)
        .filter_map(|(at, _)| html[at..].split_once('>').map(|(tag, _)| tag))
}

/// An attribute's value with its character references resolved.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let marker = format!(" {name}=\"");
    let rest = &tag[tag.find(&marker)? + marker.len()..];
    let value = &rest[..rest.find('"')?];
    let references = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&#38;", "&"),
        ("&amp;", "&"),
    ];
    Some(
        references
            .iter()
            .fold(value.to_owned(), |text, (from, to)| text.replace(from, to)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_filled_and_its_hidden_inputs_stay() {
        let html = r#"<p><form method="post" action="/next?a=1&amp;b=2">
            <input type="hidden" name="csrf" value="x"><input name="email" value="">
            <button name="choice" value="allow">Allow</button>
            <button name="choice" value="deny">Deny</button></form>"#;
        let form = Form::first(html).unwrap();
        assert_eq!(form.action, "/next?a=1&b=2");
        let filled = form.filled(&[("email", "ada@acme.example")]);

        let wanted = [
            ("csrf", "x"),
            ("email", "ada@acme.example"),
            ("choice", "allow"),
        ];
        let wanted: Vec<(String, String)> = wanted
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        assert_eq!(filled, wanted);
    }
}
