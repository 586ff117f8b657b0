//! Archives to trees, without root and without trust.
//!
//! Formats, detected by their first bytes and never by a name: Debian package (ar), zip and wheel, tar; each tar plain or
//! packed by gzip, bzip2, xz or zstd. Restrictions, enforced by [`builder`]: no absolute path, no `..`, no member below
//! something that is no folder (a symbolic link is none), no member twice, no devices, FIFOs or sockets, hard links only
//! to members; limits on the bytes of all archives of a tree together, packed ones ([`bound`]) and unpacked ones
//! ([`Limits`]), whether they are taken or not, and on members and the length of their names. Symbolic links come last, so that no write can go through one. Owners,
//! times, modes but the owner's executable bit, and extended attributes are dropped: the image has none of them.

mod builder;
mod deb;
mod names;
mod tar;
#[cfg(test)]
mod tests;
mod zip;

use super::pick;
use builder::Builder;
use std::{
    fs::File,
    io::{self, BufReader, Read, Seek},
    path::{Path, PathBuf},
};

/// What is wrong with an archive. Member names are shown escaped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("this is no archive that is known (tar plain or packed by gzip, bzip2, xz, zstd; zip; deb)")]
    Unknown,
    #[error("no data.tar inside: this is no Debian package")]
    NoData,
    #[error("{after}: {source}")]
    Broken { after: String, source: io::Error },
    #[error("member \"{member}\": {what}")]
    Member { member: String, what: String },
    #[error("\"{member}\" is in {first} too, and differs there")]
    Clash { member: String, first: String },
    #[error("more than {0} bytes unpacked, all archives of the input taken together")]
    TooLarge(u64),
    #[error("more than {0} members")]
    TooMany(usize),
    #[error("nothing is left after strip: {0}")]
    Empty(usize),
    #[error(transparent)]
    Pick(#[from] pick::Error),
}

impl Error {
    /// The error itself, or what the system said if it was the disk that had no room, and not the archive that is wrong.
    pub fn full(self) -> Result<Self, io::Error> {
        match self {
            Error::Broken { source, .. } if super::error::is_full(&source) => Err(source),
            other => Ok(other),
        }
    }
}

/// How large a tree may become.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes unpacked, whether they are taken or not.
    pub bytes: u64,
    /// Members, whether they are taken or not.
    pub members: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { bytes: 8 << 30, members: 2_000_000 }
    }
}

/// Times that what is packed may grow, when it is more than [`SMALL`].
const GROWTH: u64 = 256;
/// Bytes that anything may become.
const SMALL: u64 = 256 << 20;

/// How many bytes archives of `packed` bytes may become: 256 times as many, but 256 MiB in any case, and never more than
/// `limit`. Ordinary archives become 3 to 20 times as large; what becomes more than that is made to fill a disk.
pub fn bound(packed: u64, limit: u64) -> u64 {
    packed.saturating_mul(GROWTH).max(SMALL).min(limit)
}

/// What to make of the archives.
#[derive(Clone, Copy, Debug)]
pub struct Recipe<'a> {
    /// Leading components removed.
    pub strip: usize,
    /// Patterns of what to take, after `strip`.
    pub pick: &'a [String],
    pub limits: Limits,
}

/// Unpacks the archives (name for messages, file) over one another into the new folder `root`. On failure whatever is
/// there is to be thrown away; the error comes with the name of the archive it is about.
pub fn unpack(archives: &[(String, PathBuf)], recipe: Recipe, root: &Path) -> Result<(), (String, Error)> {
    let size = |(_, path): &(String, PathBuf)| path.metadata().map_or(0, |meta| meta.len());
    let bytes = bound(archives.iter().map(size).sum(), recipe.limits.bytes);
    let recipe = Recipe { limits: Limits { bytes, ..recipe.limits }, ..recipe };
    let all = || archives.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
    let mut builder = Builder::new(root, recipe).map_err(|error| (all(), error))?;
    for (name, path) in archives {
        one(&mut builder, name, path).map_err(|error| (name.clone(), error))?;
    }
    builder.finish().map_err(|error| (all(), error))
}

/// A picked hard link may point at a member that is not picked and already gone by: then the archive is read again.
fn one(builder: &mut Builder, name: &str, path: &Path) -> Result<(), Error> {
    builder.begin(name);
    loop {
        let mut file =
            File::open(path).map_err(|source| Error::Broken { after: "opening it".into(), source })?;
        any(builder, &mut file)?;
        if !builder.again() {
            return Ok(());
        }
    }
}

fn any(builder: &mut Builder, file: &mut File) -> Result<(), Error> {
    let start = |source| Error::Broken { after: "at its start".into(), source };
    let mut magic = Vec::new();
    file.by_ref().take(8).read_to_end(&mut magic).map_err(start)?;
    file.rewind().map_err(start)?;
    match &magic[..] {
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => zip::read(builder, BufReader::new(file)),
        b"!<arch>\n" => deb::read(builder, BufReader::new(file)),
        _ => tar::read(builder, BufReader::new(file)),
    }
}

/// A name as it can be printed.
fn show(name: &[u8]) -> String {
    graphs::words::shown(&String::from_utf8_lossy(name)).into_owned()
}
