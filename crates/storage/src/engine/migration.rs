//! The schema version, and the gate that keeps a program from a schema it does not know.
//!
//! The schema version is the number of the newest migration. A schema N serves programs that know N
//! and N−1 (design §4 rule 19): a migration only adds what the program before it can ignore, and a
//! release brings at most one. A program therefore accepts a database that is one ahead of it.

use sqlx::migrate::Migrator;

use crate::StorageError;

pub(super) static SQLITE: Migrator = sqlx::migrate!("./migrations/sqlite");
pub(super) static POSTGRES: Migrator = sqlx::migrate!("./migrations/postgres");

/// Whether a database of that version is to be migrated.
///
/// # Errors
/// [`StorageError::TooNew`], and [`StorageError::NotMigrated`] where migrating is not allowed.
pub(super) fn is_needed(
    embedded: &Migrator,
    found: i64,
    allowed: bool,
) -> Result<bool, StorageError> {
    let known = embedded
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or(0);
    match found {
        found if found > known + 1 => Err(StorageError::TooNew { found, known }),
        found if found >= known => Ok(false),
        found if !allowed => Err(StorageError::NotMigrated {
            found,
            needed: known,
        }),
        _ => Ok(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_engines_have_the_same_migrations() {
        let names = |migrator: &Migrator| -> Vec<_> {
            migrator
                .iter()
                .map(|m| (m.version, m.description.to_string()))
                .collect()
        };
        assert_eq!(names(&SQLITE), names(&POSTGRES));
    }
}
