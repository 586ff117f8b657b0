//! `groundup image --usb`: a disk that boots the image.

use crate::args;
use crate::failure::Failure;
use crate::prepare::{self, Prepared};
use crate::run::pack::{Written, pack};
use crate::run::preflight::folder;
use crate::run::{built, kernel};
use formats::digest::Sha256;
use sha2::Digest;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Seek};
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// The command line of a Linux kernel: messages on screen and serial port, what is said of the plan on the serial port. For the rest see
/// `qemu`'s list of the same.
const LINE: &str = "console=tty0 console=ttyS0,115200 norandmaps panic=60 random.trust_cpu=off \
    random.trust_bootloader=off rootfstype=ramfs";

/// The kernel of a disk.
pub struct Kernel {
    /// Its bytes.
    pub bytes: Vec<u8>,
    line: &'static str,
}

/// A disk that was written.
pub struct Disk {
    /// Of the file.
    pub sha256: Sha256,
    /// Bytes of the file.
    pub size: u64,
}

impl Kernel {
    /// The kernel of this name, or of this file; `script`: whether a shell script is to carry out the plan.
    pub fn obtain(name: &str, script: bool, cache: &args::Cache) -> Result<Kernel, Failure> {
        if script && name == "footing" {
            return Err(Failure::help(
                "--script: footing carries out the plan itself",
                "take a Linux kernel, such as --kernel minimal",
            ));
        }
        kernel::probe(Some(name))?;
        let cache = prepare::cache(cache);
        let asked =
            args::Tools { kernel: Some(name.to_owned()), qemu: args::QEMU.into(), built: BTreeMap::new() };
        let tools = built::tools(&asked, &cache)?;
        let kernel = kernel::kernel(&tools, &cache, false)?;
        let fail = |error: io::Error| Failure::machine(format!("{}: {error}", kernel.path.display()));
        let line = if kernel.is_footing() { "" } else { LINE };
        Ok(Kernel { bytes: fs::read(&kernel.path).map_err(fail)?, line })
    }

    /// Writes the image of what is prepared, and a disk with it.
    pub fn write(
        &self,
        prepared: &Prepared,
        plan: &str,
        (path, file): (&Path, &File),
        cancel: &AtomicBool,
    ) -> Result<(Written, Disk), Failure> {
        let fail = |error: io::Error| Failure::written(path, "the disk", &error);
        let mut image = tempfile::tempfile_in(folder(path)).map_err(fail)?;
        let written = pack(&prepared.image(), (path, &image), false, cancel)?;
        image.rewind().map_err(fail)?;
        // Another plan, another disk, also for an operating system that finds two of them.
        let id = u32::from_str_radix(plan.get(..8).unwrap_or_default(), 16).unwrap_or(0);
        let disk = images::disk::Disk { kernel: &self.bytes, line: self.line, id, image: written.size };
        let mut out = file;
        let size = images::disk::write(&disk, &mut image, &mut out).map_err(|error| match error {
            images::disk::Error::Io(error) => fail(error),
            error => Failure::input(error),
        })?;
        out.rewind().map_err(fail)?;
        Ok((written, Disk { sha256: hash(out).map_err(fail)?, size }))
    }
}

/// Of all that is left of a file.
fn hash(mut file: &File) -> io::Result<Sha256> {
    let mut hash = sha2::Sha256::new();
    io::copy(&mut file, &mut HashWriter(&mut hash))?;
    Ok(<[u8; 32]>::from(hash.finalize()).into())
}

struct HashWriter<'a>(&'a mut sha2::Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
