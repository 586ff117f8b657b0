//! What execve(2) is asked for and what it loads.

use crate::tree::NodeId;
use alloc::vec::Vec;

/// What execve(2) is asked for.
pub(crate) struct Image {
    pub(crate) node: NodeId,
    /// As execve(2) was called: AT_EXECFN, and what `comm` is made of, a script's own too.
    pub(crate) name: Vec<u8>,
    /// As it is shown in `/proc/PID/exe`: the interpreter of a script.
    pub(crate) path: Vec<u8>,
    pub(crate) argv: Vec<Vec<u8>>,
    pub(crate) envp: Vec<Vec<u8>>,
}

/// A program in an address space of its own.
pub(crate) struct Loaded {
    pub(crate) space: u32,
    pub(crate) compat: bool,
    /// Where execution starts.
    pub(crate) entry: u64,
    pub(crate) program_entry: u64,
    /// Where the interpreter lies; 0 without one.
    pub(crate) base: u64,
    pub(crate) headers: u64,
    pub(crate) header_size: u64,
    pub(crate) header_count: u64,
}
