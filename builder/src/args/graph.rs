//! Which graph a command works on, and what derivations of Nix and Guix need beside it.

use crate::nix;
use crate::ui::term::quoted;
use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser as _};
use std::ffi::OsString;
use std::path::PathBuf;

/// The graph.
#[derive(Debug, Args)]
pub struct Graph {
    /// A graph in RON, or a derivation of Nix or Guix, NAME.drv (-: a derivation on standard input); without one, graph.ron in
    /// this folder or, if there is none, the seed graph that is built in
    #[arg(value_name = "GRAPH", value_parser = OsStringValueParser::new().try_map(not_empty))]
    pub path: Option<PathBuf>,
    /// What only derivations of Nix and Guix need.
    #[command(flatten)]
    pub drv: Drv,
}

/// The graph, where a derivation of Nix or Guix can not stand for one.
#[derive(Debug, Args)]
pub struct RonGraph {
    /// A graph in RON; without one, graph.ron in this folder or, if there is none, the seed graph that is built in
    #[arg(value_name = "GRAPH", value_parser = OsStringValueParser::new().try_map(not_empty))]
    pub path: Option<PathBuf>,
}

/// In MiB: what a step of a derivation may write, if nobody says more.
pub const SPACE: u64 = 1024;

/// Where derivations of Nix and Guix, and what they are built of, come from.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Derivations of Nix and Guix")]
pub struct Drv {
    /// A folder or an archive with the derivations that NAME.drv needs; the folder that it is in is always tried last
    #[arg(long, value_name = "DIR|ARCHIVE")]
    pub store: Vec<PathBuf>,
    /// Where sources, fixed outputs and given outputs are: a store's folder, a NAR file, a binary cache (a folder or a URL);
    /// folders of --store are tried too, and fixed outputs are fetched by their own URLs
    #[arg(long, value_name = "DIR|NAR|URL")]
    pub inputs: Vec<PathBuf>,
    /// Take the outputs of this derivation as given, and build only what needs them
    #[arg(long, value_name = "NAME")]
    pub stop_at: Vec<String>,
    /// The program that is /bin/sh in Nix's sandbox; without one there is none
    #[arg(long, value_name = "FILE")]
    pub sh: Option<PathBuf>,
    /// Space for a step's outputs, and again for its other files, in MiB
    #[arg(long, value_name = "MIB", default_value_t = SPACE, value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    pub space: u64,
}

impl Drv {
    /// These options again, as they stand on a command line.
    pub fn words(&self) -> String {
        let paths = |option: &str, paths: &[PathBuf]| -> String {
            paths.iter().map(|path| format!(" --{option} {}", quoted(&path.display().to_string()))).collect()
        };
        let sh = paths("sh", self.sh.as_slice());
        let stop: String = self.stop_at.iter().map(|name| format!(" --stop-at {}", quoted(name))).collect();
        let space = if self.space == SPACE { String::new() } else { format!(" --space {}", self.space) };
        paths("store", &self.store) + &paths("inputs", &self.inputs) + &stop + &sh + &space
    }
}

/// A graph's name. An empty one is what a shell makes of a command that failed, as in `"$(nix-instantiate …)"`.
fn not_empty(name: OsString) -> Result<PathBuf, &'static str> {
    match name.is_empty() {
        true => Err("the name of the graph is empty: what was to print it printed nothing"),
        false => Ok(nix::named(name.into())),
    }
}
