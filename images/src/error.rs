//! What can go wrong while an image is written.

use std::io;
use std::path::PathBuf;

/// Why an image could not be written. Every variant that concerns a file names it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An input could not be opened, listed or read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The image's destination took no more.
    #[error("writing the image: {0}")]
    Write(#[source] io::Error),
    /// A device, FIFO or socket in a tree.
    #[error("{}: {found}; an input holds only directories, files and symbolic links", path.display())]
    SetIdPolicy {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
    /// An input is not of the kind that was declared.
    #[error("{}: expected {expected}, found {found}", path.display())]
    Kind {
        /// The input's path.
        path: PathBuf,
        /// What was declared.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// The newc format has 32 bits for a size.
    #[error("{}: {size} bytes, but an initrd holds files of at most 4294967295 bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        size: u64,
    },
    /// A file got longer or shorter while it was read.
    #[error("{}: changed while it was read: expected {expected} bytes, found {found}", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// Its size when it was opened.
        expected: u64,
        /// How many bytes there were: at least this many if it grew.
        found: u64,
    },
    /// The kernel skips entries with longer names or link targets without a word.
    #[error("{}: {what} of {length} bytes; the kernel takes at most {limit}", path.display())]
    TooLong {
        /// The entry.
        path: PathBuf,
        /// Name or link target.
        what: &'static str,
        /// Its length.
        length: usize,
        /// The kernel's limit.
        limit: usize,
    },
    /// A name that could leave its folder, or twice the same name.
    #[error("input `{name}`: {why}")]
    Name {
        /// The input's name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// More than 4294967295 entries.
    #[error("more entries than an initrd can number")]
    TooMany,
}
