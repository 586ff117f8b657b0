//! The POSIX shell script as what carries out a plan.

use std::path::PathBuf;

/// The plan as a shell script, and the shell.
#[derive(Clone)]
pub struct Script {
    /// The script.
    pub text: Vec<u8>,
    /// A static busybox.
    pub busybox: PathBuf,
}
