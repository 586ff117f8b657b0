//! The kernel: what a step's processes are, and what runs them.

mod settings;

use crate::platform::Platform;
use crate::tree::{NodeId, Tree};
use alloc::vec::Vec;
pub use settings::{End, Limit, Limits, Outcome, Settings, StepSettings};

/// A kernel in its home.
pub struct Kernel<P: Platform> {
    /// The home.
    pub platform: P,
    /// All files: the runner's and the step's.
    pub tree: Tree,
    settings: Settings,
}

impl<P: Platform> Kernel<P> {
    /// A kernel without files.
    pub fn new(platform: P, settings: Settings) -> Kernel<P> {
        Kernel { platform, tree: Tree::new(), settings }
    }

    /// Runs a builder and all that it starts, until it ends or runs into a limit. `root` is what `/` is; its tree stays as the
    /// step left it, for the runner to take the outputs from. `log` takes what is written to the log, as it is written.
    pub fn run_step(&mut self, _root: NodeId, _step: StepSettings, _log: &mut dyn FnMut(&[u8])) -> Outcome {
        let _ = self.settings;
        Outcome { end: End::NotStarted(38), unknown: Vec::new(), calls: 0, time: 0 }
    }

    /// Makes a directory of the tree a `/proc`.
    pub fn make_proc(&mut self, _folder: NodeId) -> Result<(), crate::errno::Errno> {
        Ok(())
    }
}
