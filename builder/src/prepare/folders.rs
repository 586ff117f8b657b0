//! Folders that are used while something is made.

use std::path::{Path, PathBuf};

/// Where a cache that was opened has room for what is being made.
pub fn temporary(cache: &Path) -> PathBuf {
    cache.join("tmp")
}
