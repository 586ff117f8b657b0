//! A traced process or thread. Source: ptrace(2), `include/uapi/linux/ptrace.h`.
#![allow(unsafe_code)]

use crate::calls::Path;
use crate::sys::{self, call};

const WAIT4: usize = 61;
const PTRACE: usize = 101;
const PREAD64: usize = 17;
const PWRITE64: usize = 18;

const CONT: usize = 7;
const SINGLESTEP: usize = 9;
const GETREGS: usize = 12;
const SETREGS: usize = 13;
const SYSCALL: usize = 24;
const GETEVENTMSG: usize = 0x4201;
const GETSIGINFO: usize = 0x4202;
const SEIZE: usize = 0x4206;
const LISTEN: usize = 0x4208;
/// Good system call stops; told of fork, vfork, clone, exec and seccomp; all are killed when the tracer ends.
const OPTIONS: usize = 1 | 2 | 4 | 8 | 16 | 128 | 0x10_0000;
const ALL: usize = 0x4000_0000;
const PAGE: usize = 4096;

/// By its number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Tracee(usize);

/// Why one stands still, or that it is gone.
pub enum Event {
    Exit(u8),
    Signal(u8),
    /// A new program is about to start.
    Program,
    /// A system call that the filter names is about to be made.
    Call,
    /// There is a new process or thread, or this is one, of this number.
    Born(usize),
    /// A call that was let go on to its end has ended.
    Returned,
    /// It was stopped, as by job control.
    Stopped,
    /// It is about to get this signal.
    Delivered(usize),
}

/// `struct user_regs_struct`, x86-64.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Registers {
    saved: [u64; 6],
    pub r11: u64,
    pub r10: u64,
    pub r9: u64,
    pub r8: u64,
    pub rax: u64,
    pub rcx: u64,
    pub rdx: u64,
    pub rsi: u64,
    pub rdi: u64,
    pub orig_rax: u64,
    pub rip: u64,
    pub cs: u64,
    eflags: u64,
    pub rsp: u64,
    rest: [u64; 7],
}

impl Registers {
    /// Whether 64-bit code runs. Source: `__USER_CS`, `arch/x86/include/asm/segment.h`.
    pub fn is_64_bit(&self) -> bool {
        self.cs == 0x33
    }
}

fn wait_for(pid: isize) -> Option<(usize, u32)> {
    let mut status = 0_u32;
    // SAFETY: the kernel writes one number.
    let pid = unsafe { call(WAIT4, [pid as usize, (&raw mut status).addr(), ALL, 0, 0, 0]) };
    usize::try_from(pid).ok().map(|pid| (pid, status))
}

/// The next event of any of them.
pub fn wait() -> Option<(Tracee, Event)> {
    let (pid, status) = wait_for(-1)?;
    let event = match (status & 0x7f, status >> 8 & 0xff, status >> 16) {
        (0x7f, _, 4) => Event::Program,
        (0x7f, _, 7) => Event::Call,
        (0x7f, 19..=22, 128) => Event::Stopped,
        (0x7f, _, 1..=3) => Event::Born(Tracee(pid).message().unwrap_or(pid)),
        (0x7f, _, 1..) => Event::Born(pid),
        (0x7f, 0x85, 0) => Event::Returned,
        (0x7f, signal, 0) => Event::Delivered(signal as usize),
        (0, status, _) => Event::Exit(status as u8),
        (signal, ..) => Event::Signal(signal as u8),
    };
    Some((Tracee(pid), event))
}

impl Tracee {
    /// `ptrace(PTRACE_SEIZE, pid, 0, OPTIONS)`
    pub fn seize(pid: usize) -> Option<Tracee> {
        Tracee(pid).ptrace(SEIZE, OPTIONS).then_some(Tracee(pid))
    }

    /// Its number.
    pub fn pid(self) -> usize {
        self.0
    }

    fn ptrace(self, request: usize, data: usize) -> bool {
        // SAFETY: `data` is a number, or points to what the request wants.
        unsafe { call(PTRACE, [request, self.0, 0, data, 0, 0]) >= 0 }
    }

    /// Lets it go on, with a signal or 0.
    pub fn go(self, signal: usize) {
        self.ptrace(CONT, signal);
    }

    /// Lets it go on until the system call that it is in ends.
    pub fn go_to_end(self) {
        self.ptrace(SYSCALL, 0);
    }

    /// What comes with an event.
    fn message(self) -> Option<usize> {
        let mut message = 0_usize;
        self.ptrace(GETEVENTMSG, (&raw mut message).addr()).then_some(message)
    }

    /// Whether the signal that it is about to get is the kernel's, for a fault that has no address.
    pub fn is_kernels_signal(self) -> bool {
        const SI_KERNEL: i32 = 0x80;
        let mut info = [0_i32; 32];
        // `siginfo_t` is 128 bytes long; `si_code` is its third number.
        self.ptrace(GETSIGINFO, (&raw mut info).addr()) && info[2] == SI_KERNEL
    }

    /// Lets it stay stopped until it is continued.
    pub fn listen(self) {
        self.ptrace(LISTEN, 0);
    }

    /// Lets it go on to the end of the system call that it is in. `false` if it is gone.
    pub fn finish(self) -> bool {
        self.ptrace(SYSCALL, 0) && self.stops()
    }

    /// Lets it do one instruction.
    pub fn step(self) -> bool {
        self.ptrace(SINGLESTEP, 0) && self.stops()
    }

    fn stops(self) -> bool {
        wait_for(self.0 as isize).is_some_and(|(_, status)| status & 0x7f == 0x7f)
    }

    /// Its registers.
    pub fn registers(self) -> Option<Registers> {
        let mut registers = Registers::default();
        self.ptrace(GETREGS, (&raw mut registers).addr()).then_some(registers)
    }

    /// Sets them.
    pub fn set(self, registers: &Registers) {
        self.ptrace(SETREGS, (&raw const *registers).addr());
    }

    /// Reads its memory; says how much could be read.
    pub fn read(self, address: u64, bytes: &mut [u8]) -> usize {
        self.copy(PREAD64, address, bytes.as_mut_ptr().addr(), bytes.len())
    }

    /// Writes its memory; says how much could be written.
    pub fn write(self, address: u64, bytes: &[u8]) -> usize {
        self.copy(PWRITE64, address, bytes.as_ptr().addr(), bytes.len())
    }

    /// By way of proc_pid_mem(5), which every kernel with /proc has; page by page, since one may be missing.
    fn copy(self, number: usize, address: u64, here: usize, length: usize) -> usize {
        const READ_WRITE: usize = 2;
        let mut path = Path::new();
        path.push(b"/proc/").number(self.0).push(b"/mem\0");
        let Some(memory) = sys::open(path.bytes(), READ_WRITE) else { return 0 };
        let mut done = 0;
        while done < length {
            let there = address as usize + done;
            let size = (PAGE - there % PAGE).min(length - done);
            // SAFETY: the range `here` is the caller's slice; the other is another process's.
            if unsafe { call(number, [memory, here + done, size, there, 0, 0]) } != size as isize {
                break;
            }
            done += size;
        }
        sys::close(memory);
        done
    }

    /// `ptrace(PTRACE_POKEDATA)`, which writes to code too: eight bytes, and what they were.
    pub fn poke(self, address: u64, value: u64) -> Option<u64> {
        const POKEDATA: usize = 5;
        let mut old = [0; 8];
        if self.read(address, &mut old) != 8 {
            return None;
        }
        // SAFETY: the value is a number.
        let result = unsafe { call(PTRACE, [POKEDATA, self.0, address as usize, value as usize, 0, 0]) };
        (result == 0).then_some(u64::from_le_bytes(old))
    }
}
