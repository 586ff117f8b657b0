//! The export region: the NARs of outputs, each at a multiple of 4096, those that fit.

use super::home::Home;
use formats::nar::Sink;
use formats::say::{Display, LineBuf};

/// Each NAR starts at a multiple of this.
const ALIGNMENT: u64 = 4096;

/// Where an output's NAR is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spot {
    /// At this offset.
    At(u64),
    /// It did not fit.
    Full,
    /// There is no region.
    Nowhere,
}

impl Display for Spot {
    fn say(self, words: &mut LineBuf) {
        match self {
            Spot::At(offset) => offset.say(words),
            Spot::Full => "full".say(words),
            Spot::Nowhere => "-".say(words),
        }
    }
}

/// A NAR on its way into the region, behind the last one that was kept.
pub(super) struct Export<'a> {
    home: &'a mut dyn Home,
    size: Option<u64>,
    start: u64,
    written: u64,
}

impl<'a> Export<'a> {
    /// Starts a NAR; so many bytes of the region are taken.
    pub(super) fn new(home: &'a mut dyn Home, taken: u64) -> Export<'a> {
        let size = home.region();
        Export { home, size, start: taken, written: 0 }
    }

    /// Keeps the NAR if all of it is there.
    pub(super) fn keep(self, taken: &mut u64) -> Spot {
        let Some(size) = self.size else { return Spot::Nowhere };
        match self.start.checked_add(self.written) {
            Some(end) if end <= size => {
                *taken = end.checked_next_multiple_of(ALIGNMENT).unwrap_or(size).min(size);
                Spot::At(self.start)
            }
            _ => Spot::Full,
        }
    }
}

impl Sink for Export<'_> {
    fn write(&mut self, bytes: &[u8]) {
        let offset = self.start.saturating_add(self.written);
        self.written = self.written.saturating_add(bytes.len() as u64);
        if self.size.is_some_and(|size| offset.saturating_add(bytes.len() as u64) <= size) {
            self.home.export(offset, bytes);
        }
    }
}
