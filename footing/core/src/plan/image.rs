//! The archive that an image is: its plan, and where each of its inputs starts.

use super::Numbers;
use super::reason::Fatal;
use formats::archive::Archive;
use formats::unpack::input;

/// An image, and where each of its inputs starts.
pub(super) struct Image {
    bytes: &'static [u8],
    /// In units of four bytes, which all entries are aligned to.
    starts: Numbers,
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
        let mut starts = Numbers::new();
        let mut entries = Archive::new(bytes);
        loop {
            let start = entries.at();
            let Some(entry) = entries.next() else { return Ok(Image { bytes, starts }) };
            if let Some(name) = input(&entry.map_err(Fatal::Image)?) {
                let start = u32::try_from(start / 4).map_err(|_| Fatal::Image(start))?;
                if !starts.contains_key(name) {
                    starts.insert(name.into(), start);
                }
            }
        }
    }

    /// The entries from an input on.
    pub(super) fn input(&self, name: &[u8]) -> Option<Archive<'static>> {
        let start = usize::try_from(*self.starts.get(name)?).ok()?;
        self.bytes.get(start.checked_mul(4)?..).map(Archive::new)
    }
}
