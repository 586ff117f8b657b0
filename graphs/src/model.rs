//! The graph as it is written: what RON may say, before anything is decided.
//!
//! Encoding: RON, as `ron` 0.12 reads it with `implicit_some`, so that an optional field is written as its
//! plain value. Every struct refuses unknown fields, every map keeps its first entry under a name and remembers
//! names that came again ([`Table`]). What may be left out, and what then holds, is in [`defaults`].
//!
//! Restrictions on what the fields may hold are not enforced here but in [`check()`](crate::check()), so that one run can
//! report all of them.

pub mod defaults;
mod input;
mod table;

pub use input::{Input, Kind, Place};
use serde::Deserialize;
pub use table::Table;

/// A whole graph: derivations, what they start from, and what is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Graph {
    /// Inputs that are executable and trusted as they are; they may float.
    #[serde(default)]
    pub seeds: Table<Input>,
    /// Inputs that are only read; always pinned.
    #[serde(default)]
    pub sources: Table<Input>,
    /// Named alternatives for an input.
    #[serde(default)]
    pub choices: Table<Choice>,
    /// The builds.
    pub derivations: Table<Derivation>,
    /// The derivations whose outputs are wanted.
    pub targets: Vec<String>,
}

/// Alternatives for an input, of which one is chosen for a run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// The alternative that is taken unless another is asked for.
    pub default: String,
    /// The alternatives.
    pub of: Table<Alternative>,
}

/// What one alternative of a choice adds to a derivation that has the choice among its inputs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alternative {
    /// Seeds, sources and outputs.
    #[serde(default)]
    pub inputs: Vec<String>,
    /// Further places for them.
    #[serde(default)]
    pub mounts: Table<String>,
    /// The builder, for a derivation whose builder is the choice.
    #[serde(default)]
    pub builder: Option<String>,
    /// Arguments that stand before the derivation's own, for a derivation whose builder is the choice.
    #[serde(default)]
    pub args: Vec<String>,
    /// Environment; the derivation's own wins.
    #[serde(default)]
    pub env: Table<String>,
}

/// One build.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Derivation {
    /// An absolute path inside what the step declares, or the name of a choice.
    pub builder: String,
    /// The arguments after `argv[0]`, which is the builder's base name.
    #[serde(default)]
    pub args: Vec<String>,
    /// Environment on top of the native one.
    #[serde(default)]
    pub env: Table<String>,
    /// Seeds, sources, choices and outputs of derivations; each appears at `/store/NAME`.
    #[serde(default)]
    pub inputs: Vec<String>,
    /// Further places: absolute path to `INPUT` or `INPUT/PATH-INSIDE`.
    #[serde(default)]
    pub mounts: Table<String>,
    /// What it makes: `out` is `/store/NAME`, any other `/store/NAME-OUTPUT`.
    #[serde(default = "defaults::outputs")]
    pub outputs: Vec<String>,
    /// The sha256 that an output must have, in hex: of its NAR, as `groundup run` prints it, or, with `flat:` before it, of a
    /// plain file's bytes, as `sha256sum` prints it.
    #[serde(default)]
    pub expect: Table<String>,
    /// Files inside an output, and the sha256 that the bytes of each must have: `PATH` in the output `out` or in the only one
    /// there is, else `OUTPUT:PATH`.
    #[serde(default)]
    pub expect_files: Table<String>,
    /// The working directory.
    #[serde(default = "defaults::directory")]
    pub directory: String,
    /// Time limit in seconds.
    #[serde(default = "defaults::time")]
    pub time: u64,
    /// Limit of what the builder may print, in bytes.
    #[serde(default = "defaults::log")]
    pub log: u64,
    /// Limit of each of the step's two file systems, in bytes.
    #[serde(default = "defaults::space")]
    pub space: u64,
    /// Memory that the builder needs, in bytes.
    #[serde(default = "defaults::memory")]
    pub memory: u64,
    /// Limit of processes.
    #[serde(default = "defaults::processes")]
    pub processes: u64,
}

/// What stands before the sha256 of a plain file's bytes in `expect`.
pub const FLAT: &str = "flat:";

impl Derivation {
    /// The output and the path in it that a key of `expect_files` stands for; nothing where it does not say which output.
    pub fn inside<'a>(&'a self, key: &'a str) -> Option<(&'a str, &'a str)> {
        if let Some((output, path)) = key.split_once(':')
            && self.outputs.iter().any(|name| name == output)
        {
            return Some((output, path));
        }
        match self.outputs.as_slice() {
            [only] => Some((only, key)),
            several => several.iter().any(|name| name == defaults::OUTPUT).then_some((defaults::OUTPUT, key)),
        }
    }
}

/// The base name in the store of an output: the derivation's name for `out`, else `NAME-OUTPUT`.
pub fn store_name(derivation: &str, output: &str) -> String {
    if output == defaults::OUTPUT { derivation.to_owned() } else { format!("{derivation}-{output}") }
}
