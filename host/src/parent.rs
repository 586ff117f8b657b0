//! A process that does not outlive the one that started it.

#![allow(unsafe_code)]

use rustix::process::{Signal, set_parent_process_death_signal};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Lets the kernel kill what is started when its parent ends, even if that is killed and runs no destructor.
pub fn end_with_parent(command: &mut Command) -> &mut Command {
    // SAFETY: between fork and exec only async-signal-safe functions may be called: this is one system call.
    unsafe { command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?)) }
}
