//! The archive that an image is: its plan, and where each of its inputs starts.

use super::reason::Fatal;
use alloc::collections::BTreeMap;
use formats::archive::Archive;
use formats::unpack::input;

/// An image, and where each of its inputs starts.
pub(super) struct Image {
    bytes: &'static [u8],
    starts: BTreeMap<&'static [u8], usize>,
}

impl Image {
    /// The bytes of `/plan`. What is behind a mistake in the archive is not there.
    pub(super) fn plan(bytes: &'static [u8]) -> Result<&'static [u8], Fatal> {
        let mut plan = Err(Fatal::NoPlan);
        for entry in Archive::new(bytes) {
            match entry {
                Ok(entry) if entry.name == c"plan" => plan = Ok(entry.data),
                Ok(_) => {}
                Err(offset) if plan.is_err() => return Err(Fatal::Image(offset)),
                Err(_) => {}
            }
        }
        plan
    }

    /// Finds the inputs in an image.
    pub(super) fn new(bytes: &'static [u8]) -> Result<Image, Fatal> {
        let mut starts = BTreeMap::new();
        let mut entries = Archive::new(bytes);
        loop {
            let start = entries.at();
            let Some(entry) = entries.next() else { return Ok(Image { bytes, starts }) };
            if let Some(name) = input(&entry.map_err(Fatal::Image)?) {
                starts.entry(name).or_insert(start);
            }
        }
    }

    /// The entries from an input on.
    pub(super) fn input(&self, name: &[u8]) -> Option<Archive<'static>> {
        self.bytes.get(*self.starts.get(name)?..).map(Archive::new)
    }
}
