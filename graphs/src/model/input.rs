//! Seeds and sources: where they can be had, and what becomes of what is had there.

use serde::Deserialize;

/// A seed or a source.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Where it can be had, to be tried in this order.
    pub from: Vec<Place>,
    /// The sha256 of the file that a place gives, before it is unpacked; in hex.
    #[serde(default)]
    pub sha256: Option<String>,
    /// Whether the file is a program.
    #[serde(default)]
    pub executable: bool,
    /// Of a source that is a tree: whether its programs may be run where they are. What is run is trusted.
    #[serde(default)]
    pub exec: bool,
    /// Whether the file is an archive that is to become a tree.
    #[serde(default)]
    pub unpack: bool,
    /// How many leading components are taken off every path of the tree.
    #[serde(default)]
    pub strip: u32,
    /// The paths and globs of the tree that are kept; empty keeps all of it.
    #[serde(default)]
    pub pick: Vec<String>,
}

/// Where an input can be had.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Place {
    /// The text itself, as UTF-8.
    Text(String),
    /// Bytes in hex, with comments; see [`crate::hex`].
    Hex(String),
    /// A file below the graph's folder.
    File(String),
    /// An address that is fetched with HTTP or HTTPS.
    Url(String),
    /// Debian binary packages, through the machine's own `apt`; their files, merged, are a tree.
    Debian {
        /// `NAME` or `NAME=VERSION` of each.
        packages: Vec<String>,
        /// The release they come from; the machine's own if left out.
        #[serde(default)]
        suite: Option<String>,
        /// Whether all that they depend on comes along, as `apt` resolves it.
        #[serde(default)]
        dependencies: bool,
    },
    /// A file of a Debian source package.
    DebianSource {
        /// The source package.
        package: String,
        /// Its version.
        version: String,
        /// Which of its files.
        file: String,
        /// The release it comes from; the machine's own if left out.
        #[serde(default)]
        suite: Option<String>,
    },
    /// A wheel from PyPI, through `pip`.
    Wheel {
        /// The distribution's name.
        package: String,
        /// Its version; floats if left out.
        #[serde(default)]
        version: Option<String>,
    },
}

/// The form in which an input lies in the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A plain file; its sha256 is that of its bytes.
    File,
    /// A program in one file; its sha256 is that of its bytes.
    Exec,
    /// A directory; its sha256 is that of its NAR.
    Tree,
    /// A directory that is only read; its sha256 is that of its NAR.
    Data,
}

impl Kind {
    /// The word for it in a plan.
    pub fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Exec => "exec",
            Self::Tree => "tree",
            Self::Data => "data",
        }
    }
}

impl Input {
    /// The form that its places and fields give it.
    pub fn kind(&self) -> Kind {
        let merged = self.from.iter().any(|place| matches!(place, Place::Debian { .. }));
        match (self.unpack || merged, self.executable) {
            (true, _) => Kind::Tree,
            (false, true) => Kind::Exec,
            (false, false) => Kind::File,
        }
    }
}

impl Place {
    /// Whether the place is a package, whose version and hash a lock file can hold.
    pub fn is_package(&self) -> bool {
        matches!(self, Self::Debian { .. } | Self::DebianSource { .. } | Self::Wheel { .. })
    }
}
