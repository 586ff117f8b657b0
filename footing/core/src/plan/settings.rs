//! What the kernel is to know of a step.

use super::home::Resources;
use super::world::decode;
use crate::kernel::{Limits, StepSettings};
use alloc::vec::Vec;
use formats::hex::Digest;
use formats::plan::{PidOne, Rules, Step};

/// PID 1 has room for so many bytes of arguments and environment, each with its NUL.
const TEXT: usize = 8 << 20;
/// And for so many of each.
const STRINGS: usize = (64 << 10) - 1;

/// The settings; none where there are too many arguments or variables.
pub(super) fn settings(step: &Step<'_>, entropy: &Digest, resources: &Resources) -> Option<StepSettings> {
    let argv: Vec<Vec<u8>> = step.args().map(decode).collect();
    let envp: Vec<Vec<u8>> = step.env().map(decode).collect();
    let text: usize = argv.iter().chain(&envp).map(|text| text.len() + 1).sum();
    if text > TEXT || argv.len() > STRINGS || envp.len() > STRINGS {
        return None;
    }
    let mut limits: Limits = [(0, 0); 16];
    for (limit, (soft, hard)) in limits.iter_mut().zip(step.limits) {
        *limit = (soft.unwrap_or(u64::MAX), hard.unwrap_or(u64::MAX));
    }
    // The seed is made of the plan's and the name of the step's first output, as on Linux.
    let first = step.outputs().next().map_or(&b""[..], |output| output.base.as_bytes());
    Some(StepSettings {
        builder: decode(step.builder),
        argv,
        envp,
        cwd: decode(step.cwd),
        uid: step.uid,
        gid: step.gid,
        umask: step.umask,
        clock: step.clock,
        builder_is_one: step.pid_one == PidOne::Builder,
        hostname: step.host.as_bytes().into(),
        domainname: decode(step.domain),
        personality: step.personality,
        limits,
        entropy: super::hash(&[entropy, first]),
        terminal: step.terminal,
        loopback: step.loopback,
        nix: step.rules == Rules::Nix,
        time_limit: step.time_limit,
        log_limit: step.log_limit,
        memory_limit: resources.memory,
        process_limit: resources.processes,
        vary: step.vary,
    })
}
