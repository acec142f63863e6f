//! `NumericDate`: seconds since 1970 (RFC 7519 §2), for `#[serde(with = "…")]` and for reading.
//!
//! Whole seconds are written. Fractions are read, because the RFC permits them and some issuers
//! write `auth_time` so.

use serde::{Deserialize, Deserializer, Serializer, de};
use serde_json::Value;

use crate::time::Timestamp;

/// The last second of the year 9999, the last that RFC 3339 can write.
const LAST: i64 = 253_402_300_799;

/// Reads a JSON number of seconds; nothing for another type or a time outside the years 1970 to 9999.
#[must_use]
pub fn from_value(value: &Value) -> Option<Timestamp> {
    if let Some(seconds) = value.as_i64() {
        return (0..=LAST)
            .contains(&seconds)
            .then(|| Timestamp::from_unix_seconds(seconds));
    }
    let seconds = value
        .as_f64()
        .filter(|seconds| (0.0..=LAST as f64).contains(seconds))?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "in range, and rounding is meant"
    )]
    let micros = (seconds * 1e6) as i64;
    Some(Timestamp::from_micros(micros))
}

/// Writes whole seconds, rounded down.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(time.unix_seconds())
}

/// Reads a number of seconds.
///
/// # Errors
/// Those of the deserializer, and any value that [`from_value`] does not read.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let value = Value::deserialize(deserializer)?;
    from_value(&value).ok_or_else(|| de::Error::custom("not a number of seconds since 1970"))
}

/// The same for a claim that may be absent.
pub mod option {
    use serde::{Deserializer, Serializer};

    use crate::time::Timestamp;

    /// Writes whole seconds, or `null`: combine it with `skip_serializing_if`.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(
        time: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => super::serialize(time, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads a number of seconds; combine it with `default`.
    ///
    /// # Errors
    /// Those of [`super::deserialize`].
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        super::deserialize(deserializer).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whole_and_broken_seconds_are_read() {
        let time = Timestamp::from_unix_seconds(1_795_201_200);
        assert_eq!(from_value(&json!(1_795_201_200)), Some(time));
        assert_eq!(from_value(&json!(1_795_201_200.0)), Some(time));
        let half = Timestamp::from_micros(1_795_201_200_500_000);
        assert_eq!(from_value(&json!(1_795_201_200.5)), Some(half));
    }

    /// N-125.
    #[test]
    fn other_values_are_not_times() {
        for value in [
            json!("1795201200"),
            json!(-1),
            json!(1e300),
            json!(u64::MAX),
            json!([1]),
            json!(LAST + 1),
            json!(true),
            json!(-0.5),
        ] {
            assert_eq!(from_value(&value), None, "{value}");
        }
    }
}
