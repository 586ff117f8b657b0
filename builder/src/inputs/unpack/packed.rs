//! What packs archives: gzip, bzip2, xz, zstd, told by the first bytes.

use std::io::{self, BufRead, Read};

/// What xz may take of memory to unpack: `xz -9` needs an eighth of it. A header of some bytes may ask for 4 GiB.
const MEMORY: u64 = 512 << 20;

/// What is behind gzip, bzip2, xz or zstd, or the bytes themselves.
pub fn unpacked<'r>(mut from: impl BufRead + 'r) -> io::Result<Box<dyn Read + 'r>> {
    Ok(match from.fill_buf()? {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(from)),
        [b'B', b'Z', b'h', ..] => Box::new(bzip2::bufread::MultiBzDecoder::new(from)),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            let stream = xz2::stream::Stream::new_stream_decoder(MEMORY, xz2::stream::CONCATENATED)?;
            Box::new(xz2::bufread::XzDecoder::new_stream(from, stream))
        }
        // The crate's own limit is a window of 128 MiB.
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::stream::read::Decoder::with_buffer(from)?),
        _ => Box::new(from),
    })
}

/// One stream of xz, and what is behind it left where it is.
pub fn xz<'r>(from: impl BufRead + 'r) -> io::Result<impl Read + 'r> {
    let stream = xz2::stream::Stream::new_stream_decoder(MEMORY, 0)?;
    Ok(xz2::bufread::XzDecoder::new_stream(from, stream))
}
