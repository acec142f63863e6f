//! An answer, and what every answer of these endpoints must be.

use serde_json::Value;
use symbolon::demo::walk::Answer;

/// An answer of the product.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    answer: Answer,
}

impl Reply {
    pub fn new(answer: Answer) -> Self {
        Self {
            status: answer.status.as_u16(),
            answer,
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.answer.header(name)
    }

    pub fn body(&self) -> &str {
        &self.answer.body
    }

    pub fn json(&self) -> Value {
        self.answer.json()
    }

    /// A member of the body.
    #[track_caller]
    pub fn text(&self, member: &str) -> String {
        let json = self.json();
        let text = json[member].as_str().map(str::to_owned);
        text.unwrap_or_else(|| panic!("{member} is not a text in {}", self.body()))
    }

    /// The status, and that no cache keeps the answer.
    #[track_caller]
    pub fn assert_status(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", self.body());
        assert_eq!(
            self.header("cache-control"),
            Some("no-store"),
            "{}",
            self.body()
        );
        self
    }

    /// Tokens were issued.
    #[track_caller]
    pub fn assert_issued(&self) -> &Self {
        self.assert_status(200);
        assert!(self.json()["access_token"].is_string(), "{}", self.body());
        assert!(
            self.json()["scope"].is_string(),
            "scope is always stated: {}",
            self.body()
        );
        self
    }

    /// A refusal in the shape of RFC 6749 §5.2, with nothing in it but the code and fixed texts.
    #[track_caller]
    pub fn assert_refused(&self, status: u16, error: &str) -> &Self {
        self.assert_status(status);
        let json = self.json();
        assert_eq!(json["error"], error, "{}", self.body());
        assert_eq!(
            self.header("content-type"),
            Some("application/json"),
            "{}",
            self.body()
        );
        let members = json.as_object().expect("a refusal is an object");
        let known = ["error", "error_description", "acr_values", "max_age"];
        for member in members.keys() {
            assert!(
                known.contains(&member.as_str()),
                "{member} in {}",
                self.body()
            );
        }
        self
    }
}
