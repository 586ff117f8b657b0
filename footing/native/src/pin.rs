//! The supervisor itself: on one processor, with what guests may not execute forbidden to it too.
//!
//! Where supervisor and guest differ in whether they may execute `rdtsc` and `cpuid`, the host's kernel writes control registers at every switch
//! between them, which costs more than all the rest of a call. Should the supervisor execute one (by the vDSO, or a library that looks for
//! features), a signal handler does so in its place.
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
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
        libc::sigaction(libc::SIGSEGV, &raw const action, null_mut());
        libc::prctl(libc::PR_SET_TSC, libc::PR_TSC_SIGSEGV, 0, 0, 0);
        if cpuid {
            libc::syscall(libc::SYS_arch_prctl, SET_CPUID, 0);
        }
    }
}

/// Executes the instruction that faulted in the place of who did, with a moment's leave; any other fault ends the supervisor as it
/// would have without a handler.
extern "C" fn executed(_: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    const GENERAL_PROTECTION: i32 = 0x80;
    // SAFETY: the kernel hands over valid structures, and the code that just executed can be read; the calls take numbers.
    unsafe {
        let registers = &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs;
        let code = registers[libc::REG_RIP as usize] as *const u8;
        let found = if (*info).si_code == GENERAL_PROTECTION { execute(code, registers) } else { None };
        match found {
            Some(length) => registers[libc::REG_RIP as usize] += length,
            None => {
                libc::signal(libc::SIGSEGV, libc::SIG_DFL);
            }
        }
    }
}

/// Executes `cpuid`, `rdtsc` or `rdtscp`; its length. None: it is none of them.
unsafe fn execute(code: *const u8, registers: &mut [i64; 23]) -> Option<i64> {
    use std::arch::x86_64::{__cpuid_count, __rdtscp, _rdtsc};
    // SAFETY: the caller's; the instructions are of every processor that this runs on.
    unsafe {
        let (leaf, subleaf) = (registers[libc::REG_RAX as usize], registers[libc::REG_RCX as usize]);
        let mut set = |register: i32, value: u32| registers[register as usize] = i64::from(value);
        let tsc = |mode: i32| libc::prctl(libc::PR_SET_TSC, mode, 0, 0, 0);
        match (*code, *code.add(1)) {
            (0x0f, 0xa2) => {
                libc::syscall(libc::SYS_arch_prctl, SET_CPUID, 1);
                let found = __cpuid_count(leaf as u32, subleaf as u32);
                libc::syscall(libc::SYS_arch_prctl, SET_CPUID, 0);
                let values = [found.eax, found.ebx, found.ecx, found.edx];
                let places = [libc::REG_RAX, libc::REG_RBX, libc::REG_RCX, libc::REG_RDX];
                places.into_iter().zip(values).for_each(|(register, value)| set(register, value));
                Some(2)
            }
            (0x0f, second @ (0x31 | 0x01)) if second == 0x31 || *code.add(2) == 0xf9 => {
                let mut processor = 0;
                tsc(libc::PR_TSC_ENABLE);
                let time = if second == 0x31 { _rdtsc() } else { __rdtscp(&raw mut processor) };
                tsc(libc::PR_TSC_SIGSEGV);
                set(libc::REG_RAX, time as u32);
                set(libc::REG_RDX, (time >> 32) as u32);
                if second == 0x01 {
                    set(libc::REG_RCX, processor);
                }
                Some(if second == 0x31 { 2 } else { 3 })
            }
            _ => None,
        }
    }
}
