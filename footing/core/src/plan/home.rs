//! What the runner needs of its home and of the kernel.

use crate::errno::Errno;
use crate::kernel::{Kernel, Outcome, StepSettings};
use crate::platform::{FileId, Platform};
use crate::tree::{NodeId, Tree};

/// Where the runner's words and results go.
pub trait Home {
    /// Writes to the console, and returns when it is sent.
    fn console(&mut self, bytes: &[u8]);
    /// Takes how many calls a step made, and their fingerprint. What it says of that on the console is its own.
    fn traced(&mut self, _step: &[u8], _calls: u64, _trace: u64) {}
    /// The size of the export region in bytes; none where nothing is exported.
    fn region(&self) -> Option<u64>;
    /// Writes into the export region; never behind its end.
    fn export(&mut self, offset: u64, bytes: &[u8]);
}

/// What the home has for each step.
#[derive(Clone, Copy, Debug)]
pub struct Resources {
    /// Bytes that the processes of a step together may have mapped to write to.
    pub memory: u64,
    /// Processes and threads at a time.
    pub processes: u32,
}

/// What runs the processes of a step: the kernel, or a test in its place.
pub trait Steps {
    /// All files.
    fn tree(&mut self) -> &mut Tree;
    /// Makes a directory a `/proc`.
    fn make_proc(&mut self, folder: NodeId) -> Result<(), Errno>;
    /// See [`Kernel::run_step`].
    fn run_step(&mut self, root: NodeId, step: StepSettings, log: &mut dyn FnMut(&[u8])) -> Outcome;
    /// No one will map the bytes of this name again.
    fn forget(&mut self, id: FileId);
}

impl<P: Platform> Steps for Kernel<P> {
    fn tree(&mut self) -> &mut Tree {
        &mut self.tree
    }

    fn make_proc(&mut self, folder: NodeId) -> Result<(), Errno> {
        Kernel::make_proc(self, folder)
    }

    fn run_step(&mut self, root: NodeId, step: StepSettings, log: &mut dyn FnMut(&[u8])) -> Outcome {
        Kernel::run_step(self, root, step, log)
    }

    fn forget(&mut self, id: FileId) {
        self.platform.forget(id);
    }
}
