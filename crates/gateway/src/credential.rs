//! What the gateway presents to an upstream (requirements RS-24): never the caller's token.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use symbolon_storage::directory::UpstreamCredential;

/// The stored credential cannot be sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the upstream credential is no header: correct it with `symbolon apply`")]
pub(crate) struct UnusableCredential;

/// Adds the static credential of a server to a request.
///
/// # Errors
/// [`UnusableCredential`]: the call must not be forwarded without it.
pub(crate) fn present(
    credential: &UpstreamCredential,
    headers: &mut HeaderMap,
) -> Result<(), UnusableCredential> {
    let (name, value) = match credential {
        UpstreamCredential::None => return Ok(()),
        UpstreamCredential::Bearer(token) => (
            AUTHORIZATION,
            HeaderValue::try_from(format!("Bearer {}", token.expose())),
        ),
        UpstreamCredential::Header { name, value } => (
            HeaderName::try_from(name.as_str()).map_err(|_| UnusableCredential)?,
            HeaderValue::from_str(value.expose()),
        ),
    };
    let mut value = value.map_err(|_| UnusableCredential)?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use symbolon_protocol::secret::Secret;

    use super::*;

    #[test]
    fn a_credential_replaces_what_is_there_and_does_not_print() {
        let mut headers = HeaderMap::new();
        headers.insert("x-api-key", HeaderValue::from_static("the client's"));
        let credential = UpstreamCredential::Header {
            name: "X-Api-Key".into(),
            value: Secret::new("ours"),
        };
        assert_eq!(present(&credential, &mut headers), Ok(()));
        assert_eq!(
            headers.get_all("x-api-key").iter().collect::<Vec<_>>(),
            ["ours"]
        );
        assert!(!format!("{headers:?}").contains("ours"));

        present(
            &UpstreamCredential::Bearer(Secret::new("t0ken")),
            &mut headers,
        )
        .unwrap();
        assert_eq!(headers["authorization"], "Bearer t0ken");
    }

    #[test]
    fn a_credential_that_is_no_header_is_not_left_out() {
        let bad = UpstreamCredential::Bearer(Secret::new("a\r\nb"));
        assert_eq!(
            present(&bad, &mut HeaderMap::new()),
            Err(UnusableCredential)
        );
    }
}
