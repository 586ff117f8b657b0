//! Options that would change nothing with what else was asked for. Who sets one believes in it, so it is refused.

use crate::args::{self, MachineName};
use crate::failure::Failure;
use graphs::Problem;

/// What was found so far.
#[derive(Default)]
pub struct Unused {
    problems: Vec<Problem>,
}

impl Unused {
    /// An option that was set and has no effect, for this reason.
    pub fn option(mut self, is_unused: bool, option: &str, why: &str) -> Unused {
        if is_unused {
            let help = "take the option out, or ask for what it belongs to";
            self.problems.push(Problem::error(format!("{option} would change nothing: {why}")).help(help));
        }
        self
    }

    /// Options about machines.
    pub fn machines(self, machines: &[MachineName], tools: &args::Tools) -> Unused {
        let none = !machines.iter().any(|machine| machine.has_qemu());
        let host = machines.iter().all(|&machine| machine == MachineName::Host);
        let (why, kernel) = match host {
            true => ("the host machine has no QEMU", "the host machine runs on the host's own kernel"),
            false => ("the machine has no QEMU", "the native machine has a kernel of its own"),
        };
        let qemu = tools.qemu.as_os_str() != args::QEMU;
        self.option(none && qemu, "--qemu", why).option(none && tools.kernel.is_some(), "--kernel", kernel)
    }

    /// Options about derivations of Nix and Guix where there is a graph in RON.
    pub fn derivations(self, drv: &args::Drv) -> Unused {
        let why = "it is about derivations of Nix and Guix, and this is a graph in RON";
        self.option(!drv.store.is_empty(), "--store", why)
            .option(!drv.inputs.is_empty(), "--inputs", why)
            .option(!drv.stop_at.is_empty(), "--stop-at", why)
            .option(drv.sh.is_some(), "--sh", why)
            .option(drv.space != args::SPACE, "--space", why)
    }

    /// Options about what derivations are built of and how, where only the derivations themselves are read.
    pub fn contents(self, drv: &args::Drv) -> Unused {
        let why = "nothing is obtained or built here";
        self.option(!drv.inputs.is_empty(), "--inputs", why)
            .option(!drv.stop_at.is_empty(), "--stop-at", why)
            .option(drv.sh.is_some(), "--sh", why)
            .option(drv.space != args::SPACE, "--space", why)
    }

    /// Whether there is none.
    pub fn done(self) -> Result<(), Failure> {
        if self.problems.is_empty() { Ok(()) } else { Err(Failure::several(self.problems)) }
    }
}
