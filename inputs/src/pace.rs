//! How fast something grows: a server that sends a byte now and then never stalls, and would hold a fetch for ever.

use std::time::{Duration, Instant};

/// Measures in windows of a fixed length, one after the other.
#[derive(Debug)]
pub struct Pace {
    window: Duration,
    /// Bytes a second.
    rate: u64,
    since: Instant,
    had: u64,
}

impl Pace {
    /// From now on, `done` bytes being there.
    pub fn new(window: Duration, rate: u64, done: u64) -> Self {
        Pace { window, rate, since: Instant::now(), had: done }
    }

    /// The bytes of the window that just ended, and its length, if they are too few.
    pub fn slow(&mut self, done: u64) -> Option<(u64, Duration)> {
        let time = self.since.elapsed();
        if time < self.window {
            return None;
        }
        let came = done.saturating_sub(self.had);
        (self.since, self.had) = (Instant::now(), done);
        // As whole numbers of milliseconds, since windows of tests are short.
        let least = u128::from(self.rate) * time.as_millis() / 1000;
        (u128::from(came) < least).then_some((came, time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_window_counts() {
        let mut pace = Pace::new(Duration::from_millis(50), 1000, 0);
        assert_eq!(pace.slow(0), None);
        std::thread::sleep(Duration::from_millis(60));
        assert_eq!(pace.slow(1 << 20), None);
        std::thread::sleep(Duration::from_millis(60));
        assert_eq!(pace.slow((1 << 20) + 3).map(|(bytes, _)| bytes), Some(3));
    }
}
