//! The system calls that rustix does not offer, or only in a part that it keeps to itself. Each opens with the literal call.
#![allow(unsafe_code)]

use core::arch::asm;
use core::ffi::CStr;
use formats::say;
use formats::say::LineBuf;
use init::filter::{Filter, Instruction, Policy};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd};
use rustix::io::Errno;
use rustix::thread::ClockId;

/// Numbers from `arch/x86/entry/syscalls/syscall_64.tbl`.
const IOCTL: usize = 16;
const CLONE: usize = 56;
const EXECVE: usize = 59;
const SYSLOG: usize = 103;
const PERSONALITY: usize = 135;
const CLOCK_GETTIME: usize = 228;
const CLOCK_NANOSLEEP: usize = 230;
const EXIT_GROUP: usize = 231;
const KEYCTL: usize = 250;
const UNSHARE: usize = 272;
const SECCOMP: usize = 317;
const CLOSE_RANGE: usize = 436;
const MOUNT_SETATTR: usize = 442;

/// # Safety
/// As the system call that is named.
unsafe fn call(number: usize, a: [usize; 5]) -> Result<usize, Errno> {
    let result: usize;
    // SAFETY: the kernel preserves all registers but rax, rcx and r11.
    unsafe {
        asm!("syscall", inlateout("rax") number => result, in("rdi") a[0], in("rsi") a[1], in("rdx") a[2],
            in("r10") a[3], in("r8") a[4], lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    // Errors are -4095 to -1.
    match result as isize {
        error @ -4095..0 => Err(Errno::from_raw_os_error(-error as i32)),
        _ => Ok(result),
    }
}

/// New mount, UTS, PID and network namespaces. Source: `include/uapi/linux/sched.h`.
pub const NAMESPACES: usize = 0x0002_0000 | 0x0400_0000 | 0x2000_0000 | 0x4000_0000;

/// `clone(SIGCHLD | flags, NULL, NULL, NULL, 0)`: fork, into new namespaces. `None` in the child.
/// [man](https://man7.org/linux/man-pages/man2/clone.2.html)
pub fn fork(flags: usize) -> Result<Option<rustix::process::Pid>, Errno> {
    const SIGCHLD: usize = 17;
    // SAFETY: without CLONE_VM the child has its own copy of this only thread's memory.
    let pid = unsafe { call(CLONE, [flags | SIGCHLD, 0, 0, 0, 0])? };
    Ok(rustix::process::Pid::from_raw(pid as i32))
}

/// A new user namespace.
pub const NEW_USER: usize = 0x1000_0000;
/// A new IPC namespace.
pub const NEW_IPC: usize = 0x0800_0000;

/// `unshare(flags)`
/// [man](https://man7.org/linux/man-pages/man2/unshare.2.html)
pub fn unshare(flags: usize) -> Result<(), Errno> {
    // SAFETY: touches no memory of ours.
    unsafe { call(UNSHARE, [flags, 0, 0, 0, 0]).map(drop) }
}

/// `unshare(CLONE_NEWTIME)`, and the clocks that count from the start of the kernel count from now for whoever is started next. A
/// kernel before 5.6 lets its uptime be seen.
/// [man](https://man7.org/linux/man-pages/man7/time_namespaces.7.html)
pub fn own_clocks() {
    const CLONE_NEWTIME: usize = 0x80;
    if unshare(CLONE_NEWTIME).is_err() {
        return;
    }
    let mut offsets = LineBuf::new();
    for (name, id) in [("monotonic -", ClockId::Monotonic), ("boottime -", ClockId::Boottime)] {
        let now = clock(id);
        // Where a step starts at a certain phase of the timer, its clocks start there.
        let now = if crate::host::is_shared() { now } else { (now.0, now.1 - now.1 % PHASE) };
        // A nanosecond more would be a clock below zero, if no time passed.
        say!(&mut offsets, name, now.0 + 1, " ", 999_999_999 - now.1, "\n");
    }
    let _ = crate::settings::set(&[(c"/proc/self/timens_offsets", offsets.as_bytes())]);
}

/// `close_range(first, UINT_MAX, 0)`
/// [man](https://man7.org/linux/man-pages/man2/close_range.2.html)
pub fn close_from(first: u32) -> Result<(), Errno> {
    // SAFETY: only descriptors that nobody here holds are closed, since the caller has opened none yet.
    unsafe { call(CLOSE_RANGE, [first as usize, u32::MAX as usize, 0, 0, 0]).map(drop) }
}

/// `execve(path, argv, envp)`; returns only when it fails.
/// [man](https://man7.org/linux/man-pages/man2/execve.2.html)
pub fn execve(path: &CStr, argv: &crate::memory::Strings, envp: &crate::memory::Strings) -> Errno {
    // SAFETY: both arrays end in a null pointer, and what they point to in a NUL.
    let result = unsafe { call(EXECVE, [path.as_ptr().addr(), argv.address(), envp.address(), 0, 0]) };
    result.err().unwrap_or(Errno::INVAL)
}

/// `exit_group(status)`
/// [man](https://man7.org/linux/man-pages/man2/exit_group.2.html)
pub fn exit(status: u8) -> ! {
    loop {
        // SAFETY: ends the process.
        let _ = unsafe { call(EXIT_GROUP, [status.into(), 0, 0, 0, 0]) };
    }
}

/// `personality(persona)`
/// [man](https://man7.org/linux/man-pages/man2/personality.2.html)
pub fn personality(persona: u32) -> Result<(), Errno> {
    // SAFETY: touches no memory of ours.
    unsafe { call(PERSONALITY, [persona as usize, 0, 0, 0, 0]).map(drop) }
}

/// `syslog(SYSLOG_ACTION_CONSOLE_LEVEL, NULL, level)`: the kernel prints only messages below this level.
/// [man](https://man7.org/linux/man-pages/man2/syslog.2.html)
pub fn console_level(level: usize) -> Result<(), Errno> {
    const SYSLOG_ACTION_CONSOLE_LEVEL: usize = 8;
    // SAFETY: touches no memory of ours.
    unsafe { call(SYSLOG, [SYSLOG_ACTION_CONSOLE_LEVEL, 0, level, 0, 0]).map(drop) }
}

/// `clock_gettime(clock, &now)`: seconds and nanoseconds, without the vDSO that rustix would look for.
/// [man](https://man7.org/linux/man-pages/man2/clock_gettime.2.html)
pub fn clock(clock: ClockId) -> (u64, u64) {
    let mut now = [0_u64; 2];
    // SAFETY: a timespec is two 64-bit numbers. These clocks can't fail.
    let _ = unsafe { call(CLOCK_GETTIME, [clock as usize, now.as_mut_ptr().addr(), 0, 0, 0]) };
    (now[0], now[1])
}

/// CLOCK_MONOTONIC in milliseconds.
pub fn milliseconds() -> u64 {
    let now = clock(ClockId::Monotonic);
    now.0 * 1000 + now.1 / 1_000_000
}

/// A multiple of every kernel's tick, in nanoseconds, and longer than anything takes that a kernel puts off.
const PHASE: u64 = 100_000_000;

/// `clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, NULL)`: until the timer is in its phase.
/// [man](https://man7.org/linux/man-pages/man2/clock_nanosleep.2.html)
pub fn sleep_to_phase() {
    let id = ClockId::Monotonic;
    let rest = [0, PHASE - clock(id).1 % PHASE];
    // SAFETY: a timespec is two 64-bit numbers. A sleep that ends early ends.
    let _ = unsafe { call(CLOCK_NANOSLEEP, [id as usize, 0, rest.as_ptr().addr(), 0, 0]) };
}

/// `clock_settime(CLOCK_REALTIME, { seconds, 0 })`; the host's clock is left alone.
/// [man](https://man7.org/linux/man-pages/man2/clock_settime.2.html)
pub fn set_clock(seconds: u64) -> Result<(), Errno> {
    if crate::host::is_shared() {
        return Ok(());
    }
    let now = rustix::time::Timespec { tv_sec: seconds as i64, tv_nsec: 0 };
    rustix::time::clock_settime(ClockId::Realtime, now)
}

/// `seccomp(SECCOMP_SET_MODE_FILTER, 0, &{ length, filter })`: from here on it decides on the calls of this process and its children.
/// [man](https://man7.org/linux/man-pages/man2/seccomp.2.html)
pub fn filter(policy: Policy) -> Result<(), Errno> {
    #[repr(C)]
    struct Program(u16, *const Instruction);
    const SECCOMP_SET_MODE_FILTER: usize = 1;
    let filter = Filter::new(policy);
    let program = Program(filter.instructions().len() as u16, filter.instructions().as_ptr());
    // SAFETY: the kernel copies the program.
    unsafe { call(SECCOMP, [SECCOMP_SET_MODE_FILTER, 0, (&raw const program).addr(), 0, 0]).map(drop) }
}

/// `keyctl(KEYCTL_JOIN_SESSION_KEYRING, NULL)`: a new one without a name. No namespace keeps a step from the keys of whoever started
/// the machine, or of the step before.
/// [man](https://man7.org/linux/man-pages/man2/keyctl.2.html)
pub fn new_keyring() -> Result<(), Errno> {
    const KEYCTL_JOIN_SESSION_KEYRING: usize = 1;
    // SAFETY: touches no memory of ours.
    match unsafe { call(KEYCTL, [KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0]) } {
        // A kernel without keys, and a container that lets nobody have any.
        Err(Errno::NOSYS | Errno::PERM) => Ok(()),
        result => result.map(drop),
    }
}

/// `ioctl(random, RNDCLEARPOOL)`, `ioctl(random, RNDADDENTROPY, &{ entropy_count: 256, buf_size: 32, buf: seed })`,
/// `ioctl(random, RNDRESEEDCRNG)`: random numbers follow from the seed from here on. The first is without effect where the kernel
/// is Linux's own.
/// [man](https://man7.org/linux/man-pages/man4/random.4.html)
pub fn add_entropy(random: BorrowedFd<'_>, seed: &[u8; 32]) -> Result<(), Errno> {
    #[repr(C)]
    struct RandPoolInfo {
        entropy_count: i32,
        buf_size: i32,
        buf: [u8; 32],
    }
    const RNDADDENTROPY: usize = 0x4008_5203;
    const RNDCLEARPOOL: usize = 0x5206;
    const RNDRESEEDCRNG: usize = 0x5207;
    let info = RandPoolInfo { entropy_count: 256, buf_size: 32, buf: *seed };
    // SAFETY: the kernel reads the structure, whose size it finds in buf_size; the others have no argument.
    unsafe {
        ioctl(random, RNDCLEARPOOL, 0)?;
        ioctl(random, RNDADDENTROPY, (&raw const info).addr())?;
        ioctl(random, RNDRESEEDCRNG, 0)
    }
}

/// `ioctl(socket, SIOCSIFFLAGS, &{ ifr_name: "lo", ifr_flags: IFF_UP | IFF_RUNNING })`
/// [man](https://man7.org/linux/man-pages/man7/netdevice.7.html)
pub fn loopback_up(socket: BorrowedFd<'_>) -> Result<(), Errno> {
    #[repr(C)]
    struct IfReq {
        name: [u8; 16],
        flags: i16,
        rest: [u8; 22],
    }
    const SIOCSIFFLAGS: usize = 0x8914;
    const IFF_UP_RUNNING: i16 = 0x41;
    let mut request = IfReq { name: [0; 16], flags: IFF_UP_RUNNING, rest: [0; 22] };
    request.name[..2].copy_from_slice(b"lo");
    // SAFETY: the structure has the size of the kernel's `struct ifreq`, 40 bytes.
    unsafe { ioctl(socket, SIOCSIFFLAGS, (&raw const request).addr()) }
}

/// `ioctl(terminal, TCGETS, &settings)`, and `TCSETS` without what cfmakeraw(3) takes away: the rest is seen by who asks.
/// [man](https://man7.org/linux/man-pages/man3/termios.3.html)
pub fn make_raw(terminal: BorrowedFd<'_>) -> Result<(), Errno> {
    #[repr(C)]
    struct Termios {
        /// Of input, of output, of control, local.
        flags: [u32; 4],
        line: u8,
        characters: [u8; 19],
    }
    const TCGETS: usize = 0x5401;
    const TCSETS: usize = 0x5402;
    // IGNBRK BRKINT PARMRK ISTRIP INLCR IGNCR ICRNL IXON; OPOST; CSIZE PARENB; ISIG ICANON ECHO ECHONL IEXTEN
    const AWAY: [u32; 4] = [0o2753, 0o1, 0o460, 0o100_113];
    const CS8: u32 = 0o60;
    let mut settings = Termios { flags: [0; 4], line: 0, characters: [0; _] };
    // SAFETY: the kernel writes a `struct termios`, 36 bytes.
    unsafe { ioctl(terminal, TCGETS, (&raw mut settings).addr())? };
    for (flags, away) in settings.flags.iter_mut().zip(AWAY) {
        *flags &= !away;
    }
    settings.flags[2] |= CS8;
    // SAFETY: the kernel reads the same.
    unsafe { ioctl(terminal, TCSETS, (&raw const settings).addr()) }
}

/// `ioctl(terminal, TCSBRK, 1)`: waits until all is sent.
/// [man](https://man7.org/linux/man-pages/man2/TCSBRK.2const.html)
pub fn drain(terminal: impl AsFd) -> Result<(), Errno> {
    const TCSBRK: usize = 0x5409;
    // SAFETY: the argument is a number.
    unsafe { ioctl(terminal.as_fd(), TCSBRK, 1) }
}

/// # Safety
/// As the request that is named.
unsafe fn ioctl(fd: BorrowedFd<'_>, request: usize, argument: usize) -> Result<(), Errno> {
    // SAFETY: the caller's.
    unsafe { call(IOCTL, [fd.as_raw_fd() as usize, request, argument, 0, 0]).map(drop) }
}

/// More attributes of a mount that is read-only and without set-id bits: no devices, no programs.
pub const NODEV: u64 = 0x4;
/// See [`NODEV`].
pub const NOEXEC: u64 = 0x8;

/// `mount_setattr(mount, "", AT_EMPTY_PATH, &{ attr_set: RDONLY | NOSUID | more }, 32)`
/// [man](https://man7.org/linux/man-pages/man2/mount_setattr.2.html)
pub fn make_read_only(mount: BorrowedFd<'_>, more: u64) -> Result<(), Errno> {
    const AT_EMPTY_PATH: usize = 0x1000;
    const RDONLY_NOSUID: u64 = 0x1 | 0x2;
    let attributes = [RDONLY_NOSUID | more, 0, 0, 0];
    let arguments =
        [mount.as_raw_fd() as usize, c"".as_ptr().addr(), AT_EMPTY_PATH, attributes.as_ptr().addr(), 32];
    // SAFETY: the structure is four 64-bit numbers: attr_set, attr_clr, propagation, userns_fd.
    unsafe { call(MOUNT_SETATTR, arguments).map(drop) }
}
