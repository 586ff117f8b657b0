//! Inputs that the machine's kernel did not unpack. A kernel holds its initrd until all of it is unpacked: twice the image,
//! before the first step. So a machine can leave the inputs out of the initrd and share the whole image as the memory of a
//! device instead, which takes none of its own, and PID 1 unpacks each input from there when it is first used: in canonical
//! form, and hashed on the way.

use crate::machine::Fatal;
use core::ffi::CStr;
use formats::archive::Archive;
use formats::hex::Digest;
use formats::nar::Encoder;
use formats::plan::{Input, Name};
use formats::unpack::{Maker, input, unpack};
use init::keep::Keeper;
use init::nar::Parts;
use init::walk::{Error, Path};

/// The image, and where each of its inputs starts.
pub struct Image {
    bytes: &'static [u8],
    /// In units of four bytes, which all entries are aligned to.
    starts: &'static mut [u32],
    count: usize,
}

impl Image {
    /// Finds the inputs in an image. `starts` is room for their places.
    pub fn new(bytes: &'static [u8], starts: &'static mut [u32]) -> Result<Image, Fatal> {
        let mut image = Image { bytes, starts, count: 0 };
        let mut entries = Archive::new(bytes);
        loop {
            let start = entries.at();
            let Some(entry) = entries.next() else { return Ok(image) };
            if input(&entry.map_err(Fatal::Image)?).is_some() {
                *image.starts.get_mut(image.count).ok_or(Fatal::Image(start))? = (start / 4) as u32;
                image.count += 1;
            }
        }
    }

    /// The entries from an input on.
    fn find(&self, name: Name<'_>) -> Option<Archive<'static>> {
        let mut starts = self.starts[..self.count].iter();
        starts.find_map(|&start| {
            let bytes = self.bytes.get(start as usize * 4..)?;
            let first = Archive::new(bytes).next()?.ok()?;
            (input(&first) == Some(name.as_bytes())).then(|| Archive::new(bytes))
        })
    }

    /// Makes an input with this keeper and returns its hash, of no meaning if nobody asks. Nothing if it is not in the image.
    pub fn unpack(
        &self,
        input: &Input<'_>,
        keeper: &mut Keeper,
        buffer: &mut [u8],
        path: &mut Path,
    ) -> Option<Result<Digest, Error>> {
        self.find(input.name).map(|entries| unpack(entries, input, &mut Copier { keeper, buffer, path }))
    }
}

/// What is hashed and written is a copy that nobody outside of the machine can change.
struct Copier<'a> {
    keeper: &'a mut Keeper,
    buffer: &'a mut [u8],
    path: &'a mut Path,
}

impl Maker for Copier<'_> {
    type Error = Error;

    fn refused(what: &'static str) -> Error {
        Error::Refused(what)
    }

    fn at(&mut self, path: &[u8]) {
        self.path.set(path);
    }

    fn directory(&mut self, name: &CStr) -> Result<(), Error> {
        self.keeper.directory(name)
    }

    fn leave(&mut self) -> Result<(), Error> {
        self.keeper.leave()
    }

    fn file(
        &mut self,
        name: &CStr,
        executable: bool,
        bytes: &'static [u8],
        nar: &mut Encoder<'_>,
    ) -> Result<(), Error> {
        self.keeper.file(name, executable)?;
        for chunk in bytes.chunks(self.buffer.len()) {
            let copy = &mut self.buffer[..chunk.len()];
            copy.copy_from_slice(chunk);
            nar.data(copy);
            self.keeper.data(copy)?;
        }
        self.keeper.file_end()
    }

    fn symlink(&mut self, name: &CStr, target: &'static [u8], nar: &mut Encoder<'_>) -> Result<(), Error> {
        const TOO_LONG: Error = Error::Refused("an image out of order");
        let copy = self.buffer.get_mut(..target.len()).ok_or(TOO_LONG)?;
        copy.copy_from_slice(target);
        nar.symlink(copy);
        self.keeper.symlink(name, copy)
    }
}
