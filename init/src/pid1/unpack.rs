//! Inputs that the machine's kernel did not unpack. A kernel holds its initrd until all of it is unpacked: twice the image,
//! before the first step. So a machine can leave the inputs out of the initrd and share the whole image as the memory of a
//! device instead, which takes none of its own, and PID 1 unpacks from there what the kernel would have.
//!
//! An image is no less trusted than `/init`, which comes from it: where its names lead is not asked.

use crate::machine::{Fatal, at};
use crate::memory::{PathBuffer, terminated};
use init::archive::{Archive, Entry};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

/// Makes all that an image has below `inputs`; the kernel has unpacked the rest. Names start at the root, where PID 1 is.
pub fn inputs(image: &[u8]) -> Result<(), Fatal> {
    for entry in Archive::new(image) {
        let entry = entry.map_err(Fatal::Image)?;
        if entry.name.to_bytes().starts_with(b"inputs") {
            make(&entry).map_err(at("unpack an input"))?;
        }
    }
    Ok(())
}

fn make(entry: &Entry<'_>) -> Result<(), Errno> {
    let mode = Mode::from_raw_mode(entry.mode);
    match FileType::from_raw_mode(entry.mode) {
        FileType::Directory => rustix::fs::mkdir(entry.name, Mode::from_raw_mode(0o755)),
        FileType::Symlink => {
            let mut target: PathBuffer = [0; _];
            let target = terminated(entry.data, &mut target).ok_or(Errno::NAMETOOLONG)?;
            rustix::fs::symlink(target, entry.name)
        }
        FileType::RegularFile => {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            let file = rustix::fs::open(entry.name, flags, mode)?;
            let mut rest = entry.data;
            while !rest.is_empty() {
                let written = rustix::io::write(&file, rest)?;
                rest = rest.get(written..).unwrap_or_default();
            }
            Ok(())
        }
        _ => Err(Errno::INVAL),
    }
}
