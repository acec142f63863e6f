//! Pages of a list, by keyset: a page starts after a row, not at a number, so it costs the same
//! wherever it is and neither repeats nor skips what others add meanwhile.

/// The most rows one page holds.
const MAX_ROWS: u16 = 500;

/// Which part of a list is wanted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Page<Id> {
    /// The last row of the page before; `None` starts at the beginning.
    pub after: Option<Id>,
    /// Rows wanted at most; 500 is the most there is.
    pub rows: u16,
}

impl<Id> Page<Id> {
    /// The first page.
    #[must_use]
    pub fn first(rows: u16) -> Self {
        Self { after: None, rows }
    }

    /// The page that follows a row.
    #[must_use]
    pub fn after(id: Id, rows: u16) -> Self {
        Self {
            after: Some(id),
            rows,
        }
    }

    /// The limit of the statement.
    pub(crate) fn limit(&self) -> i64 {
        i64::from(self.rows.clamp(1, MAX_ROWS))
    }
}
