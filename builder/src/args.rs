//! The command line: what may be asked for, and nothing of how it is done.

mod probe;
mod records;

pub use probe::Probe;
pub use records::{Compare, KeyCommand, Sign, Verify};

use crate::drv;
use crate::term::quoted;
use clap::builder::{PathBufValueParser, TypedValueParser as _};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

const AFTER_HELP: &str = "\
Exit status:
  0  as asked
  1  the build failed, or results differ
  2  the input is wrong: the command line, the graph, or what it needs
  3  the machine failed

Environment:
  HOME, XDG_CACHE_HOME  where the cache is, without --cache
  PATH                  where qemu-system-x86_64, apt-get, apt-cache, dpkg-deb,
                        python3, pip, diffoscope and ssh-keygen are found,
                        and for `kernel minimal` gcc, make and what they call
  TMPDIR                where a machine's console is kept while it runs
  ALL_PROXY, HTTPS_PROXY, HTTP_PROXY, NO_PROXY (also in lower case)
                        the way to the URLs of a graph
  SSL_CERT_FILE, SSL_CERT_DIR
                        certificates to trust for them, not the system's
  TERM, NO_COLOR, CLICOLOR, CLICOLOR_FORCE, COLORTERM, COLUMNS, LINES, LANG
                        how messages, help and progress look
Nothing else is read from it, and no step sees any of it. apt, pip and QEMU
inherit it and go by their own configuration.";

const DDC_HELP: &str = "\
Each output has one of these verdicts:
  agrees              all lanes made the same: each of them vouches for it
  expected to differ  the derivation itself has a varied input among its inputs
  differs             what comes after that must be the same, and is not
  inconclusive        not all lanes made it
  one lane only       made on the way to an alternative; nothing to compare
Exit status 0 if every target agrees in all lanes, 1 if not.";

/// Builds a derivation graph from the initrd of a deterministic machine, and prints a hash for every output.
#[derive(Debug, Parser)]
#[command(name = "groundup", version, after_help = AFTER_HELP, max_term_width = 110)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be asked for.
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "clap would print a flattened field's documentation in the place of its own")]
pub enum Command {
    /// Reports every problem of a graph, with its place
    Check {
        #[command(flatten)]
        graph: Graph,
        /// Print the problems as JSON
        #[arg(long)]
        json: bool,
    },
    /// Prints a derivation of Nix or Guix in a readable form (RON)
    Show {
        #[command(flatten)]
        graph: Graph,
        /// With all derivations that it needs
        #[arg(long, short)]
        recursive: bool,
        /// Print JSON with the fields of `nix derivation show`
        #[arg(long)]
        json: bool,
    },
    /// Resolves what a graph leaves open to versions and hashes, and writes them to its lock file
    Lock {
        #[command(flatten)]
        graph: RonGraph,
        #[command(flatten)]
        cache: Cache,
    },
    /// Prints the linear build script
    Plan {
        #[command(flatten)]
        graph: Graph,
        #[command(flatten)]
        choices: Choices,
        #[command(flatten)]
        cache: Cache,
    },
    /// Writes the initrd
    Image {
        #[command(flatten)]
        graph: Graph,
        /// Where the image goes
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
        /// Compress it with xz
        #[arg(long)]
        xz: bool,
        /// Have the plan carried out by a shell script and this static busybox, in the place of groundup's own PID 1
        #[arg(long, value_name = "BUSYBOX")]
        script: Option<PathBuf>,
        #[command(flatten)]
        choices: Choices,
        #[command(flatten)]
        cache: Cache,
        /// Print plan, image and their hashes as JSON
        #[arg(long)]
        json: bool,
    },
    /// Builds a graph and prints a hash for every output
    Run(Box<Run>),
    /// Builds a graph in several lanes that differ in one thing, and tells which outputs they agree on
    #[command(after_help = DDC_HELP)]
    Ddc(Box<Ddc>),
    /// Finds out why steps are not reproducible: varies what they see and tells which variation it is
    #[command(after_help = probe::HELP)]
    Probe(Box<Probe>),
    /// Says which outputs any number of records agree on
    Compare(Compare),
    /// Makes a key to sign records with
    Key {
        /// What to do
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// Signs a record
    Sign(Sign),
    /// Verifies who signed records, and that they are of a plan
    Verify(Verify),
    /// Prints the plan as a POSIX shell script that does what PID 1 does
    Script {
        #[command(flatten)]
        graph: RonGraph,
        /// Write it to a file
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        #[command(flatten)]
        choices: Choices,
        #[command(flatten)]
        cache: Cache,
    },
    /// Lists what an image would run and trust, without running it
    VerifyImage {
        /// The image, plain or compressed with xz
        image: PathBuf,
        /// Print the list as JSON
        #[arg(long)]
        json: bool,
    },
    /// Lists what has to be trusted, with sizes and hashes
    Tcb {
        #[command(flatten)]
        graph: Graph,
        #[command(flatten)]
        choices: Choices,
        #[command(flatten)]
        cache: Cache,
        #[command(flatten)]
        tools: Tools,
        /// Print the list as JSON
        #[arg(long)]
        json: bool,
    },
    /// Obtains a kernel, or builds it, and prints where it is
    Kernel {
        /// Which
        #[arg(value_enum, default_value = "debian")]
        kernel: KernelName,
        #[command(flatten)]
        cache: Cache,
    },
    /// Prints a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Writes the manual pages into a folder
    Man {
        /// The folder
        folder: PathBuf,
    },
}

/// The graph.
#[derive(Debug, Args)]
pub struct Graph {
    /// A graph in RON, or a derivation of Nix or Guix, NAME.drv (-: a derivation on standard input); without one, the seed
    /// graph that is built in
    #[arg(value_name = "GRAPH", value_parser = PathBufValueParser::new().map(drv::named))]
    pub path: Option<PathBuf>,
    /// What only derivations of Nix and Guix need.
    #[command(flatten)]
    pub drv: Drv,
}

/// The graph, where a derivation of Nix or Guix can not stand for one.
#[derive(Debug, Args)]
pub struct RonGraph {
    /// A graph in RON; without one, the seed graph that is built in
    #[arg(value_name = "GRAPH")]
    pub path: Option<PathBuf>,
}

/// In MiB: what a step of a derivation may write, if nobody says more.
const SPACE: u64 = 1024;

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

/// What a machine is made of.
#[derive(Clone, Debug, Args)]
pub struct Tools {
    /// The kernel: `minimal`, `debian`, or a bzImage or an ELF file that boots by PVH [default: minimal if `groundup kernel
    /// minimal` has built it; else, and for several CPUs, debian]
    #[arg(long, value_name = "minimal|debian|FILE")]
    pub kernel: Option<String>,
    /// The QEMU to run
    #[arg(long, value_name = "PROGRAM", default_value = "qemu-system-x86_64")]
    pub qemu: PathBuf,
}

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
    /// Take the outputs out of the machine into this folder; each is verified against the hash that PID 1 printed
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Take what an earlier run left in the folder of --out as far as its --record still fits, and build the rest
    #[arg(long, requires_all = ["out", "record"])]
    pub resume: bool,
    /// Leave the outputs as NAME.nar instead of unpacking them
    #[arg(long, requires = "out")]
    pub nar: bool,
    /// Room for the outputs on their way out, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    pub export: u64,
    /// The machine's memory in MiB [default: the image, what the hungriest step may use, and 192]
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
    /// Print the results as JSON
    #[arg(long)]
    pub json: bool,
}

/// `groundup ddc`
#[derive(Debug, Args)]
#[expect(missing_docs, reason = "clap would print a flattened field's documentation in the place of its own")]
pub struct Ddc {
    #[command(flatten)]
    pub graph: RonGraph,
    /// The choices of the graph to vary: a lane for each alternative, and of several choices for each combination
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
    /// The memory of each lane's machine in MiB [default: the image, what the hungriest step may use, and 192]
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(64..=1 << 22))]
    pub memory: Option<u64>,
    /// End a lane's machine after this many seconds of real time
    #[arg(long, value_name = "SECONDS", default_value_t = 24 * 3600)]
    pub timeout: u64,
    #[command(flatten)]
    pub cache: Cache,
    /// Print the verdicts as JSON
    #[arg(long)]
    pub json: bool,
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
    /// Everything twice on `host`, and in `strict` only what did not come out the same
    Auto,
}

impl MachineName {
    /// As it is written on the command line and in records.
    pub fn word(self) -> &'static str {
        match self {
            MachineName::Strict => "strict",
            MachineName::Fast => "fast",
            MachineName::Host => "host",
            MachineName::Auto => "auto",
        }
    }
}

/// Kernels that can be obtained by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum KernelName {
    /// Debian's stock kernel for virtual machines, by package name
    Debian,
    /// The smallest that builds need, built here from source; as an ELF file and as a bzImage
    Minimal,
}

fn choice(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((choice, taken)) if !choice.is_empty() && !taken.is_empty() => Ok((choice.into(), taken.into())),
        _ => Err("expected INPUT=CHOICE, such as cc=gcc".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn choices_have_two_sides() {
        assert_eq!(choice("cc=gcc"), Ok(("cc".into(), "gcc".into())));
        assert!(["cc", "cc=", "=gcc", ""].iter().all(|text| choice(text).is_err()));
    }
}
