//! What can go wrong with a machine.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

/// Why a machine did not carry its plan to the end. All of these are the machine's failures, not a step's.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no QEMU.
    #[error(
        "`{}` was not found: install QEMU (Debian, Ubuntu: `apt-get install qemu-system-x86`; Fedora: \
         `dnf install qemu-system-x86-core`; Arch: `pacman -S qemu-system-x86`)", .0.display()
    )]
    Missing(PathBuf),
    /// QEMU can not be executed.
    #[error("`{}` could not be started: {source}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// QEMU went away before the guest said a word.
    #[error("`{}` did not start a machine ({status}){}", program.display(), colon(stderr))]
    Broken {
        /// The program.
        program: PathBuf,
        /// How it ended.
        status: ExitStatus,
        /// What it said.
        stderr: String,
    },
    /// The host's kernel does not let us make a machine of it.
    #[error("{0}")]
    Host(String),
    /// PID 1 could not go on.
    #[error("PID 1 could not go on: {0}")]
    Fatal(String),
    /// The kernel could not go on.
    #[error("the guest's kernel could not go on: {0}")]
    Panic(String),
    /// The machine ended without PID 1 having said so.
    #[error("the machine ended before its plan did ({status}){}{}", said("QEMU", stderr), last(lines))]
    Died {
        /// How QEMU ended.
        status: ExitStatus,
        /// What QEMU said.
        stderr: String,
        /// The console's last lines.
        lines: Vec<String>,
    },
    /// The guest's CPU waits for something that can not come, or the kernel stopped it.
    #[error("the machine stands still and nothing will wake it{}", last(lines))]
    Halted {
        /// The console's last lines.
        lines: Vec<String>,
    },
    /// The run took too long.
    #[error("the machine was not done after {} s and was ended{}", limit.as_secs_f32(), last(lines))]
    TimeLimit {
        /// The limit.
        limit: Duration,
        /// The console's last lines.
        lines: Vec<String>,
    },
    /// What it said could not be kept.
    #[error(
        "no room in {} for the machine's console: what it said after this is lost; make room there, or let TMPDIR name another \
         folder{}", folder.display(), last(lines)
    )]
    Full {
        /// The folder of temporary files.
        folder: PathBuf,
        /// The console's last lines that are there.
        lines: Vec<String>,
    },
    /// The caller wanted no more.
    #[error("cancelled")]
    Cancelled,
    /// The console or its transcript could not be read or written.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// The error for a program that did not start.
    pub(crate) fn start(program: &Path, source: io::Error) -> Self {
        let program = program.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing(program),
            _ => Self::Start { program, source },
        }
    }

    /// The error of reading or writing something.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

pub(crate) fn colon(text: &str) -> String {
    if text.is_empty() { "; it said nothing".to_owned() } else { format!(": {text}") }
}

pub(crate) fn said(who: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("\n{who} said: {text}") }
}

pub(crate) fn last(lines: &[String]) -> String {
    let shown: String = lines.iter().map(|line| format!("\n  {line}")).collect();
    if shown.is_empty() { "; it said nothing".to_owned() } else { format!("; it last said:{shown}") }
}
