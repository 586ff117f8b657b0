//! Removing what is of no use any more.

use std::fs;
use std::path::Path;

/// Removes whatever it is. Folders of hostile modes can't be here: the unpacker gives every one its own mode.
pub fn discard(path: &Path) {
    let _ =
        if path.is_dir() && !path.is_symlink() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
}
