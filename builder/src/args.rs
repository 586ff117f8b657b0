//! The command line: what may be asked for, and nothing of how it is done.

mod common;
mod draw;
mod graph;
mod probe;
mod records;
mod run;
mod version;

pub use common::{Cache, Choices, KernelName, MachineName, QEMU, Template, Tools};
pub use draw::{Draw, DrawFormat};
pub use graph::{Drv, Graph, RonGraph, SPACE};
pub use probe::Probe;
pub use records::{Compare, KeyCommand, Sign, Verify};
pub use run::{Ddc, Run};
pub use version::Version;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;

const AFTER_HELP: &str = "\
Exit status:
  0  as asked
  1  results differ, or a question that was asked has no answer
  2  the input is wrong: the command line, the graph, or what it needs
  3  the machine failed, or a server, the network or a disk: another place or time may help
  4  the build failed
  5  this host can't do it: QEMU is missing, or the kernel forbids what the machine needs

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
    /// Print one JSON value on standard output: what was found, or why there is nothing (docs/json.schema.json)
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Arguments {
    /// Reads a command line, the program's name first. An error is also what is asked for by `--help` and `--version`.
    pub fn read(words: &[OsString], version: &Version) -> Result<Arguments, Box<clap::Error>> {
        // Both live as long as the program.
        let text = |text: String| -> &'static str { text.leak() };
        let command = Arguments::command();
        let command = command.version(text(version.short())).long_version(text(version.long()));
        let matches = command.try_get_matches_from(words)?;
        Ok(Arguments::from_arg_matches(&matches)?)
    }

    /// Whether a command line that can't be read asks for JSON.
    pub fn wants_json(words: &[OsString]) -> bool {
        words.iter().take_while(|word| *word != "--").any(|word| word == "--json")
    }
}

/// What can be asked for.
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "clap would print a flattened field's documentation in the place of its own")]
pub enum Command {
    /// Writes a first graph, graph.ron, to begin with
    Init {
        /// What it builds
        #[arg(long, value_enum, default_value = "c")]
        template: Template,
        /// The folder, which is made if need be
        #[arg(default_value = ".")]
        folder: PathBuf,
    },
    /// Reports every problem of a graph, with its place
    Check {
        #[command(flatten)]
        graph: Graph,
    },
    /// Prints a derivation of Nix or Guix in a readable form (RON); with --json, the fields of `nix derivation show`
    Show {
        #[command(flatten)]
        graph: Graph,
        /// With all derivations that it needs
        #[arg(long, short)]
        recursive: bool,
    },
    /// Resolves what a graph leaves open to versions and hashes, and writes them to its lock file
    Lock {
        #[command(flatten)]
        graph: RonGraph,
        /// Write nothing, and say whether the lock file has all that the graph asks for, and nothing else
        #[arg(long, conflicts_with = "update")]
        check: bool,
        /// Resolve this input anew, and what the lock file does not have; may be given for several
        #[arg(long, value_name = "NAME")]
        update: Vec<String>,
        #[command(flatten)]
        cache: Cache,
    },
    /// Writes a graph's text in one form: indents and spaces; comments and lines stay
    Fmt {
        #[command(flatten)]
        graph: RonGraph,
        /// Write nothing, and say whether it is in that form
        #[arg(long)]
        check: bool,
    },
    /// Tries what works on this host: machines, kernels, apt, room; and says what to do
    Doctor {
        #[command(flatten)]
        cache: Cache,
    },
    /// Prints the sha256 of a file or a folder, or of what a URL gives: of its bytes (flat) and of its NAR
    Hash {
        /// A file, a folder, or an address that begins with http:// or https://
        #[arg(value_name = "PATH|URL")]
        what: String,
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
    /// Draws what needs what
    Graph(Draw),
    /// Writes the initrd, or a disk that boots it
    Image {
        #[command(flatten)]
        graph: Graph,
        /// Where the image goes
        #[arg(short, long, value_name = "FILE", required_unless_present = "usb")]
        output: Option<PathBuf>,
        /// Write a disk that boots the image under BIOS and under UEFI, to be copied to a USB stick
        #[arg(long, value_name = "FILE", conflicts_with_all = ["output", "xz"])]
        usb: Option<PathBuf>,
        /// The kernel of the disk: `footing`, `minimal`, `debian`, or a file [default: footing]
        #[arg(long, value_name = "footing|minimal|debian|FILE", requires = "usb")]
        kernel: Option<String>,
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
    },
    /// Builds a graph and prints a hash for every output
    Run(Box<Run>),
    /// Prints what a step printed, in the run of a record
    Log {
        /// The step
        step: String,
        /// The record of the run, beside which the logs are [default: the newest in this folder]
        record: Option<PathBuf>,
    },
    /// Builds a graph in several lanes that differ in one thing, and shows which outputs they agree on
    #[command(after_help = DDC_HELP)]
    Ddc(Box<Ddc>),
    /// Finds out why steps are not reproducible: varies what they see and names the variation
    #[command(after_help = probe::HELP)]
    Probe(Box<Probe>),
    /// Says which outputs any number of records agree on
    Compare(Compare),
    /// Says where two files, folders or NARs differ
    Diff {
        /// A file, a folder or a NAR
        one: PathBuf,
        /// Another
        other: PathBuf,
    },
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
        /// The image, plain or compressed with xz, or a disk that boots one
        image: PathBuf,
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
        /// List what a disk of `image --usb` brings along, in the place of QEMU
        #[arg(long)]
        usb: bool,
    },
    /// Says what the cache folder takes, and makes it smaller
    Cache {
        #[command(flatten)]
        cache: Cache,
        /// Remove what was not used for the longest time until at most so much is left; what was used within the last hour stays
        #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(..=1 << 40))]
        limit: Option<u64>,
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

#[cfg(test)]
mod tests {
    use super::common::choice;
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_program_is_answered_in_json_wherever_it_asks_for_it() {
        let of =
            |words: &[&str]| Arguments::wants_json(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert!(of(&["groundup", "--json", "run"]) && of(&["groundup", "run", "x", "--json"]));
        assert!(!of(&["groundup", "run", "--", "--json"]) && !of(&["groundup", "run"]));
    }

    #[test]
    fn choices_have_two_sides() {
        assert_eq!(choice("cc=gcc"), Ok(("cc".into(), "gcc".into())));
        assert!(["cc", "cc=", "=gcc", ""].iter().all(|text| choice(text).is_err()));
    }
}
