//! `groundup kernel`: obtains a kernel and says where it is.

use crate::args::{self, KernelName};
use crate::failure::Failure;
use crate::{prepare, term};

/// Prints its hash and its place in the cache.
pub fn kernel(name: KernelName, cache: &args::Cache) -> Result<(), Failure> {
    let kernel = match name {
        KernelName::Debian => images::kernel::debian(&prepare::cache(cache)).map_err(Failure::input)?,
    };
    term::note(&format!("{} {}", kernel.package, kernel.version));
    term::result(&format!("{}  {}\n", kernel.sha256, kernel.path.display()))
}
