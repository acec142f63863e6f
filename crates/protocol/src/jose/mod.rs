//! Signed JSON Web Tokens: reading, verifying, signing ([RFC 7515], [RFC 7517], [RFC 7519]).
//!
//! The way through: [`UnverifiedJwt::parse`] checks form and size, [`JwkSet::select`] picks the one key
//! that may have signed, [`UnverifiedJwt::verify`] turns the token into a [`VerifiedJwt`]. Only that has
//! claims a caller may believe; what they must say is for the modules of each token type.
//!
//! Guarantees (RFC 8725):
//! - an algorithm outside [`Algorithm`] cannot be expressed, so `none` and HMAC cannot be accepted;
//! - keys come from the caller: `jku`, `jwk`, `x5u` and `x5c` of a header are never looked at;
//! - `crit` and `b64` are refused, as is any object that names a member twice;
//! - nothing larger than 16 KiB or nested deeper than 16 levels is read.
//!
//! [RFC 7515]: https://www.rfc-editor.org/rfc/rfc7515
//! [RFC 7517]: https://www.rfc-editor.org/rfc/rfc7517
//! [RFC 7519]: https://www.rfc-editor.org/rfc/rfc7519

mod algorithm;
pub mod claims;
mod header;
mod jwk;
mod jwk_set;
mod jwt;
mod material;
pub mod numeric_date;
mod sign;
pub mod validity;
mod verification_key;

pub use algorithm::{Algorithm, UnsupportedAlgorithm};
pub use header::Header;
pub use jwk::{Jwk, JwkError};
pub use jwk_set::{JwkSet, JwkSetError, MAX_SET_BYTES, MAX_SET_KEYS, SelectError};
pub use jwt::{JwtError, MAX_TOKEN_BYTES, UnverifiedJwt, VerifiedJwt};
pub use sign::{SigningError, SigningKey};
pub use verification_key::{BadSignature, VerificationKey};
