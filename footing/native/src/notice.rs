//! Waiting for a guest's next call by notification or its next stop, whichever comes.
//!
//! A notification is received by an ioctl that sleeps; a stop is announced by SIGCHLD. So that a signal just before the sleep is not
//! missed, its handler leaves the few instructions before the ioctl (the way in which libc's cancel a thread).
#![allow(unsafe_code, reason = "ioctls, a signal handler, and the instructions that it leaves")]

use std::arch::global_asm;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

use libc::{c_void, pid_t};

use crate::trace::{self, Status};

/// `struct seccomp_notif`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Notice {
    /// Names it until it is answered.
    pub id: u64,
    pid: u32,
    flags: u32,
    /// Of the call.
    pub number: u32,
    arch: u32,
    /// Behind the instruction.
    pub pointer: u64,
    /// Of the call.
    pub arguments: [u64; 6],
}

/// What a wait ends with.
#[derive(Clone, Copy, Debug)]
pub enum News {
    /// A call.
    Notice(Notice),
    /// A stop, or the end of the process.
    Status(Status),
    /// Neither: some time passed.
    Tick,
}

const RECEIVE: u64 = 0xc050_2100;
const SEND: u64 = 0xc018_2101;
const SET_FLAGS: u64 = 0x4008_2104;
/// Wakes the guest on the processor of the supervisor, which is about to sleep.
const SYNC_WAKE_UP: u64 = 1;

// ioctl(edi, rsi, rdx), not begun if [rcx] is set.
global_asm!(
    ".globl footing_native_receive",
    "footing_native_receive:",
    "mov eax, 16",
    ".globl footing_native_receive_begin",
    "footing_native_receive_begin:",
    "cmp dword ptr [rcx], 0",
    "jne 2f",
    "syscall",
    ".globl footing_native_receive_end",
    "footing_native_receive_end:",
    "ret",
    ".globl footing_native_receive_left",
    "footing_native_receive_left:",
    "2: mov rax, -4",
    "ret",
);

unsafe extern "C" {
    fn footing_native_receive(fd: i32, request: u64, notice: *mut Notice, signalled: *const AtomicU32)
    -> i64;
    static footing_native_receive_begin: u8;
    static footing_native_receive_end: u8;
    static footing_native_receive_left: u8;
}

/// Set by the handler of SIGCHLD and SIGALRM.
static SIGNALLED: AtomicU32 = AtomicU32::new(0);
/// Counts SIGALRM.
static TICKS: AtomicI32 = AtomicI32::new(0);

extern "C" fn arrived(signal: i32, _: *mut libc::siginfo_t, context: *mut c_void) {
    SIGNALLED.store(1, Ordering::Relaxed);
    if signal == libc::SIGALRM {
        TICKS.fetch_add(1, Ordering::Relaxed);
    }
    let context = context.cast::<libc::ucontext_t>();
    let begin = &raw const footing_native_receive_begin as i64;
    let end = &raw const footing_native_receive_end as i64;
    // SAFETY: the kernel hands the handler a valid context; its instruction pointer is changed only within our own assembly.
    unsafe {
        let pointer = &mut (*context).uc_mcontext.gregs[libc::REG_RIP as usize];
        if (begin..end).contains(pointer) {
            *pointer = &raw const footing_native_receive_left as i64;
        }
    }
}

/// Lets SIGCHLD and SIGALRM interrupt a wait, and lets SIGALRM come every so many microseconds. For the whole process.
pub fn listen(microseconds: i64) {
    // SAFETY: the structures are plain memory; the handler only does what is allowed in one.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = arrived as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO;
        libc::sigaction(libc::SIGCHLD, &raw const action, std::ptr::null_mut());
        libc::sigaction(libc::SIGALRM, &raw const action, std::ptr::null_mut());
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGCHLD);
        libc::sigaddset(&raw mut set, libc::SIGALRM);
        libc::sigprocmask(libc::SIG_UNBLOCK, &raw const set, std::ptr::null_mut());
        let every = libc::timeval { tv_sec: 0, tv_usec: microseconds };
        let timer = libc::itimerval { it_interval: every, it_value: every };
        libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut());
    }
}

/// Prepares a listener.
pub fn prepare(listener: i32) {
    // SAFETY: an ioctl with numbers only; kernels before 6.6 refuse it, which costs time alone.
    unsafe { libc::ioctl(listener, SET_FLAGS, SYNC_WAKE_UP) };
}

/// Closes a listener.
pub fn close(listener: i32) {
    // SAFETY: the descriptor is the caller's.
    unsafe { libc::close(listener) };
}

/// Waits for what the running process does next.
pub fn wait(listener: Option<i32>, pid: pid_t) -> News {
    loop {
        if listener.is_none() || SIGNALLED.swap(0, Ordering::Relaxed) != 0 {
            let options = if listener.is_some() { libc::WNOHANG } else { 0 };
            if let Some(status) = trace::poll(pid, libc::__WALL | options) {
                return News::Status(status);
            }
            if TICKS.swap(0, Ordering::Relaxed) != 0 {
                return News::Tick;
            }
        }
        let Some(listener) = listener else { continue };
        let mut notice = Notice::default();
        // SAFETY: the kernel fills the notice, which is as large as `RECEIVE` says; the flag is static.
        let result =
            unsafe { footing_native_receive(listener, RECEIVE, &raw mut notice, &raw const SIGNALLED) };
        if result == 0 {
            return News::Notice(notice);
        }
        // Interrupted, or the process was killed meanwhile: the status says which.
        if result != -i64::from(libc::EINTR) {
            SIGNALLED.store(1, Ordering::Relaxed);
        }
    }
}

/// Answers a notice: the guest's call returns this value. A guest that is gone is found by the next wait.
pub fn answer(listener: i32, id: u64, value: i64) {
    let failed = (-4095..0).contains(&value);
    // `struct seccomp_notif_resp`: id, value, error and flags. An error is negative; flags stay zero: the kernel never continues a call.
    let error = if failed { u64::from(value as i32 as u32) } else { 0 };
    let response = [id, if failed { 0 } else { value as u64 }, error];
    // SAFETY: the kernel reads 24 bytes, the array's size.
    unsafe { libc::ioctl(listener, SEND, response.as_ptr()) };
}
