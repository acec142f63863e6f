//! Environment variables: overrides of the file (`SYMBOLON__SECTION__KEY`) and secrets.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use toml::{Table, Value};

/// The marker of our own variables, and the separator of sections.
const PREFIX: &str = "SYMBOLON__";
const SEPARATOR: &str = "__";

/// The process's environment, read once; tests make their own.
#[derive(Clone, Debug, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The environment of this process; variables that are not UTF-8 are left out.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub fn of_process() -> Self {
        Self(
            std::env::vars_os()
                .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
                .collect(),
        )
    }

    /// An environment of these variables.
    pub fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(variables.into_iter().collect())
    }

    /// One variable.
    #[must_use]
    pub fn var(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Our own variables as a table in the shape of the file.
    ///
    /// A value that reads as TOML (`true`, `["as"]`, `{ file = "…" }`) is that value; any other is
    /// a string.
    pub(super) fn overrides(&self) -> Result<Table> {
        let mut table = Table::new();
        for (name, text) in &self.0 {
            let Some(path) = name.strip_prefix(PREFIX) else {
                continue;
            };
            let path: Vec<String> = path.split(SEPARATOR).map(str::to_lowercase).collect();
            insert(&mut table, &path, read(text)).with_context(|| format!("in {name}"))?;
        }
        Ok(table)
    }
}

fn read(text: &str) -> Value {
    let parsed = toml::from_str::<Table>(&format!("value = {text}"));
    parsed
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

fn insert(table: &mut Table, path: &[String], value: Value) -> Result<()> {
    match path {
        [] => bail!("the variable names no key"),
        [key] => {
            table.insert(key.clone(), value);
            Ok(())
        }
        [section, rest @ ..] => {
            let entry = table
                .entry(section.clone())
                .or_insert_with(|| Value::Table(Table::new()));
            match entry {
                Value::Table(inner) => insert(inner, rest, value),
                _ => bail!("{section} is set as a value and as a section"),
            }
        }
    }
}

/// Lays `over` on top of `base`, section by section.
pub(super) fn merge(base: &mut Table, over: Table) -> Result<()> {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(inner)), Value::Table(value)) if !is_secret(inner) => {
                merge(inner, value)?;
            }
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
    Ok(())
}

/// `{ env = … }` and `{ file = … }` are values, replaced as a whole.
fn is_secret(table: &Table) -> bool {
    table.len() == 1 && (table.contains_key("env") || table.contains_key("file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overrides(name: &str, value: &str) -> Table {
        Environment::of([(name.to_owned(), value.to_owned())])
            .overrides()
            .unwrap()
    }

    #[test]
    fn a_variable_reaches_a_key_of_a_section() {
        let table = overrides("SYMBOLON__STORAGE__URL", "postgres://db/symbolon");

        assert_eq!(
            table["storage"]["url"].as_str(),
            Some("postgres://db/symbolon")
        );
    }

    #[test]
    fn a_variable_may_hold_a_list() {
        let table = overrides("SYMBOLON__ROLES", r#"["as", "idp"]"#);

        assert_eq!(table["roles"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn a_secret_source_is_replaced_as_a_whole() {
        let mut base: Table =
            toml::from_str("[secrets]\nkey_encryption_key = { file = \"a\" }").unwrap();
        let over = overrides(
            "SYMBOLON__SECRETS__KEY_ENCRYPTION_KEY",
            r#"{ env = "KEK" }"#,
        );

        merge(&mut base, over).unwrap();

        assert!(base["secrets"]["key_encryption_key"].get("file").is_none());
    }
}
