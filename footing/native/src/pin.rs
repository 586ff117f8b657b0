//! The supervisor itself: on one processor, with what guests may not execute forbidden to it too.
//!
//! Where supervisor and guest differ in whether they may execute `rdtsc` and `cpuid`, the host's kernel writes control registers at every switch
//! between them, which costs more than all the rest of a call. Should the supervisor execute one (by the vDSO, or a library that looks for
//! features), it is allowed from then on: that costs time alone.
#![allow(unsafe_code, reason = "system calls and a signal handler")]

use std::ptr::null_mut;

use crate::Error;

/// `arch_prctl`'s request that lets `cpuid` fault or not.
pub const SET_CPUID: i32 = 0x1012;

/// Keeps this thread and what it starts on one of the processors that it may use: the one it runs on, unless `cpu` names another.
pub fn cpu(cpu: Option<usize>) -> Result<(), Error> {
    // SAFETY: the kernel reads a set that is ours.
    unsafe {
        let here = cpu.unwrap_or_else(|| usize::try_from(libc::sched_getcpu()).unwrap_or(0));
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(here, &mut set);
        if libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) != 0 {
            return Err(Error::last("sched_setaffinity"));
        }
    }
    Ok(())
}

/// Forbids this thread `rdtsc`, and `cpuid` where `cpuid` is set.
pub fn forbid(cpuid: bool) {
    // SAFETY: the structure is plain memory; the handler only makes system calls. The requests take numbers.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = executed as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        libc::sigaction(libc::SIGSEGV, &raw const action, null_mut());
        libc::prctl(libc::PR_SET_TSC, libc::PR_TSC_SIGSEGV, 0, 0, 0);
        if cpuid {
            libc::syscall(libc::SYS_arch_prctl, SET_CPUID, 0);
        }
    }
}

/// Allows both; any other fault ends the supervisor as it would have without a handler.
extern "C" fn executed(_: i32, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    const GENERAL_PROTECTION: i32 = 0x80;
    // SAFETY: the kernel hands over a valid structure; the calls take numbers and constants.
    unsafe {
        if (*info).si_code == GENERAL_PROTECTION
            && libc::prctl(libc::PR_SET_TSC, libc::PR_TSC_ENABLE, 0, 0, 0) == 0
        {
            libc::syscall(libc::SYS_arch_prctl, SET_CPUID, 1);
            // A second fault of this kind is another one.
            if !ALLOWED.swap(true, std::sync::atomic::Ordering::Relaxed) {
                return;
            }
        }
        libc::signal(libc::SIGSEGV, libc::SIG_DFL);
    }
}

static ALLOWED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
