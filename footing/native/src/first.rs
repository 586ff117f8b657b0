//! The first guest process: a copy of the supervisor that is emptied before the filter closes behind it. All others are copies of it.
#![allow(unsafe_code, reason = "a process is started")]

use footing_core::platform::PAGE;
use libc::pid_t;

use crate::list::{List, Stopped};
use crate::trace::{self, Status};
use crate::{Error, filter, pin, stub};

/// The first process, and what holds for all.
pub struct First {
    /// Its number; it is stopped.
    pub pid: pid_t,
    /// Where notifications arrive, unless the host lets nobody have them.
    pub listener: Option<i32>,
    /// Whether `cpuid` faults.
    pub cpuid: bool,
    /// Whether the host can have large pages.
    pub large: bool,
    /// The vectors' state of a fresh program, as XSAVE stores it.
    pub vectors: Vec<u8>,
}

/// Makes the first process. It keeps one file open, the store's.
pub fn make(list: &mut List, store: i32) -> Result<First, Error> {
    let pid = start(list)?;
    let made = prepare(list, store, pid);
    if made.is_err() {
        trace::kill(pid);
        trace::reap(pid);
    }
    made
}

fn prepare(list: &mut List, store: i32, pid: pid_t) -> Result<First, Error> {
    trace::set_options(pid).map_err(|_| Error::last("ptrace(PTRACE_SETOPTIONS)"))?;
    let fresh = fresh(trace::vectors(pid).map_err(|_| Error::last("ptrace(PTRACE_GETREGSET)"))?);
    empty(list, pid)?;
    let cpuid =
        make_first(list, pid, &[[libc::SYS_arch_prctl as u64, pin::SET_CPUID as u64, 0, 0, 0, 0, 0]]).is_ok();
    let advice = [libc::SYS_madvise as u64, stub::FIRST, 0x1000, filter::ADVICE, 0, 0, 0];
    let large = make_first(list, pid, &[advice]).is_ok();
    let listener = close(list, pid, true).or_else(|_| close(list, pid, false))?;
    // From here on the filter holds, and lets the stub at its own place make calls alone.
    let (before, behind) = (store as u64 - 1, store as u64 + 1);
    const UNSHARE: u64 = 2;
    let last = [
        [libc::SYS_munmap as u64, stub::FIRST, 0x2000, 0, 0, 0, 0],
        [libc::SYS_close_range as u64, 0, before, UNSHARE, 0, 0, 0],
        [libc::SYS_close_range as u64, behind, u64::from(u32::MAX), 0, 0, 0, 0],
    ];
    list.make(pid, &last).map_err(|stopped| refused("leaving the first process empty", stopped))?;
    Ok(First { pid, listener, cpuid, large, vectors: fresh })
}

/// A copy of this process that has list and stub at [`stub::FIRST`] and waits.
fn start(list: &List) -> Result<pid_t, Error> {
    // SAFETY: the copy has the supervisor's stack as its own and only makes system calls. It shares the table of files, so that the
    // listener which it makes is the supervisor's.
    unsafe {
        let pid = libc::syscall(libc::SYS_clone, libc::CLONE_FILES | libc::SIGCHLD, 0, 0, 0, 0) as pid_t;
        match pid {
            0 => wait_for_orders(list.fd),
            -1 => return Err(Error::last("clone")),
            _ => {}
        }
        match trace::wait(pid) {
            Status::Signal(libc::SIGTRAP) => Ok(pid),
            Status::Signal(_) => {
                trace::kill(pid);
                trace::reap(pid);
                Err(Error::last("the first process"))
            }
            Status::Exited(code) => {
                Err(Error::Call("ptrace(PTRACE_TRACEME)", std::io::Error::from_raw_os_error(code)))
            }
            Status::Ended => Err(Error::last("the first process")),
        }
    }
}

/// What the copy does; its status is an error number.
unsafe fn wait_for_orders(fd: i32) -> ! {
    // SAFETY: new mappings where nothing is, and calls with numbers.
    unsafe {
        let flags = libc::MAP_SHARED | libc::MAP_FIXED_NOREPLACE;
        let (list, code) = (stub::FIRST as *mut libc::c_void, (stub::FIRST + 0x1000) as *mut libc::c_void);
        let mapped = libc::mmap(list, 0x1000, libc::PROT_READ, flags, fd, 0) == list
            && libc::mmap(code, 0x1000, libc::PROT_READ | libc::PROT_EXEC, flags, fd, 0x1000) == code;
        if !mapped || libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) != 0 {
            libc::_exit(*libc::__errno_location());
        }
        std::arch::asm!("int3");
        libc::_exit(libc::EINTR)
    }
}

fn make_first(list: &mut List, pid: pid_t, calls: &[stub::Call]) -> Result<u64, Stopped> {
    list.make_at(pid, stub::FIRST + 0x1000, stub::FIRST, calls)
}

/// Unmaps all that the supervisor has mapped and maps list and stub at their place.
fn empty(list: &mut List, pid: pid_t) -> Result<(), Error> {
    let mut calls = Vec::new();
    if let Some([at, size, signature]) = trace::sequences(pid) {
        const RSEQ: u64 = 334;
        const UNREGISTER: u64 = 1;
        calls.push([RSEQ, at, size, UNREGISTER, signature, 0, 0]);
    }
    calls.push([libc::SYS_set_robust_list as u64, 0, 24, 0, 0, 0, 0]);
    calls.push([libc::SYS_prctl as u64, libc::PR_SET_TSC as u64, libc::PR_TSC_SIGSEGV as u64, 0, 0, 0, 0]);
    calls.push([libc::SYS_prctl as u64, libc::PR_SET_NO_NEW_PRIVS as u64, 1, 0, 0, 0, 0]);
    if let Some((start, length)) = vdso(pid) {
        let flags = (libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED) as u64;
        // Its last place decides where `sysenter` returns to.
        calls.push([libc::SYS_munmap as u64, stub::VDSO, length, 0, 0, 0, 0]);
        calls.push([libc::SYS_mremap as u64, start, length, length, flags, stub::VDSO, 0]);
    }
    let behind = stub::FIRST + 0x2000;
    calls.push([libc::SYS_munmap as u64, 0, stub::FIRST, 0, 0, 0, 0]);
    calls.push([libc::SYS_munmap as u64, behind, stub::TOP - behind, 0, 0, 0, 0]);
    let flags = (libc::MAP_SHARED | libc::MAP_FIXED) as u64;
    let (read, execute) = (libc::PROT_READ as u64, (libc::PROT_READ | libc::PROT_EXEC) as u64);
    let fd = list.fd as u64;
    calls.push([libc::SYS_mmap as u64, stub::LIST, 0x1000, read, flags, fd, 0]);
    calls.push([libc::SYS_mmap as u64, stub::CODE, 0x1000, execute, flags, fd, 0x1000]);
    make_first(list, pid, &calls)
        .map(|_| ())
        .map_err(|stopped| refused("emptying the first process", stopped))
}

/// Where the vDSO of a process is, and its length. The process is a copy of this one.
fn vdso(pid: pid_t) -> Option<(u64, u64)> {
    let Ok(maps) = std::fs::read_to_string(format!("/proc/{pid}/maps")) else { return vdso_here() };
    let line = maps.lines().find(|line| line.ends_with("[vdso]"))?;
    let (start, end) = line.split_whitespace().next()?.split_once('-')?;
    let start = u64::from_str_radix(start, 16).ok()?;
    Some((start, u64::from_str_radix(end, 16).ok()?.checked_sub(start)?))
}

/// The same where there is no `/proc`: Linux maps the whole ELF file, whose table of sections stands last.
fn vdso_here() -> Option<(u64, u64)> {
    // SAFETY: a call with a number; the kernel maps an ELF file of 64 bits at this address, if it is not zero.
    let header = unsafe {
        match libc::getauxval(libc::AT_SYSINFO_EHDR) {
            0 => return None,
            start => std::slice::from_raw_parts(start as *const u8, 64),
        }
    };
    let number = |at: usize, bytes: usize| {
        header[at..at + bytes].iter().rev().fold(0, |all, &byte| all << 8 | u64::from(byte))
    };
    // `e_shoff`, `e_shentsize`, `e_shnum`.
    let length = number(0x28, 8) + number(0x3a, 2) * number(0x3c, 2);
    Some((header.as_ptr() as u64, length.next_multiple_of(PAGE)))
}

/// Installs the filter; the listener, if there shall be one.
fn close(list: &mut List, pid: pid_t, notify: bool) -> Result<Option<i32>, Error> {
    const MODE_FILTER: u64 = 1;
    // The process holds nothing but what its program put there, so the processor may speculate.
    const ALLOW_SPECULATION: u64 = 4;
    const NEW_LISTENER: u64 = 8;
    list.put_program(stub::FIRST, &filter::program(list.secret(), notify));
    let flags = ALLOW_SPECULATION | if notify { NEW_LISTENER } else { 0 };
    let at = stub::FIRST + stub::PROGRAM as u64;
    let made = make_first(list, pid, &[[libc::SYS_seccomp as u64, MODE_FILTER, flags, at, 0, 0, 0]]);
    list.clear();
    let listener = made.map_err(|stopped| refused("seccomp", stopped))?;
    Ok(if notify { i32::try_from(listener).ok() } else { None })
}

fn refused(what: &'static str, stopped: Stopped) -> Error {
    match stopped {
        Stopped::Gone => Error::Gone(what),
        Stopped::Refused(errno) => Error::Call(what, std::io::Error::from_raw_os_error(errno)),
    }
}

/// The state after execve(2), in place of whatever state.
fn fresh(mut state: Vec<u8>) -> Vec<u8> {
    state.fill(0);
    // FCW, MXCSR; all parts in their initial state.
    state[..2].copy_from_slice(&0x37f_u16.to_le_bytes());
    state[24..28].copy_from_slice(&0x1f80_u32.to_le_bytes());
    state
}
