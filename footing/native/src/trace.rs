//! ptrace(2) of a guest process, one function a request.
//!
//! A request fails only where the process is gone: the host killed it for lack of memory. The caller then ends the step.
#![allow(unsafe_code, reason = "ptrace has no safe form")]

use libc::{c_void, pid_t, user_regs_struct};

/// The process is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

/// What waitpid(2) says of a guest process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It stopped for a signal.
    Signal(i32),
    /// It exited with this status.
    Exited(i32),
    /// It was killed.
    Ended,
}

/// Which part of the registers a register set holds: XSAVE's.
const XSTATE: u64 = 0x202;

/// `GDT_ENTRY_TLS_MIN` of x86-64.
const AREA: u32 = 12;

/// Bytes that hold XSAVE's state of any processor so far, AMX included.
const XSTATE_ROOM: usize = 16384;

fn request(request: u32, pid: pid_t, address: u64, data: u64) -> Result<(), Gone> {
    // SAFETY: callers pass addresses of memory that is theirs and as large as the request writes, or numbers.
    let result = unsafe { libc::ptrace(request, pid, address as *mut c_void, data as *mut c_void) };
    if result == -1 { Err(Gone) } else { Ok(()) }
}

/// All integer registers, segment selectors included.
pub fn registers(pid: pid_t) -> Result<user_regs_struct, Gone> {
    let mut registers = empty();
    request(libc::PTRACE_GETREGS, pid, 0, &raw mut registers as u64)?;
    // A program may load a selector of lower privilege than its own, which the processor takes and ptrace does not.
    let r = &mut registers;
    for selector in [&mut r.ds, &mut r.es, &mut r.fs, &mut r.gs] {
        if *selector != 0 {
            *selector |= 3;
        }
    }
    Ok(registers)
}

/// Registers that are all zero.
pub fn empty() -> user_regs_struct {
    // SAFETY: the structure consists of integers.
    unsafe { std::mem::zeroed() }
}

/// Replaces all integer registers. `orig_rax` of all ones lets a call before which the process stopped be skipped.
pub fn set_registers(pid: pid_t, to: &user_regs_struct) -> Result<(), Gone> {
    request(libc::PTRACE_SETREGS, pid, 0, &raw const *to as u64)
}

/// Floating-point and vector state, as XSAVE stores it.
pub fn vectors(pid: pid_t) -> Result<Vec<u8>, Gone> {
    let mut all = vec![0_u8; XSTATE_ROOM];
    let mut part = libc::iovec { iov_base: all.as_mut_ptr().cast(), iov_len: all.len() };
    request(libc::PTRACE_GETREGSET, pid, XSTATE, &raw mut part as u64)?;
    all.truncate(part.iov_len);
    Ok(all)
}

/// Replaces it.
pub fn set_vectors(pid: pid_t, to: &[u8]) -> Result<(), Gone> {
    let part = libc::iovec { iov_base: to.as_ptr().cast_mut().cast(), iov_len: to.len() };
    request(libc::PTRACE_SETREGSET, pid, XSTATE, &raw const part as u64)
}

/// No guest outlives the supervisor. Copies of the process inherit that.
pub fn set_options(pid: pid_t) -> Result<(), Gone> {
    request(libc::PTRACE_SETOPTIONS, pid, 0, libc::PTRACE_O_EXITKILL as u64)
}

/// Sets the base of the first segment that set_thread_area(2) hands out, all 4 GiB from there on.
pub fn set_area(pid: pid_t, base: u32) -> Result<(), Gone> {
    const SET: u32 = 26;
    // `struct user_desc`: number, base, limit; 32 bits, in pages, usable.
    let area = [AREA, base, 0xf_ffff, 0x51];
    request(SET, pid, u64::from(AREA), area.as_ptr() as u64)
}

/// Lets a stopped process run; a signal that stopped it is dropped.
pub fn resume(pid: pid_t) -> Result<(), Gone> {
    request(libc::PTRACE_CONT, pid, 0, 0)
}

/// What the signal that stopped a process says, of `siginfo_t`.
#[derive(Clone, Copy, Debug)]
pub struct Info {
    /// `si_signo`.
    pub signal: i32,
    /// `si_code`.
    pub code: i32,
    /// `si_addr`; for SIGSYS `si_call_addr`.
    pub address: u64,
    /// For SIGSYS: `si_arch`.
    pub arch: u32,
}

/// The signal that stopped the process.
pub fn signal(pid: pid_t) -> Result<Info, Gone> {
    let mut info = [0_u32; 32];
    request(libc::PTRACE_GETSIGINFO, pid, 0, info.as_mut_ptr() as u64)?;
    let address = u64::from(info[4]) | u64::from(info[5]) << 32;
    Ok(Info { signal: info[0] as i32, code: info[2] as i32, address, arch: info[7] })
}

/// Waits until the process stops or ends.
pub fn wait(pid: pid_t) -> Status {
    loop {
        if let Some(status) = poll(pid, libc::__WALL) {
            return status;
        }
    }
}

/// `None`: nothing yet, or a signal interrupted the wait.
pub fn poll(pid: pid_t, options: i32) -> Option<Status> {
    let mut status = 0;
    // SAFETY: the status is written to a variable of ours.
    let result = unsafe { libc::waitpid(pid, &raw mut status, options) };
    if result == 0 || (result == -1 && interrupted()) {
        return None;
    }
    if result == pid && libc::WIFEXITED(status) {
        return Some(Status::Exited(libc::WEXITSTATUS(status)));
    }
    if result != pid || !libc::WIFSTOPPED(status) {
        return Some(Status::Ended);
    }
    Some(Status::Signal(libc::WSTOPSIG(status)))
}

fn interrupted() -> bool {
    std::io::Error::last_os_error().raw_os_error() == Some(libc::EINTR)
}

/// Stops the process when it next would execute an instruction of its own.
pub fn halt(pid: pid_t) {
    // SAFETY: a call with numbers only.
    unsafe { libc::syscall(libc::SYS_tkill, pid, libc::SIGSTOP) };
}

/// Ends the process; [`reap`] follows.
pub fn kill(pid: pid_t) {
    // SAFETY: a call with numbers only; the process is a child that was not waited for.
    unsafe { libc::kill(pid, libc::SIGKILL) };
}

/// Waits for the end of a process that was killed.
pub fn reap(pid: pid_t) {
    while matches!(wait(pid), Status::Signal(_)) {}
}

/// Nanoseconds that the process used a processor.
pub fn used(pid: pid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // The number of the process's own clock (clock_getcpuclockid(3)).
    let clock = (!pid) << 3 | 2;
    // SAFETY: the kernel writes to a variable of ours. Not by libc, which may read the time stamp counter.
    unsafe { libc::syscall(libc::SYS_clock_gettime, clock, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Address, size and signature under which a libc registered restartable sequences, if it did.
pub fn sequences(pid: pid_t) -> Option<[u64; 3]> {
    const GET: u32 = 0x420f;
    let mut found = [0_u64; 3];
    // The kernel writes 24 bytes: a pointer, two words of 32 bits, flags and padding.
    request(GET, pid, 24, found.as_mut_ptr() as u64).ok()?;
    (found[0] != 0).then(|| [found[0], found[1] & 0xffff_ffff, found[1] >> 32])
}

/// Copies out of a process. The bytes copied before the first that it could not read itself.
pub fn read(pid: pid_t, at: u64, to: &mut [u8]) -> usize {
    let here = libc::iovec { iov_base: to.as_mut_ptr().cast(), iov_len: to.len() };
    let there = libc::iovec { iov_base: at as *mut c_void, iov_len: to.len() };
    // SAFETY: the kernel writes to `to` alone, and not behind its end.
    let count = unsafe { libc::process_vm_readv(pid, &raw const here, 1, &raw const there, 1, 0) };
    usize::try_from(count).unwrap_or(0)
}

/// Copies into a process. The bytes copied before the first that it could not write itself.
pub fn write(pid: pid_t, at: u64, from: &[u8]) -> usize {
    let here = libc::iovec { iov_base: from.as_ptr().cast_mut().cast(), iov_len: from.len() };
    let there = libc::iovec { iov_base: at as *mut c_void, iov_len: from.len() };
    // SAFETY: the kernel reads `from` alone; the memory written is another process's.
    let count = unsafe { libc::process_vm_writev(pid, &raw const here, 1, &raw const there, 1, 0) };
    usize::try_from(count).unwrap_or(0)
}
