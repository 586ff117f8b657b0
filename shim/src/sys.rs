//! The system calls of the probe. Each opens with the literal call.
#![allow(unsafe_code)]

use crate::options::Command;
use crate::tracee::Tracee;
use core::arch::asm;

/// Numbers from `arch/x86/entry/syscalls/syscall_64.tbl`.
const READ: usize = 0;
const WRITE: usize = 1;
const OPEN: usize = 2;
const CLOSE: usize = 3;
const FSTAT: usize = 5;
const LSEEK: usize = 8;
const MMAP: usize = 9;
const MUNMAP: usize = 11;
const NANOSLEEP: usize = 35;
const GETPID: usize = 39;
const FORK: usize = 57;
const VFORK: usize = 58;
const EXECVE: usize = 59;
const WAIT4: usize = 61;
const KILL: usize = 62;
const SETSID: usize = 112;
const FSTATFS: usize = 138;
const PRCTL: usize = 157;
const GETDENTS64: usize = 217;
const CLOCK_GETTIME: usize = 228;
const EXIT_GROUP: usize = 231;
const PIPE2: usize = 293;
const MEMFD_CREATE: usize = 319;

/// An error is a number from -4095 to -1.
///
/// # Safety
/// As the system call that is named.
pub unsafe fn call(number: usize, a: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the kernel preserves all registers but rax, rcx and r11.
    unsafe {
        asm!("syscall", inlateout("rax") number as isize => result, in("rdi") a[0], in("rsi") a[1], in("rdx") a[2],
            in("r10") a[3], in("r8") a[4], in("r9") a[5], lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    result
}

fn some(result: isize) -> Option<usize> {
    usize::try_from(result).ok()
}

/// `exit_group(status)`
/// [man](https://man7.org/linux/man-pages/man2/exit_group.2.html)
pub fn exit(status: u8) -> ! {
    loop {
        // SAFETY: ends the process.
        unsafe { call(EXIT_GROUP, [status.into(), 0, 0, 0, 0, 0]) };
    }
}

/// `kill(getpid(), signal)`: ends as the builder did.
/// [man](https://man7.org/linux/man-pages/man2/kill.2.html)
pub fn die(signal: u8) -> ! {
    // SAFETY: no handler is set.
    unsafe { call(KILL, [pid(), signal.into(), 0, 0, 0, 0]) };
    exit(128 + signal)
}

/// `getpid()`
/// [man](https://man7.org/linux/man-pages/man2/getpid.2.html)
pub fn pid() -> usize {
    // SAFETY: touches no memory.
    unsafe { call(GETPID, [0; 6]) as usize }
}

/// `write(fd, bytes, length)`
/// [man](https://man7.org/linux/man-pages/man2/write.2.html)
pub fn write(fd: usize, bytes: &[u8]) -> Option<usize> {
    // SAFETY: the kernel reads the slice.
    some(unsafe { call(WRITE, [fd, bytes.as_ptr().addr(), bytes.len(), 0, 0, 0]) })
}

/// `read(fd, bytes, length)`
/// [man](https://man7.org/linux/man-pages/man2/read.2.html)
pub fn read(fd: usize, bytes: &mut [u8]) -> Option<usize> {
    // SAFETY: the kernel writes into the slice.
    some(unsafe { call(READ, [fd, bytes.as_mut_ptr().addr(), bytes.len(), 0, 0, 0]) })
}

/// `open(path, flags)`; the path ends in a NUL.
/// [man](https://man7.org/linux/man-pages/man2/open.2.html)
pub fn open(path: &[u8], flags: usize) -> Option<usize> {
    const O_CLOEXEC: usize = 0o2_000_000;
    debug_assert_eq!(path.last(), Some(&0));
    // SAFETY: the path is as the caller says.
    some(unsafe { call(OPEN, [path.as_ptr().addr(), flags | O_CLOEXEC, 0, 0, 0, 0]) })
}

/// `close(fd)`
/// [man](https://man7.org/linux/man-pages/man2/close.2.html)
pub fn close(fd: usize) {
    // SAFETY: only numbers of this program's own are handed in, each once.
    unsafe { call(CLOSE, [fd, 0, 0, 0, 0, 0]) };
}

/// `fstat(fd, &stat)`: the device and the inode.
/// [man](https://man7.org/linux/man-pages/man2/fstat.2.html)
pub fn identity(fd: usize) -> (u64, u64) {
    let mut stat = [0_u64; 18];
    // SAFETY: `struct stat` is 144 bytes long on x86-64; device and inode are its first two numbers.
    unsafe { call(FSTAT, [fd, stat.as_mut_ptr().addr(), 0, 0, 0, 0]) };
    (stat[0], stat[1])
}

/// `fstatfs(fd, &statfs)`: the identity of the file system.
/// [man](https://man7.org/linux/man-pages/man2/fstatfs.2.html)
pub fn file_system(fd: usize) -> u64 {
    let mut statfs = [0_u64; 15];
    // SAFETY: `struct statfs` is 120 bytes long on x86-64; its identity is at byte 56.
    unsafe { call(FSTATFS, [fd, statfs.as_mut_ptr().addr(), 0, 0, 0, 0]) };
    statfs[7]
}

/// What a file holds, as far as there is room. The path ends in a NUL.
pub fn content(path: &[u8], room: &mut [u8]) -> usize {
    let Some(file) = open(path, 0) else { return 0 };
    let mut length = 0;
    while let Some(more @ 1..) = read(file, &mut room[length..]) {
        length += more;
    }
    close(file);
    length
}

/// `getdents64(fd, bytes, length)`
/// [man](https://man7.org/linux/man-pages/man2/getdents.2.html)
pub fn entries(fd: usize, bytes: &mut [u8]) -> Option<usize> {
    // SAFETY: the kernel writes into the slice.
    some(unsafe { call(GETDENTS64, [fd, bytes.as_mut_ptr().addr(), bytes.len(), 0, 0, 0]) })
}

/// `mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)`: memory for good.
/// [man](https://man7.org/linux/man-pages/man2/mmap.2.html)
pub fn memory(bytes: usize) -> &'static mut [u8] {
    // SAFETY: no file, no address.
    match some(unsafe { call(MMAP, [0, bytes, 3, 0x22, usize::MAX, 0]) }) {
        // SAFETY: a new mapping of this length, which nobody else knows.
        Some(address) => unsafe {
            core::slice::from_raw_parts_mut(core::ptr::with_exposed_provenance_mut(address), bytes)
        },
        None => exit(126),
    }
}

/// What may consist of any bits.
///
/// # Safety
/// All zeros must be a value of it.
pub unsafe trait Plain: Copy {}

// SAFETY: numbers.
unsafe impl<const COLUMNS: usize> Plain for [u64; COLUMNS] {}
// SAFETY: it consists of numbers.
unsafe impl Plain for crate::processes::Process {}

/// The same, as rows that are zero.
pub fn table<T: Plain>(rows: usize) -> &'static mut [T] {
    let bytes = memory((rows * size_of::<T>()).max(1));
    let address = bytes.as_mut_ptr();
    // SAFETY: a mapping starts at a page, nobody else has these bytes, and they are zero.
    unsafe { core::slice::from_raw_parts_mut(address.cast(), rows) }
}

/// `clock_gettime(clock, &now)`, in nanoseconds.
/// [man](https://man7.org/linux/man-pages/man2/clock_gettime.2.html)
pub fn now(clock: usize) -> u64 {
    let mut now = [0_u64; 2];
    // SAFETY: a timespec is two 64-bit numbers.
    unsafe { call(CLOCK_GETTIME, [clock, now.as_mut_ptr().addr(), 0, 0, 0, 0]) };
    now[0].wrapping_mul(1_000_000_000).wrapping_add(now[1])
}

/// `prctl(PR_SET_TSC, PR_TSC_SIGSEGV)`: to read the CPU's counter is a fault, in children too. Not every kernel can do that.
/// [man](https://man7.org/linux/man-pages/man2/PR_SET_TSC.2const.html)
pub fn trap_counter() {
    // SAFETY: touches no memory.
    unsafe { call(PRCTL, [26, 2, 0, 0, 0, 0]) };
}

/// `nanosleep(&{ 0, nanoseconds }, NULL)`
/// [man](https://man7.org/linux/man-pages/man2/nanosleep.2.html)
pub fn sleep(nanoseconds: u64) {
    let time = [0, nanoseconds];
    // SAFETY: a timespec is two 64-bit numbers.
    unsafe { call(NANOSLEEP, [time.as_ptr().addr(), 0, 0, 0, 0, 0]) };
}

/// `pipe2(&ends, O_CLOEXEC)`
/// [man](https://man7.org/linux/man-pages/man2/pipe.2.html)
pub fn pipe() -> Option<[usize; 2]> {
    let mut ends = [0_i32; 2];
    // SAFETY: the kernel writes two numbers.
    some(unsafe { call(PIPE2, [ends.as_mut_ptr().addr(), 0o2_000_000, 0, 0, 0, 0]) })?;
    Some([ends[0] as usize, ends[1] as usize])
}

/// `memfd_create("probe", MFD_CLOEXEC)`, written and wound back.
/// [man](https://man7.org/linux/man-pages/man2/memfd_create.2.html)
pub fn file(content: &[&[u8]]) -> Option<usize> {
    // SAFETY: the name ends in a NUL.
    let fd = some(unsafe { call(MEMFD_CREATE, [c"probe".as_ptr().addr(), 1, 0, 0, 0, 0]) })?;
    for part in content {
        write(fd, part)?;
    }
    rewind(fd);
    Some(fd)
}

/// `lseek(fd, 0, SEEK_SET)`
/// [man](https://man7.org/linux/man-pages/man2/lseek.2.html)
pub fn rewind(fd: usize) {
    // SAFETY: touches no memory.
    unsafe { call(LSEEK, [fd, 0, 0, 0, 0, 0]) };
}

/// `munmap(bytes, length)`: what [`memory`] gave.
/// [man](https://man7.org/linux/man-pages/man2/munmap.2.html)
pub fn release(bytes: &'static mut [u8]) {
    // SAFETY: the mapping is the caller's alone, and nobody has it after this.
    unsafe { call(MUNMAP, [bytes.as_mut_ptr().addr(), bytes.len(), 0, 0, 0, 0]) };
}

/// `fork()` of a child that runs `work` and dies with this process.
/// [man](https://man7.org/linux/man-pages/man2/fork.2.html)
pub fn helper(work: impl FnOnce()) {
    const PR_SET_PDEATHSIG: usize = 1;
    // SAFETY: the child has its own copy of this only thread's memory.
    if unsafe { call(FORK, [0; 6]) } == 0 {
        // SAFETY: touches no memory.
        unsafe { call(PRCTL, [PR_SET_PDEATHSIG, 9, 0, 0, 0, 0]) };
        work();
        exit(0)
    }
}

/// `vfork()`, so many times, of a child that does nothing, and `wait4()` for it: process numbers that are gone.
/// [man](https://man7.org/linux/man-pages/man2/vfork.2.html)
pub fn spend_numbers(many: usize) {
    for _ in 0..many {
        // SAFETY: the child shares the memory and writes to none of it before it ends.
        unsafe {
            asm!("syscall", "test rax, rax", "jnz 2f", "mov eax, 60", "xor edi, edi", "syscall", "2:",
                inlateout("rax") VFORK => _, lateout("rdi") _, lateout("rcx") _, lateout("r11") _, options(nostack));
            // Of any child: there is no other one yet.
            call(WAIT4, [usize::MAX, 0, 0, 0, 0, 0]);
        }
    }
}

/// `fork()`: the child goes on; this process ends as the child does.
/// [man](https://man7.org/linux/man-pages/man2/fork.2.html)
pub fn go_on_as_child() {
    // SAFETY: the child has its own copy of this only thread's memory.
    let child = unsafe { call(FORK, [0; 6]) };
    if child == 0 {
        return;
    }
    let mut status = 0_u32;
    loop {
        // Whoever is left behind may become a child of this process, too.
        // SAFETY: the kernel writes one number.
        let ended = unsafe { call(WAIT4, [usize::MAX, (&raw mut status).addr(), 0, 0, 0, 0]) };
        if ended == child && child > 0 {
            match status & 0x7f {
                0 => exit((status >> 8) as u8),
                signal => die(signal as u8),
            }
        }
        if ended < 0 {
            exit(126)
        }
    }
}

/// Starts the builder, stopped until it is traced. `before` is done in it.
/// [man](https://man7.org/linux/man-pages/man2/execve.2.html)
pub fn start(command: Command, before: impl FnOnce(()) -> bool) -> Option<usize> {
    let [here, there] = pipe()?;
    // SAFETY: the child has its own copy of this only thread's memory.
    let child = some(unsafe { call(FORK, [0; 6]) })?;
    if child == 0 {
        let mut byte = [0];
        read(here, &mut byte);
        // As where no probe stands before it, it leads its session.
        // SAFETY: touches no memory.
        unsafe { call(SETSID, [0; 6]) };
        if before(()) {
            // SAFETY: both arrays are the kernel's own, which end in a null pointer each.
            unsafe { call(EXECVE, [command.path.addr(), command.argv.addr(), command.envp.addr(), 0, 0, 0]) };
        }
        write(2, b"probe: the builder can't be executed\n");
        exit(127)
    }
    Tracee::seize(child)?;
    close(here);
    write(there, b"!");
    close(there);
    Some(child)
}
