//! An answer of the gateway, read whole.

use axum::response::Response;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use symbolon_protocol::challenge::Challenge;

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn read(response: Response) -> Self {
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Self {
            status: head.status,
            headers: head.headers,
            body,
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn challenge(&self) -> Option<Challenge> {
        let header = self.header("www-authenticate")?;
        Some(Challenge::parse_all(header).unwrap().remove(0))
    }

    /// Asserts a status and the `error` of the challenge; `None`: a challenge without one.
    #[track_caller]
    pub(crate) fn assert_challenge(&self, status: u16, error: Option<&str>) {
        assert_eq!(self.status, status, "{self:?}");
        let challenge = self.challenge().expect("a challenge");
        assert!(challenge.is("Bearer"));
        assert_eq!(challenge.parameter("error"), error, "{self:?}");
        assert_eq!(
            challenge.parameter("resource_metadata"),
            Some(crate::world::METADATA)
        );
    }

    /// Asserts a status and the code of a JSON-RPC error.
    #[track_caller]
    pub(crate) fn assert_rpc_error(&self, status: u16, code: i32) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.json()["error"]["code"], code, "{self:?}");
        assert_eq!(self.headers.get("www-authenticate"), None);
    }
}
