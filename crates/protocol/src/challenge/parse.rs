//! Reading `WWW-Authenticate` ([RFC 9110] §11.2, §11.3, §11.6.1).
//!
//! The grammar is ambiguous only to the eye: a word is a parameter name exactly if `=` and a value
//! follow, otherwise it starts the next challenge.
//!
//! [RFC 9110]: https://www.rfc-editor.org/rfc/rfc9110

use super::Challenge;

const MAX_HEADER_BYTES: usize = 8192;
const MAX_CHALLENGES: usize = 16;

/// The header is not a list of challenges.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the WWW-Authenticate header is malformed")]
pub struct MalformedChallenge;

pub(super) fn challenges(header: &str) -> Result<Vec<Challenge>, MalformedChallenge> {
    if header.len() > MAX_HEADER_BYTES {
        return Err(MalformedChallenge);
    }
    let mut rest = Cursor(header);
    let mut challenges: Vec<Challenge> = Vec::new();
    rest.skip(" \t,");
    while !rest.0.is_empty() {
        if challenges.len() == MAX_CHALLENGES {
            return Err(MalformedChallenge);
        }
        challenges.push(rest.challenge()?);
        rest.skip(" \t,");
    }
    Ok(challenges)
}

#[derive(Clone, Copy)]
struct Cursor<'a>(&'a str);

impl<'a> Cursor<'a> {
    fn skip(&mut self, characters: &str) {
        self.0 = self.0.trim_start_matches(|c| characters.contains(c));
    }

    fn take_while(&mut self, accept: impl Fn(u8) -> bool) -> &'a str {
        let end = self
            .0
            .bytes()
            .position(|byte| !accept(byte))
            .unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(end);
        self.0 = rest;
        taken
    }

    fn challenge(&mut self) -> Result<Challenge, MalformedChallenge> {
        let scheme = self.take_while(is_tchar);
        if scheme.is_empty() {
            return Err(MalformedChallenge);
        }
        let mut challenge = Challenge::of(scheme);
        if !self.0.starts_with(' ') {
            return self
                .ends_here()
                .then_some(challenge)
                .ok_or(MalformedChallenge);
        }
        self.skip(" ");
        challenge.token68 = self.token68();
        while challenge.token68.is_none() {
            let before = *self;
            self.skip(" \t,");
            let Some((name, value)) = self.parameter()? else {
                *self = before;
                break;
            };
            if challenge.parameter(&name).is_some() {
                return Err(MalformedChallenge);
            }
            challenge.parameters.push((name, value));
            if !self.ends_here() {
                break;
            }
        }
        self.ends_here()
            .then_some(challenge)
            .ok_or(MalformedChallenge)
    }

    /// Whether a list element is complete here.
    fn ends_here(&self) -> bool {
        let rest = self.0.trim_start_matches([' ', '\t']);
        rest.is_empty() || rest.starts_with(',')
    }

    /// `token68 = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`
    fn token68(&mut self) -> Option<String> {
        let mut ahead = *self;
        let is_token68 = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b);
        let length = ahead.take_while(is_token68).len();
        let padding = ahead.take_while(|b| b == b'=').len();
        if length == 0 || !ahead.ends_here() {
            return None;
        }
        let token = self.0[..length + padding].to_owned();
        *self = ahead;
        Some(token)
    }

    /// `auth-param = token BWS "=" BWS ( token / quoted-string )`; `None` where the word is not
    /// followed by `=`.
    fn parameter(&mut self) -> Result<Option<(String, String)>, MalformedChallenge> {
        let name = self.take_while(is_tchar);
        self.skip(" \t");
        let Some(rest) = self.0.strip_prefix('=').filter(|_| !name.is_empty()) else {
            return Ok(None);
        };
        self.0 = rest;
        self.skip(" \t");
        let value = match self.0.strip_prefix('"') {
            Some(rest) => {
                self.0 = rest;
                self.quoted()?
            }
            None => self.take_while(is_tchar).to_owned(),
        };
        Ok(Some((name.to_owned(), value)))
    }

    /// The rest of a quoted string, without escapes.
    fn quoted(&mut self) -> Result<String, MalformedChallenge> {
        let mut value = String::new();
        let mut characters = self.0.char_indices();
        while let Some((at, c)) = characters.next() {
            let c = match c {
                '"' => {
                    self.0 = &self.0[at + 1..];
                    return Ok(value);
                }
                '\\' => characters.next().ok_or(MalformedChallenge)?.1,
                c => c,
            };
            if c.is_control() && c != '\t' {
                return Err(MalformedChallenge);
            }
            value.push(c);
        }
        Err(MalformedChallenge)
    }
}

/// RFC 9110 §5.6.2.
fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(header: &str) -> Vec<Challenge> {
        challenges(header).unwrap_or_else(|_| panic!("{header}"))
    }

    #[test]
    fn several_challenges_are_told_apart() {
        let read = parse(
            r#"Negotiate, BEARER Realm = "a \"b\", c" ,scope=x,, Basic dGVzdA==, DPoP algs="ES256 EdDSA", error=invalid_token"#,
        );
        let schemes: Vec<_> = read.iter().map(Challenge::scheme).collect();
        assert_eq!(schemes, ["Negotiate", "BEARER", "Basic", "DPoP"]);
        assert!(read[1].is("bearer"));
        assert_eq!(read[1].parameter("realm"), Some("a \"b\", c"));
        assert_eq!(read[1].parameter("SCOPE"), Some("x"));
        assert_eq!(read[2].token68(), Some("dGVzdA=="));
        assert_eq!(read[3].parameter("algs"), Some("ES256 EdDSA"));
        assert_eq!(read[3].parameter("error"), Some("invalid_token"));
    }

    #[test]
    fn an_empty_header_has_no_challenge() {
        assert_eq!(parse(""), []);
        assert_eq!(parse(" , ,"), []);
        assert_eq!(parse("Bearer")[0].parameter("scope"), None);
        assert_eq!(parse("Bearer ")[0].parameter("scope"), None);
    }

    #[test]
    fn what_has_two_meanings_is_refused() {
        for bad in [
            "Bearer scope=a, scope=b",
            "Bearer scope=a, Scope=b",
            "Bearer scope=\"a",
            "Bearer scope=\"a\\",
            "Bearer scope=\"a\" b",
            "Bearer scope=a b=c",
            "Bearer x y=z",
            "Bearer scope=\"a\r\nb\"",
            "\"Bearer\"",
            "=x",
        ] {
            assert_eq!(challenges(bad), Err(MalformedChallenge), "{bad}");
        }
        assert!(challenges(&"a,".repeat(17)).is_err());
        assert!(challenges(&"a".repeat(8193)).is_err());
    }

    proptest! {
        #[test]
        fn reading_never_panics(header in "([a-zA-Z]{0,3}[ ,=\"\\\\\\t]{0,3}|\\PC){0,20}") {
            if let Ok(read) = challenges(&header) {
                prop_assert!(read.len() <= MAX_CHALLENGES);
            }
        }
    }
}
