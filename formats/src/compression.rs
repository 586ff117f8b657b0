//! gzip, bzip2, xz and zstd, recognised by their first bytes and never by a name.

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the formats' own names")]
pub enum Compression {
    Gzip,
    Bzip2,
    Xz,
    Zstd,
}

impl Compression {
    /// That of a file with these first bytes, six of which are enough; `None` of anything else.
    pub fn of(start: &[u8]) -> Option<Compression> {
        match start {
            [0x1f, 0x8b, ..] => Some(Compression::Gzip),
            [b'B', b'Z', b'h', ..] => Some(Compression::Bzip2),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Compression::Xz),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Compression::Zstd),
            _ => None,
        }
    }

    /// Its name, as narinfos and people spell it.
    pub fn name(self) -> &'static str {
        match self {
            Compression::Gzip => "gzip",
            Compression::Bzip2 => "bzip2",
            Compression::Xz => "xz",
            Compression::Zstd => "zstd",
        }
    }

    /// The one of a name.
    pub fn named(name: &str) -> Option<Compression> {
        [Compression::Gzip, Compression::Bzip2, Compression::Xz, Compression::Zstd]
            .into_iter()
            .find(|compression| compression.name() == name)
    }
}

#[cfg(feature = "decompress")]
pub use read::{decompress, xz};

#[cfg(feature = "decompress")]
mod read {
    use super::Compression;
    use std::io::{self, BufRead, Read};

    /// Bytes of memory that xz may take: `xz -9` needs an eighth of it. A header of some bytes may ask for 4 GiB.
    const MEMORY: u64 = 512 << 20;

    /// What is compressed, or the bytes themselves if they are not.
    pub fn decompress<'r>(mut from: impl BufRead + 'r) -> io::Result<Box<dyn Read + 'r>> {
        Ok(match Compression::of(from.fill_buf()?) {
            Some(Compression::Gzip) => Box::new(flate2::bufread::MultiGzDecoder::new(from)),
            Some(Compression::Bzip2) => Box::new(bzip2::bufread::MultiBzDecoder::new(from)),
            Some(Compression::Xz) => {
                let stream = xz2::stream::Stream::new_stream_decoder(MEMORY, xz2::stream::CONCATENATED)?;
                Box::new(xz2::bufread::XzDecoder::new_stream(from, stream))
            }
            // The crate's own limit is a window of 128 MiB.
            Some(Compression::Zstd) => Box::new(zstd::stream::read::Decoder::with_buffer(from)?),
            None => Box::new(from),
        })
    }

    /// One stream of xz, and what is behind it left where it is.
    pub fn xz<'r>(from: impl BufRead + 'r) -> io::Result<impl Read + 'r> {
        let stream = xz2::stream::Stream::new_stream_decoder(MEMORY, 0)?;
        Ok(xz2::bufread::XzDecoder::new_stream(from, stream))
    }
}
