//! `--name value` and `--flag`, nothing more.

use std::fmt::Debug;
use std::str::FromStr;

/// The arguments of the program.
pub struct Arguments(Vec<String>);

impl Arguments {
    /// Those the program was started with.
    #[must_use]
    pub fn read() -> Self {
        Self(std::env::args().skip(1).collect())
    }

    /// The last value of `name`.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.all(name).pop()
    }

    /// Every value of `name`.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<&str> {
        let pairs = self.0.windows(2).filter(|pair| pair[0] == name);
        pairs.map(|pair| pair[1].as_str()).collect()
    }

    /// A value that has to be there.
    ///
    /// # Panics
    /// If it is not.
    #[must_use]
    pub fn required(&self, name: &str) -> &str {
        self.value(name)
            .unwrap_or_else(|| panic!("{name} is missing"))
    }

    /// A number, or what it is otherwise.
    ///
    /// # Panics
    /// If it is not a number.
    #[must_use]
    pub fn number<T: FromStr<Err: Debug>>(&self, name: &str, otherwise: T) -> T {
        self.value(name)
            .map_or(otherwise, |text| text.parse().expect(name))
    }

    /// Whether `name` was given.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.0.iter().any(|argument| argument == name)
    }
}
