//! `application/x-www-form-urlencoded` parameters, read strictly (RFC 6749 §3.1, §3.2, appendix B).
//!
//! What a lenient reader would repair is refused: broken percent-encoding, bytes that are not
//! UTF-8, control characters (they would end up in logs, headers and databases). A parameter
//! without a value counts as absent. Which parameters may repeat is for the caller to say.

use std::borrow::Cow;
use std::fmt;

use crate::oauth_error::OAuthError;

/// The longest form that is read, in bytes.
pub const MAX_FORM_BYTES: usize = 64 * 1024;

/// The most parameters one form has.
pub const MAX_PARAMETERS: usize = 64;

/// The decoded parameters of a form or query, in their order. Values never show in `Debug`.
#[derive(Clone)]
pub struct Form<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

const MALFORMED: OAuthError =
    OAuthError::invalid_request("the parameters are not well-formed form-urlencoded UTF-8");
const TOO_LARGE: OAuthError =
    OAuthError::invalid_request("the parameters are too long or too many");
const REPEATED: OAuthError = OAuthError::invalid_request("a parameter is repeated");

impl<'a> Form<'a> {
    /// Decodes a request body or the query of a URL.
    ///
    /// # Errors
    /// `invalid_request` for more than [`MAX_FORM_BYTES`], more than [`MAX_PARAMETERS`], or
    /// anything that is not well-formed.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, OAuthError> {
        if bytes.len() > MAX_FORM_BYTES {
            return Err(TOO_LARGE);
        }
        let mut pairs = Vec::new();
        for pair in bytes
            .split(|byte| *byte == b'&')
            .filter(|pair| !pair.is_empty())
        {
            if pairs.len() == MAX_PARAMETERS {
                return Err(TOO_LARGE);
            }
            let at = pair
                .iter()
                .position(|byte| *byte == b'=')
                .unwrap_or(pair.len());
            let value = pair.get(at + 1..).unwrap_or_default();
            let decode = |part| decode(part).ok_or(MALFORMED);
            pairs.push((decode(&pair[..at])?, decode(value)?));
        }
        Ok(Self(pairs))
    }

    /// The value of a parameter, `None` when it is absent or empty.
    ///
    /// # Errors
    /// `invalid_request` when it is there more than once (AS-25).
    pub fn one(&self, name: &str) -> Result<Option<&str>, OAuthError> {
        let mut values = self
            .0
            .iter()
            .filter(|(own, _)| own == name)
            .map(|(_, value)| value);
        let first = values.next();
        if values.next().is_some() {
            return Err(REPEATED);
        }
        Ok(first
            .map(AsRef::as_ref)
            .filter(|value: &&str| !value.is_empty()))
    }

    /// Every non-empty value of a parameter that may repeat.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.0.iter().filter(move |(own, _)| own == name);
        values
            .map(|(_, value)| value.as_ref())
            .filter(|value| !value.is_empty())
    }

    /// Checks that no parameter but those in `repeatable` is there twice, known to us or not.
    ///
    /// # Errors
    /// `invalid_request` (AS-25, N-011).
    pub fn refuse_repeated(&self, repeatable: &[&str]) -> Result<(), OAuthError> {
        let mut names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_ref()).collect();
        names.retain(|name| !repeatable.contains(name));
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            Err(REPEATED)
        } else {
            Ok(())
        }
    }
}

impl fmt::Debug for Form<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.iter().map(|(name, _)| name);
        f.debug_list().entries(names).finish()
    }
}

/// Decodes one name or value; `None` unless it is well-formed UTF-8 without control characters.
pub(crate) fn decode(part: &[u8]) -> Option<Cow<'_, str>> {
    let decoded = if part.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        Cow::Owned(String::from_utf8(unescape(part)?).ok()?)
    } else {
        Cow::Borrowed(std::str::from_utf8(part).ok()?)
    };
    (!decoded.bytes().any(|byte| byte.is_ascii_control())).then_some(decoded)
}

fn unescape(part: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(part.len());
    let mut rest = part.iter();
    while let Some(byte) = rest.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => hex_digit(*rest.next()?)? << 4 | hex_digit(*rest.next()?)?,
            byte => *byte,
        });
    }
    Some(decoded)
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn form(text: &str) -> Form<'_> {
        Form::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn values_are_decoded_and_empty_ones_are_absent() {
        let form = form("a=x+y%2B%C3%A4&b=&c&d=1=2&&");
        assert_eq!(form.one("a"), Ok(Some("x y+ä")));
        assert_eq!(form.one("b"), Ok(None));
        assert_eq!(form.one("c"), Ok(None));
        assert_eq!(form.one("d"), Ok(Some("1=2")));
        assert_eq!(form.one("e"), Ok(None));
    }

    /// AS-25; also when names are spelled differently.
    #[test]
    fn a_repeated_parameter_is_refused() {
        let form = form("scope=a&sc%6fpe=b&resource=1&resource=2");
        assert_eq!(form.one("scope"), Err(REPEATED));
        assert_eq!(form.refuse_repeated(&["resource"]), Err(REPEATED));
        assert_eq!(form.refuse_repeated(&["resource", "scope"]), Ok(()));
        assert_eq!(form.all("resource").collect::<Vec<_>>(), ["1", "2"]);
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for bad in [
            "a=%", "a=%4", "a=%zz", "a=%ff", "a=%00", "a=%0d%0a", "%=b", "a=\n",
        ] {
            assert_eq!(
                Form::parse(bad.as_bytes()).unwrap_err(),
                MALFORMED,
                "{bad:?}"
            );
        }
        assert_eq!(Form::parse(b"a=\xff").unwrap_err(), MALFORMED);
    }

    #[test]
    fn size_is_limited() {
        let long = vec![b'a'; MAX_FORM_BYTES + 1];
        assert_eq!(Form::parse(&long).unwrap_err(), TOO_LARGE);
        let many = "a=1&".repeat(MAX_PARAMETERS + 1);
        assert_eq!(Form::parse(many.as_bytes()).unwrap_err(), TOO_LARGE);
    }

    #[test]
    fn debug_shows_names_only() {
        assert_eq!(format!("{:?}", form("code=hunter2")), "[\"code\"]");
    }

    proptest! {
        #[test]
        fn parsing_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Form::parse(&bytes);
        }

        #[test]
        fn what_is_encoded_is_read_back(value in "[^\\x00-\\x1f\\x7f]+") {
            let encoded: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
            let body = format!("v={encoded}");
            let form = form(&body);
            prop_assert_eq!(form.one("v"), Ok(Some(value.as_str())));
        }
    }
}
