//! Keys of rows that are identified by long texts: client ids, resources, subjects.
//!
//! A key has 32 bytes whatever the texts are, so it fits every index, and two lists of texts never
//! share one: each text is preceded by its length.

use symbolon_protocol::digest;

/// SHA-256 over the parts, each preceded by its length in bytes.
pub(crate) fn row_key(parts: &[&str]) -> [u8; 32] {
    let mut message = Vec::with_capacity(parts.iter().map(|part| 8 + part.len()).sum());
    for part in parts {
        message.extend_from_slice(&(part.len() as u64).to_be_bytes());
        message.extend_from_slice(part.as_bytes());
    }
    digest::sha256(&message)
}

#[cfg(test)]
mod tests {
    use super::row_key;

    #[test]
    fn moving_a_character_to_the_next_part_changes_the_key() {
        assert_eq!(row_key(&["ab", "c"]), row_key(&["ab", "c"]));
        assert_ne!(row_key(&["ab", "c"]), row_key(&["a", "bc"]));
        assert_ne!(row_key(&["ab"]), row_key(&["ab", ""]));
    }
}
