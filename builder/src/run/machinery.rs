//! What machines are made of.

use crate::args::{self, MachineName};
use crate::audit::tcb::{self, Component};
use crate::failure::Failure;
use crate::run::kernel::{self, Kernel};
use crate::ui::term;
use std::path::Path;
use std::sync::OnceLock;

/// What a machine is made of, obtained once for all lanes. The default is that of a machine that is this program.
#[derive(Default)]
pub struct Machinery {
    /// The kernel; the host machine has none of its own.
    pub kernel: Option<Kernel>,
    /// Why there is no KVM, if there is none and it was asked for.
    pub no_kvm: Option<String>,
    /// Everything that is trusted, for the record.
    pub parts: Vec<Component>,
    /// This program, once it was hashed: for all units of a run.
    program: OnceLock<Component>,
}

impl Machinery {
    /// Obtains what was asked for.
    pub fn obtain(machines: &[MachineName], tools: &args::Tools, cache: &Path) -> Result<Machinery, Failure> {
        if !machines.iter().any(|machine| machine.starts_in_qemu()) {
            return Ok(Machinery::default());
        }
        let fast = machines.contains(&MachineName::Fast);
        let kernel = kernel::kernel(tools, cache, fast)?;
        let parts = tcb::parts(tools, &kernel)?;
        let no_kvm = if fast { qemu::kvm::probe(&tools.qemu, &kernel.path).err() } else { None };
        if let Some(why) = &no_kvm {
            term::note(&format!("no KVM, so QEMU translates: {why}"));
        } else if fast {
            term::note("KVM works");
        }
        Ok(Machinery { kernel: Some(kernel), no_kvm, parts, program: OnceLock::new() })
    }

    /// This program.
    pub(super) fn program(&self) -> Result<Component, Failure> {
        let program = match self.program.get() {
            Some(program) => program.clone(),
            None => tcb::this_program()?,
        };
        Ok(self.program.get_or_init(|| program).clone())
    }

    /// What of it a machine is made of.
    pub(super) fn parts(&self, machine: MachineName) -> Result<Vec<Component>, Failure> {
        Ok(match machine {
            MachineName::Host => vec![tcb::init()],
            MachineName::Native => vec![self.program()?],
            _ => self.parts.clone(),
        })
    }
}

/// What QEMU says it is, if it is one of these.
pub(super) fn version(parts: &[Component]) -> &str {
    parts.iter().find(|part| part.name == "qemu").map_or("", |part| &part.about)
}
