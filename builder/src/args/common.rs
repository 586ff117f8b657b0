//! What several commands take: choices, the cache, machines and what they are made of.

use ::records::record::BuiltFrom;
use clap::{Args, ValueEnum};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// How the plan is made of the graph.
#[derive(Debug, Args)]
pub struct Choices {
    /// Take this alternative for a choice of the graph; may be given for several
    #[arg(long, value_name = "INPUT=CHOICE", value_parser = choice)]
    pub choose: Vec<(String, String)>,
    /// After a failure, still build the steps that do not need the failed one
    #[arg(long)]
    pub keep_going: bool,
}

/// Where downloads, unpacked inputs and kernels are kept.
#[derive(Debug, Args)]
pub struct Cache {
    /// The cache folder [default: groundup in $XDG_CACHE_HOME or ~/.cache; without a home, .groundup-cache here]
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
}

/// The QEMU that is run where no other is named.
pub const QEMU: &str = "qemu-system-x86_64";

/// What a machine is made of.
#[derive(Clone, Debug, Args)]
pub struct Tools {
    /// The kernel: `minimal`, `debian`, `footing`, a bzImage or an ELF file that boots by PVH, or OUTPUT@GRAPH: what a graph builds, on
    /// native, unless the cache has it; OUTPUT/FILE@GRAPH for a file in it other than vmlinux [default: minimal if `groundup kernel
    /// minimal` has built it; else, and for several CPUs, debian]
    #[arg(long, value_name = "minimal|debian|footing|FILE|OUTPUT@GRAPH")]
    pub kernel: Option<String>,
    /// The QEMU to run
    #[arg(long, value_name = "PROGRAM", default_value = QEMU)]
    pub qemu: PathBuf,
    /// The kernels that graphs have built, by the names under which they were asked for.
    #[arg(skip)]
    pub built: BTreeMap<String, (PathBuf, BuiltFrom)>,
}

/// Machines that this version has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MachineName {
    /// QEMU, every instruction deterministic
    Strict,
    /// QEMU with KVM if that really works, else with plain translation
    Fast,
    /// No QEMU: namespaces on this kernel, at native speed
    Host,
    /// No QEMU: on this CPU, and groundup's own kernel answers every system call
    Native,
    /// Everything on `native`, and in `strict` only what that does not build
    Auto,
}

impl MachineName {
    /// Whether what it builds follows from the plan and from what the machine is made of, alone. `auto` is two machines.
    pub fn is_deterministic(self) -> bool {
        matches!(self, MachineName::Strict | MachineName::Native)
    }

    /// Whether it may need QEMU and a kernel of its own.
    pub fn has_qemu(self) -> bool {
        !matches!(self, MachineName::Host | MachineName::Native)
    }

    /// Whether it is needed in any case: `auto` may do without.
    pub fn starts_in_qemu(self) -> bool {
        matches!(self, MachineName::Strict | MachineName::Fast)
    }

    /// As it is written on the command line and in records.
    pub fn word(self) -> &'static str {
        match self {
            MachineName::Strict => "strict",
            MachineName::Fast => "fast",
            MachineName::Host => "host",
            MachineName::Native => "native",
            MachineName::Auto => "auto",
        }
    }
}

/// Graphs to begin with.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Template {
    /// A program in C with configure and make: GNU hello, by gcc of Debian 12
    C,
    /// A wheel of a Python project
    Python,
    /// One step that writes one file
    Empty,
}

/// Kernels that can be obtained by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum KernelName {
    /// Debian's stock kernel for virtual machines, by package name
    Debian,
    /// The smallest that builds need, built here from source; as an ELF file and as a bzImage
    Minimal,
    /// groundup's own, which is no Linux and carries out the plan itself
    Footing,
}

/// `INPUT=CHOICE`
pub(super) fn choice(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((choice, taken)) if !choice.is_empty() && !taken.is_empty() => Ok((choice.into(), taken.into())),
        _ => Err("expected INPUT=CHOICE, such as cc=gcc".into()),
    }
}
