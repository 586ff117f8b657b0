//! What a machine gets an image through.
//!
//! A kernel holds its initrd until all of it is unpacked, so inputs in an initrd take their size twice. QEMU's machines get an
//! initrd of PID 1 and the plan alone, and the whole image as the memory of a device, which takes none of the machine's own
//! and from which PID 1 unpacks the inputs. A PID 1 that is a script can't read a device, and gets all from its kernel; the
//! host machine unpacks the image's file itself.

use crate::failure::Failure;
use crate::prepare;
use crate::run::pack::{Written, pack};
use qemu::{Inputs, Machine, Profile};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use tempfile::NamedTempFile;

/// Each entry fills a last page by half, and has an inode and a name: at most so many bytes beside its content.
const ENTRY: u64 = 5 << 10;
/// The least that a device's memory can have; it has a power of two as its size.
const PAGE: u64 = 4096;

/// An image, ready for machines; its files go with this.
pub struct Boot {
    image: NamedTempFile,
    initrd: Option<NamedTempFile>,
    /// What was written.
    pub written: Written,
    /// Bytes of memory that it takes until PID 1 starts the first step.
    pub footprint: u64,
}

impl Boot {
    /// Packs an image into a file in the cache folder.
    pub fn pack(image: &images::Image<'_>, cache: &Path, cancel: &AtomicBool) -> Result<Boot, Failure> {
        // Where old files are swept away, should this process be killed.
        let folder = prepare::temporary(cache);
        let make = || {
            let file = tempfile::Builder::new().prefix("image-").tempfile_in(&folder);
            file.map_err(|error| fail(cache, &error))
        };
        let file = make()?;
        let written = pack(image, (file.path(), file.as_file()), false, cancel)?;
        let takes = written.unpacked + ENTRY * u64::from(written.entries);
        if image.shell.is_some() {
            return Ok(Boot { image: file, initrd: None, footprint: takes + written.unpacked, written });
        }
        let initrd = make()?;
        let to = (initrd.path(), initrd.as_file());
        pack(&images::Image { inputs: Vec::new(), ..image.clone() }, to, false, cancel)?;
        Ok(Boot { image: file, initrd: Some(initrd), footprint: takes, written })
    }

    /// A machine that boots it.
    pub fn machine(&self, kernel: &Path, profile: Profile) -> Result<Machine, Failure> {
        let image = self.image.path();
        let Some(initrd) = self.initrd.as_ref().filter(|_| !profile.is_this_program()) else {
            return Ok(Machine { profile, ..Machine::new(kernel, image) });
        };
        // What is behind the end of an archive is nothing, and no room is taken for it.
        let size = self.written.size.max(PAGE).next_power_of_two();
        self.image.as_file().set_len(size).map_err(|error| fail(image, &error))?;
        let inputs = Some(Inputs { image: image.to_owned(), size });
        Ok(Machine { profile, inputs, ..Machine::new(kernel, initrd.path()) })
    }
}

fn fail(path: &Path, error: &std::io::Error) -> Failure {
    match inputs::is_full(error) {
        true => Failure::written(path, "the image", error),
        false => Failure::machine(format!("{}: {error}", path.display())),
    }
}
