//! What came back.

use std::time::Duration;

use hdrhistogram::Histogram;

/// Longest time that is told apart, in tenths of a microsecond: a minute.
const LONGEST: u64 = 600_000_000;
/// As much of a bad answer is shown.
const SHOWN: usize = 600;

/// Counts of one run, or of one connection.
pub(crate) struct Tally {
    times: Histogram<u64>,
    pub(crate) right: u64,
    pub(crate) bad: u64,
    pub(crate) lost: u64,
    pub(crate) first_bad: Option<String>,
    pub(crate) kept: Vec<String>,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            times: Histogram::new_with_bounds(1, LONGEST, 3).expect("fixed bounds"),
            right: 0,
            bad: 0,
            lost: 0,
            first_bad: None,
            kept: Vec::new(),
        }
    }

    pub(crate) fn right(&mut self, time: Duration) {
        self.right += 1;
        let tenths = u64::try_from(time.as_nanos() / 100).unwrap_or(LONGEST);
        self.times.saturating_record(tenths.max(1));
    }

    pub(crate) fn bad(&mut self, counts: bool, answer: &[u8]) {
        self.bad += u64::from(counts);
        let shown = || {
            String::from_utf8_lossy(answer)
                .chars()
                .take(SHOWN)
                .collect()
        };
        self.first_bad.get_or_insert_with(shown);
    }

    pub(crate) fn lost(&mut self, counts: bool, error: String) {
        self.lost += u64::from(counts);
        self.first_bad.get_or_insert(error);
    }

    pub(crate) fn keep(&mut self, body: &[u8]) {
        let token = std::str::from_utf8(body).ok().and_then(|body| {
            let (_, rest) = body.split_once(r#""access_token":""#)?;
            Some(rest.split_once('"')?.0.to_owned())
        });
        self.kept.extend(token);
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.times.add(&other.times).expect("the same bounds");
        self.right += other.right;
        self.bad += other.bad;
        self.lost += other.lost;
        self.first_bad = self.first_bad.take().or(other.first_bad);
        self.kept.extend(other.kept);
    }

    /// In microseconds.
    #[expect(clippy::cast_precision_loss, reason = "at most a minute")]
    pub(crate) fn quantile(&self, quantile: f64) -> f64 {
        self.times.value_at_quantile(quantile) as f64 / 10.0
    }
}
