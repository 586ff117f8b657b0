//! Why there is no kernel, and what to do about it.

use std::io;
use std::path::PathBuf;

/// Why a kernel could not be obtained or built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program of Debian's is not there.
    #[error(
        "`{0}` was not found: Debian's kernel needs a Debian system; name a kernel file with --kernel instead"
    )]
    NoProgram(&'static str),
    /// apt's lists are missing or hold no kernel.
    #[error("apt knows no package {0}: run `apt-get update` as root, then try again")]
    NoLists(&'static str),
    /// apt could not download the package.
    #[error(
        "apt could not download {package}: {stderr}\nrun `apt-get update` as root, check the network, then try again"
    )]
    Download {
        /// The package and its version.
        package: String,
        /// What apt said.
        stderr: String,
    },
    /// The package is not as expected.
    #[error("{package}: {what}")]
    Package {
        /// The package.
        package: String,
        /// What is wrong.
        what: String,
    },
    /// What a kernel is built with is not all there.
    #[error(
        "a kernel can't be built here without {}; on Debian: `apt-get install {}`",
        missing.join(", "), packages.join(" ")
    )]
    NoTools {
        /// Programs and headers.
        missing: Vec<&'static str>,
        /// Debian's packages that have them.
        packages: Vec<&'static str>,
    },
    /// make splits such a folder's name.
    #[error(
        "{}: a kernel can't be built below a folder whose name holds a space or a colon; name another with --cache",
        .0.display()
    )]
    Folder(PathBuf),
    /// The kernel's build failed.
    #[error("the kernel could not be built ({status}); it last said:\n{said}")]
    Build {
        /// How it ended.
        status: String,
        /// Its last lines.
        said: String,
    },
    /// The caller wanted no more.
    #[error("cancelled")]
    Cancelled,
    /// The cache folder could not be used.
    #[error("{}: {source}", path.display())]
    Cache {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
