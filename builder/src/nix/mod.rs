//! Derivations of Nix and Guix, from the command line to everything that an image is made of.
//!
//! | module | subject |
//! |---|---|
//! | `files` | where `.drv` files come from |
//! | `places` | where what stands in a store comes from: folders, NAR files, binary caches |
//! | `obtain`, `content`, `scan`, `hash` | all that is not built: found or fetched, verified, searched for references |
//! | `lacking` | what can not be had anywhere, before anything is fetched |
//! | `prepare`, `taken`, `keys` | all of it as a plan with its inputs, outputs of earlier runs among them |
//! | `stages` | plans one after the other, where one is not enough |
//! | `verdict` | what derivations demand of their outputs, as far as PID 1 can't judge it |
//! | `out` | outputs as a binary cache |

mod content;
pub mod files;
mod hash;
mod keys;
mod lacking;
mod obtain;
pub mod out;
mod places;
mod prepare;
pub mod resolved;
pub mod stages;
mod taken;
#[cfg(test)]
mod tests;
pub mod verdict;

use crate::args;
use crate::failure::Failure;
use graphs::drv::{Closure, closure};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use prepare::{Imported, is_named, prepare, take_over, unit, units};

/// What a derivation goes by that is read from standard input.
pub const STDIN: &str = "-.drv";

/// The file that is meant by what was named: `-` is a derivation on standard input.
pub fn named(path: PathBuf) -> PathBuf {
    if path == Path::new("-") { PathBuf::from(STDIN) } else { path }
}

/// A closure that was read and checked, and how it is to be built.
pub struct Loaded {
    /// Where its root was read from.
    pub path: PathBuf,
    /// All of it.
    pub closure: Arc<Closure>,
    /// What was asked for.
    pub args: args::Drv,
}

/// Whether a graph that was named is a derivation.
pub fn is(graph: &args::Graph) -> Option<&Path> {
    graph.path.as_deref().filter(|path| path.extension().is_some_and(|ending| ending == "drv"))
}

/// Reads and checks a derivation and all that it needs; its text comes along.
pub fn load(path: &Path, args: &args::Drv) -> Result<(Loaded, String), Failure> {
    read(path, files::root(path)?, args)
}

/// The same, the derivation's own bytes being known.
pub fn read(path: &Path, bytes: Vec<u8>, args: &args::Drv) -> Result<(Loaded, String), Failure> {
    let files = files::Files::open(Some(path), &args.store)?;
    let name = path.display().to_string();
    let closure = closure::load(&name, &bytes, &mut |path| files.find(path)).map_err(Failure::several)?;
    let loaded = Loaded { path: path.to_owned(), closure: Arc::new(closure), args: args.clone() };
    Ok((loaded, String::from_utf8_lossy(&bytes).into_owned()))
}
