//! `groundup run` and `groundup ddc`: a graph in one lane, or in several.

use super::{Cache, Choices, Graph, MachineName, RonGraph, Tools};
use clap::Args;
use std::path::PathBuf;

/// `groundup run`
#[derive(Debug, Args)]
#[expect(missing_docs, reason = "clap would print a flattened field's documentation in the place of its own")]
pub struct Run {
    #[command(flatten)]
    pub graph: Graph,
    /// Build again what a record says, from the graph in it, and tell whether the same comes of it
    #[arg(long, value_name = "RECORD", conflicts_with_all = ["path", "choose", "keep_going"])]
    pub from: Option<PathBuf>,
    /// Where the files beside that graph are [default: the record's folder]
    #[arg(long, value_name = "DIR", requires = "from")]
    pub graph_dir: Option<PathBuf>,
    #[command(flatten)]
    pub choices: Choices,
    /// What runs the image
    #[arg(long, value_enum, default_value = "strict")]
    pub machine: MachineName,
    /// CPUs of the `fast` machine; the others have one, and the host's
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=255))]
    pub cpus: u32,
    /// Have the plan carried out by a shell script and this static busybox, in the place of groundup's own PID 1
    #[arg(long, value_name = "BUSYBOX", conflicts_with = "out")]
    pub script: Option<PathBuf>,
    #[command(flatten)]
    pub tools: Tools,
    /// Write a record of the run, also of a failed one (in-toto statement with SLSA provenance, JSON)
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Take the outputs out of the machine into this folder, which is no symbolic link; each is verified against the hash that PID 1
    /// printed. What groundup has not put there is not overwritten.
    /// What failed steps had made goes into .failed in it
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Take what an earlier run left in the folder of --out as far as its --record still fits, and build the rest
    #[arg(long, requires_all = ["out", "record"])]
    pub resume: bool,
    /// Build each step as a unit of its own, with an image of its own, as many side by side as --jobs says
    #[arg(long, conflicts_with_all = ["script", "console", "resume"])]
    pub each: bool,
    /// At most so many steps at once [default: one for each core, as far as their memory is free]
    #[arg(long, value_name = "N", requires = "each", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Take the steps that were built like that before from the cache, and keep the new ones there. What was taken counts as no build: the
    /// record says so
    #[arg(long, requires = "each")]
    pub take: bool,
    /// Leave the outputs as NAME.nar instead of unpacking them
    #[arg(long, requires = "out")]
    pub nar: bool,
    /// Room for the outputs on their way out, in MiB
    #[arg(long, value_name = "MIB", requires = "out", default_value_t = 1024, value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    pub export: u64,
    /// The machine's memory in MiB [default: the image, what the largest step may use, and 192]
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(64..=1 << 22))]
    pub memory: Option<u64>,
    /// End the machine after this many seconds of real time
    #[arg(long, value_name = "SECONDS", default_value_t = 24 * 3600)]
    pub timeout: u64,
    /// Keep the console's bytes, as they came
    #[arg(long, value_name = "FILE")]
    pub console: Option<PathBuf>,
    #[command(flatten)]
    pub cache: Cache,
}

/// `groundup ddc`
#[derive(Debug, Args)]
#[expect(missing_docs, reason = "clap would print a flattened field's documentation in the place of its own")]
pub struct Ddc {
    #[command(flatten)]
    pub graph: RonGraph,
    /// The choices of the graph to vary: a lane for each alternative, and of several choices for each combination; `kernel`
    /// varies the machine's, `minimal` and `footing` unless --choices names others
    #[arg(long, value_name = "INPUT", value_delimiter = ',')]
    pub over: Vec<String>,
    /// Only these alternatives; INPUT=CHOICE where several inputs are varied
    #[arg(
        id = "alternatives",
        long = "choices",
        value_name = "CHOICE",
        value_delimiter = ',',
        requires = "over"
    )]
    pub alternatives: Vec<String>,
    #[command(flatten)]
    pub choices: Choices,
    /// What runs the lanes; of several machines, each runs them all
    #[arg(long, value_enum, value_delimiter = ',', default_value = "strict")]
    pub machine: Vec<MachineName>,
    #[command(flatten)]
    pub tools: Tools,
    /// Write the record of each lane, also of a failed one, into this folder as LANE.json
    #[arg(long, value_name = "DIR")]
    pub record_dir: Option<PathBuf>,
    /// At most so many lanes at once [default: one for each core, as far as their memory is free]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// The memory of each lane's machine in MiB [default: the image, what the largest step may use, and 192]
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(64..=1 << 22))]
    pub memory: Option<u64>,
    /// End a lane's machine after this many seconds of real time
    #[arg(long, value_name = "SECONDS", default_value_t = 24 * 3600)]
    pub timeout: u64,
    #[command(flatten)]
    pub cache: Cache,
}
