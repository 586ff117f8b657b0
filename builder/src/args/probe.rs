//! `groundup probe`

use super::{Cache, Choices, Graph, MachineName, Tools};
use clap::Args;
use std::path::PathBuf;

pub(super) const HELP: &str = "\
Subjects and their variations:
  archive metadata          input-times, input-owners, input-modes
  architecture information  uname, cpu, board, memory-size, kernel
  build path                build-path
  build timestamp           date, time-zone
  file encoding             encoding
  filesystem ordering       entries-reversed, entries-shuffled
  file permission           umask-002, umask-077
  locale                    locale
  package dependency        seed-version, undeclared-files
  randomness                random-numbers, entropy, scheduling, tick, cpu-count
  memory address            stack-base, heap-base, map-base, layout
  DNS name                  host-name, domain-name
  uninitialized memory      stack-contents, heap-contents
  user information          user-id, group-id, user-name, home, environment
  process ID                pid
  file system               inodes, file-system
  resource limit            limits
Build ID and snippet encoding follow from these; named alternatives for an
input are what `groundup ddc` varies. Variations joined by + are made together.

Each step has one of these verdicts:
  reproducible             everything above was varied, and nothing changed it;
                           seed-version only where --other-lock names versions
  same in what was varied  nothing that was varied changed it, and something was
                           not asked for, or could not be varied: what is listed
  not reproducible         something changed it, or it differs by itself
  inherits a difference    it differs where what it is built from does
  fails where something is varied, fails, not probed (built for others at most)
Exit status 0 if no probed step differs or fails, and everything asked for by
name was varied in every step; 1 if not. With `all`, what could not be varied is
listed and leaves the status at 0, which then means: the same in what was varied.
What is `known from before` was not built now, and counts as it did then.";

/// The options.
#[derive(Debug, Args)]
#[expect(missing_docs, reason = "clap would print a flattened field's documentation in the place of its own")]
pub struct Probe {
    #[command(flatten)]
    pub graph: Graph,
    /// Only these steps; all others are built once
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub step: Vec<String>,
    /// What is varied: names, subjects, or names joined by +
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "all")]
    pub vary: Vec<String>,
    /// So many interleavings, each of another seed, where scheduling is varied
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub repeat: u64,
    /// What is drawn at random is drawn from this; the same seed gives the same report
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    #[command(flatten)]
    pub choices: Choices,
    /// What runs the steps
    #[arg(long, value_enum, default_value = "strict")]
    pub machine: MachineName,
    #[command(flatten)]
    pub tools: Tools,
    /// Another kernel, for the variation `kernel` [default: Debian's; the minimal one, if it is Debian's that is varied]
    #[arg(long, value_name = "FILE")]
    pub other_kernel: Option<PathBuf>,
    /// Another lock file of the graph, such as an older one, for the variation `seed-version`
    #[arg(long, value_name = "FILE")]
    pub other_lock: Option<PathBuf>,
    /// End at the first difference of each step, which is not taken apart any further
    #[arg(long)]
    pub first: bool,
    /// Write a page that shows everything (HTML, nothing is loaded from elsewhere)
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Write what was found out as an in-toto statement, for `groundup sign`
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Count what others found out too: statements that they signed
    #[arg(long, value_name = "FILE", value_delimiter = ',', requires = "keys")]
    pub others: Vec<PathBuf>,
    /// Whose signatures count: a .pub file, or one like SSH's allowed_signers
    #[arg(long, value_name = "FILE", requires = "others")]
    pub keys: Option<PathBuf>,
    /// List the steps of the graph that are known to differ, and build nothing
    #[arg(long)]
    pub known: bool,
    /// Probe steps again that are known to differ
    #[arg(long)]
    pub again: bool,
    /// At most so many machines at once [default: one for each core, as far as their memory is free]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// The memory of each machine in MiB [default: the image, what the largest step may use, and 192]
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(64..=1 << 22))]
    pub memory: Option<u64>,
    /// End a machine after this many seconds of real time
    #[arg(long, value_name = "SECONDS", default_value_t = 24 * 3600)]
    pub timeout: u64,
    #[command(flatten)]
    pub cache: Cache,
}
