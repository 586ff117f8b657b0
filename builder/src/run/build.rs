//! A whole graph: stages of derivations, each of them one unit on its machine, or what `auto` makes of it.

use crate::args::MachineName;
use crate::failure::Failure;
use crate::nix::stages;
use crate::prepare::Prepared;
use crate::prepare::graph::Source;
use crate::run::auto;
use crate::run::executor::{self, Ended, Setting};
use crate::ui::running::Running;
use std::sync::atomic::AtomicBool;

/// Builds a prepared graph. An error is one that leaves nothing to write down.
pub fn build(
    source: &Source,
    prepared: &Prepared,
    setting: &Setting<'_>,
    running: &mut Running,
    cancel: &AtomicBool,
) -> Result<Ended, Failure> {
    let mut one = |prepared: &Prepared, setting: &Setting<'_>, running: &mut Running| match setting.machine {
        MachineName::Auto => auto::build(source, prepared, setting, running, cancel),
        _ => executor::unit(source, prepared, setting, running, cancel),
    };
    match stages::are_needed(prepared) {
        true => stages::build(prepared, setting, running, &mut one),
        false => one(prepared, setting, running),
    }
}
