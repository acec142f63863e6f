//! Manifests: TOML files of definitions (design §9).
//!
//! An entry becomes the same document that the API writes: secrets and files are resolved, and what
//! remains is checked by the directory itself. Every error names the file and the line; nothing is
//! fetched from the network, and nothing is applied unless everything fits.

mod entry;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};
use symbolon_policy::Engine;
use symbolon_storage::definition::{Definition, Draft, Key, Kind};
use symbolon_storage::directory::{Directory, Problem};
use toml::Spanned;

use crate::config::Environment;
use crate::snapshot;

/// A file of `[[kind]]` tables, each with where it begins.
type Tables = HashMap<String, Vec<Spanned<toml::Table>>>;

/// What manifests want, and where each entry stands.
#[derive(Debug, Default)]
pub struct Manifest {
    /// In the order of the files.
    pub drafts: Vec<Draft>,
    places: HashMap<Key, Place>,
}

/// A file and a line, counted from one.
#[derive(Clone, Debug)]
struct Place {
    file: PathBuf,
    line: usize,
}

impl Manifest {
    /// Reads files; paths inside a file start at its folder.
    ///
    /// # Errors
    /// The first thing that cannot be read, with its file and line.
    pub fn read(files: &[PathBuf], environment: &Environment) -> Result<Self> {
        let mut manifest = Self::default();
        for file in files {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("cannot read the manifest {}", file.display()))?;
            manifest.add(file, &text, environment)?;
        }
        Ok(manifest)
    }

    /// Adds the text of one file.
    ///
    /// # Errors
    /// As [`Manifest::read`].
    pub fn add(&mut self, file: &Path, text: &str, environment: &Environment) -> Result<()> {
        let tables: Tables =
            toml::from_str(text).with_context(|| format!("in {}", file.display()))?;
        let mut entries: Vec<(usize, Kind, toml::Table)> = Vec::new();
        for (name, tables) in tables {
            let kind = Kind::from_str(&name).map_err(|_| {
                let known = Kind::ALL.map(Kind::as_str).join(", ");
                anyhow::anyhow!("in {}: [[{name}]] is not one of {known}", file.display())
            })?;
            let begin = |table: &Spanned<toml::Table>| table.span().start;
            entries.extend(
                tables
                    .into_iter()
                    .map(|t| (begin(&t), kind, t.into_inner())),
            );
        }
        entries.sort_by_key(|(start, ..)| *start);
        let directory = file.parent().unwrap_or(Path::new(""));
        for (start, kind, table) in entries {
            let place = Place {
                file: file.to_owned(),
                line: line_of(text, start),
            };
            let draft = entry::draft(kind, table, directory, environment)
                .with_context(|| format!("{}:{}: [[{kind}]]", place.file.display(), place.line))?;
            self.insert(draft, place)?;
        }
        Ok(())
    }

    fn insert(&mut self, draft: Draft, place: Place) -> Result<()> {
        if let Some(first) = self.places.get(&draft.key) {
            bail!(
                "{}:{}: {} stands already at {}:{}",
                place.file.display(),
                place.line,
                draft.key,
                first.file.display(),
                first.line
            );
        }
        self.places.insert(draft.key.clone(), place);
        self.drafts.push(draft);
        Ok(())
    }

    /// Checks that what would be stored fits together, policies included.
    ///
    /// # Errors
    /// Everything that does not fit, one line each, with file and line where the manifest has it.
    pub fn check(&self, wanted: &[Definition]) -> Result<()> {
        let (directory, problems) = Directory::build(0, wanted);
        let mut lines: Vec<String> = problems
            .iter()
            .map(|problem| self.locate(problem))
            .collect();
        if lines.is_empty()
            && let Err(problems) = Engine::build(snapshot::policy_input(&directory))
        {
            lines.extend(problems.iter().map(ToString::to_string));
        }
        ensure!(
            lines.is_empty(),
            "nothing was applied:\n  {}",
            lines.join("\n  ")
        );
        Ok(())
    }

    fn locate(&self, problem: &Problem) -> String {
        match self.places.get(&problem.key) {
            Some(Place { file, line }) => format!("{}:{line}: {problem}", file.display()),
            None => format!("in the database: {problem}"),
        }
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}
