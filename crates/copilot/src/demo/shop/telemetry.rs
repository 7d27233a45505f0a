//! What is counted about requests: how many, how they ended, how long they took.

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Answered.
    Ok,
    /// There is no such thing; not a failure.
    NotFound,
    /// The service's own failure.
    Failed,
    /// A callee failed.
    CalleeFailed,
    /// A callee did not answer in time.
    Timeout,
}

impl Outcome {
    pub const ALL: [Self; 5] = [Self::Ok, Self::NotFound, Self::Failed, Self::CalleeFailed, Self::Timeout];

    /// The HTTP status.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ok => "200",
            Self::NotFound => "404",
            Self::Failed => "500",
            Self::CalleeFailed => "502",
            Self::Timeout => "504",
        }
    }

    /// What a caller that needs the answer ends with; `None` when it got one.
    pub const fn seen_by_caller(self) -> Option<Self> {
        match self {
            Self::Ok | Self::NotFound => None,
            Self::Failed | Self::CalleeFailed => Some(Self::CalleeFailed),
            Self::Timeout => Some(Self::Timeout),
        }
    }
}

/// Upper bounds of the histograms' buckets, in seconds, and how OpenMetrics writes them; the last bucket has none.
pub(super) const BOUNDS_S: [(f64, &str); 13] = [
    (0.001, "0.001"),
    (0.0025, "0.0025"),
    (0.005, "0.005"),
    (0.01, "0.01"),
    (0.025, "0.025"),
    (0.05, "0.05"),
    (0.1, "0.1"),
    (0.25, "0.25"),
    (0.5, "0.5"),
    (1.0, "1.0"),
    (2.5, "2.5"),
    (5.0, "5.0"),
    (10.0, "10.0"),
];

/// Requests of a service, or between a caller and a callee; everything only ever grows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Traffic {
    outcomes: [u64; Outcome::ALL.len()],
    buckets: [u64; BOUNDS_S.len()],
    count: u64,
    sum_s: f64,
}

impl Traffic {
    #[expect(clippy::indexing_slicing, reason = "there is a slot for every variant")]
    pub fn record(&mut self, outcome: Outcome, latency_s: f64) {
        self.outcomes[outcome as usize] += 1;
        let bucket = BOUNDS_S.iter().position(|(bound, _)| latency_s <= *bound);
        if let Some(bucket) = bucket.and_then(|index| self.buckets.get_mut(index)) {
            *bucket += 1;
        }
        self.count += 1;
        self.sum_s += latency_s;
    }

    #[expect(clippy::indexing_slicing, reason = "there is a slot for every variant")]
    pub const fn outcome(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome as usize]
    }

    /// Each bound with how many requests took at most that long.
    pub fn cumulative(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self.buckets.iter().scan(0, |below, bucket| {
            *below += bucket;
            Some(*below)
        });
        BOUNDS_S.into_iter().map(|(_, written)| written).zip(counts)
    }

    pub const fn count(&self) -> u64 {
        self.count
    }

    pub const fn sum_s(&self) -> f64 {
        self.sum_s
    }
}
