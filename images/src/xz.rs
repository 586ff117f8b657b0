//! Compression in the one form that every kernel with `CONFIG_RD_XZ` takes.
//!
//! One thread and one block, so that the bytes do not depend on the host; CRC32, because the kernel's decoder knows
//! no other check (`Documentation/staging/xz.rst`); preset 6, whose 8 MiB dictionary is all the memory it costs the
//! guest. liblzma is the one built into this crate: another version may choose other bytes.

use std::io::{self, Write};

use xz2::stream::{Check, Stream};
use xz2::write::XzEncoder;

use crate::Error;

/// The preset that all images are compressed with.
const PRESET: u32 = 6;

/// A writer that compresses into `out`; `finish` it.
pub(crate) fn encoder<W: Write>(out: W) -> Result<XzEncoder<W>, Error> {
    let stream = Stream::new_easy_encoder(PRESET, Check::Crc32)
        .map_err(|error| Error::Write(io::Error::other(error)))?;
    Ok(XzEncoder::new_stream(out, stream))
}
