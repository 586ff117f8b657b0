//! Derivations of Nix and Guix, from the command line to everything that an image is made of.
//!
//! | module | subject |
//! |---|---|
//! | `files` | where `.drv` files come from |

pub mod files;

use crate::args;
use crate::failure::Failure;
use graphs::drv::{Closure, closure};
use std::path::Path;

/// The name that stands for standard input.
pub const STDIN: &str = "-.drv";

/// Whether a graph that was named is a derivation.
pub fn is(graph: &args::Graph) -> Option<&Path> {
    graph.path.as_deref().filter(|path| path.extension().is_some_and(|ending| ending == "drv"))
}

/// Reads and checks a derivation and all that it needs; its text comes along.
pub fn load(path: &Path, args: &args::Drv) -> Result<(Closure, String), Failure> {
    let bytes = files::root(path)?;
    let files = files::Files::open(Some(path), &args.store)?;
    let name = path.display().to_string();
    let closure = closure::load(&name, &bytes, &mut |path| files.find(path)).map_err(Failure::several)?;
    Ok((closure, String::from_utf8_lossy(&bytes).into_owned()))
}
