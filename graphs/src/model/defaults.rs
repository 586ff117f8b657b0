//! What holds for a field that a derivation leaves out. A plan has no defaults: these are written into it.

/// The output that bears the derivation's own name.
pub const OUTPUT: &str = "out";
/// The working directory, which also is the builder's home.
pub const DIRECTORY: &str = "/build";
/// Time limit: an hour.
pub const TIME: u64 = 3600;
/// Log limit: 16 MiB.
pub const LOG: u64 = 16 << 20;
/// Limit of each of the step's two file systems: 256 MiB.
pub const SPACE: u64 = 256 << 20;
/// Memory for the builder: 256 MiB.
pub const MEMORY: u64 = 256 << 20;
/// Limit of processes.
pub const PROCESSES: u64 = 256;

pub(super) fn outputs() -> Vec<String> {
    vec![OUTPUT.to_owned()]
}

pub(super) fn directory() -> String {
    DIRECTORY.to_owned()
}

pub(super) fn time() -> u64 {
    TIME
}

pub(super) fn log() -> u64 {
    LOG
}

pub(super) fn space() -> u64 {
    SPACE
}

pub(super) fn memory() -> u64 {
    MEMORY
}

pub(super) fn processes() -> u64 {
    PROCESSES
}
