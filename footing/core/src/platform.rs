//! What the core needs of its home: address spaces, and the execution of a thread until its next system call or fault.
//!
//! The home is a machine's bare hardware (`footing/vm`) or a process on Linux (`footing/native`). It decides nothing: which
//! thread runs, what a call means, which address is free, all that is the core's, so the trace of a step is the same in each home.

use alloc::vec::Vec;
use core::ops::Range;

/// Bytes of a page. All ranges of the trait start and end at a multiple of it.
pub const PAGE: u64 = 4096;

/// The home has no memory left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMemory;

/// Names bytes that never change: the home may keep pages of them until [`Platform::forget`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileId(pub u64);

/// Names memory that several address spaces share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SharedId(pub u64);

/// What a thread may do with a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// It may be read.
    pub read: bool,
    /// It may be written.
    pub write: bool,
    /// It may be executed.
    pub execute: bool,
}

/// What pages hold when they are mapped.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// Zeros, the address space's own.
    Zero,
    /// Bytes of a file from `offset` on, zeros behind its end; a private copy.
    File {
        /// Names `bytes`.
        id: FileId,
        /// The whole file.
        bytes: &'a [u8],
        /// Of the first page, a multiple of [`PAGE`].
        offset: u64,
    },
    /// Shared memory from an offset on, a multiple of [`PAGE`].
    Shared(SharedId, u64),
}

/// The mode in which a thread executes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// x86-64.
    #[default]
    Long,
    /// i386 on x86-64.
    Compat,
}

/// A thread's integer registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the processor's own names")]
pub struct Registers {
    pub rax: u64,
    pub rbx: u64,
    pub rcx: u64,
    pub rdx: u64,
    pub rsi: u64,
    pub rdi: u64,
    pub rbp: u64,
    pub rsp: u64,
    pub r8: u64,
    pub r9: u64,
    pub r10: u64,
    pub r11: u64,
    pub r12: u64,
    pub r13: u64,
    pub r14: u64,
    pub r15: u64,
    pub rip: u64,
    pub rflags: u64,
    pub fs_base: u64,
    pub gs_base: u64,
    pub mode: Mode,
}

/// By which table a system call is numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// `syscall` in x86-64.
    X86_64,
    /// `int 0x80`, of any mode.
    I386,
}

/// Why a thread stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It asks for a system call. Its registers are those after the instruction, but for the result.
    Call {
        /// Which table `number` is of.
        table: Table,
        /// The call.
        number: u32,
        /// In the call's order; 32 bits each in [`Table::I386`].
        arguments: [u64; 6],
    },
    /// An instruction faulted; its registers are those before it.
    Fault(Fault),
    /// It executed `rdtsc` or `rdtscp` (`true`), which the core answers and steps over.
    Clock(bool),
    /// It ran longer than it was let without a call or fault.
    Timeout,
    /// The home has no memory for a page that it may use.
    NoMemory,
}

/// What an instruction did wrong, as signal(7) sorts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// SIGSEGV at an address; whether the page is mapped.
    Segment {
        /// The address.
        at: u64,
        /// The page is mapped, but not for this.
        mapped: bool,
    },
    /// SIGBUS at an address: behind the end of a shared file, or unaligned where that is asked for.
    Bus(u64),
    /// SIGILL.
    Illegal,
    /// SIGFPE: a division; `true`: of floating-point numbers.
    Arithmetic(bool),
    /// SIGTRAP: a breakpoint or single step.
    Trap,
    /// SIGSEGV without an address: a general protection fault.
    Protection,
}

/// A home for the core.
pub trait Platform: 'static {
    /// An address space. It ends by [`discard`](Platform::discard).
    type Space;
    /// All registers of a thread, as the home keeps them while it does not run.
    type Context;

    /// An empty address space.
    fn space(&mut self) -> Result<Self::Space, NoMemory>;
    /// A copy: neither sees what the other writes from here on, shared memory excepted.
    fn fork(&mut self, from: &mut Self::Space) -> Result<Self::Space, NoMemory>;
    /// Ends an address space.
    fn discard(&mut self, space: Self::Space);

    /// The lowest and the highest address (exclusive) that can be mapped.
    fn addresses(&self) -> Range<u64>;
    /// Maps pages. What was mapped there is gone.
    fn map(
        &mut self,
        space: &mut Self::Space,
        at: Range<u64>,
        access: Access,
        content: Content<'_>,
    ) -> Result<(), NoMemory>;
    /// A program will probably write to all of what was just mapped as zeros. A home may make that cheaper; nothing else changes.
    fn foresee(&mut self, _: &mut Self::Space, _: Range<u64>) {}
    /// Unmaps pages; some may be unmapped already.
    fn unmap(&mut self, space: &mut Self::Space, at: Range<u64>);
    /// Changes what may be done with mapped pages.
    fn protect(&mut self, space: &mut Self::Space, at: Range<u64>, access: Access);
    /// Moves mapped pages to `to`, as mremap(2) does; the ranges do not overlap, nothing is mapped at the target.
    fn shift(&mut self, space: &mut Self::Space, from: Range<u64>, to: u64) -> Result<(), NoMemory>;
    /// Makes shared memory of so many bytes, zeros. It lives until [`unshare`](Platform::unshare).
    fn share(&mut self, id: SharedId, bytes: u64) -> Result<(), NoMemory>;
    /// Copies out of or into shared memory, for a file that is mapped shared.
    fn shared(&mut self, id: SharedId) -> &mut [u8];
    /// Ends shared memory that nothing maps.
    fn unshare(&mut self, id: SharedId);
    /// No one will map the bytes of this name again.
    fn forget(&mut self, id: FileId);

    /// Copies out of an address space. The bytes copied before the first that the thread could not read itself.
    fn read(&mut self, space: &mut Self::Space, at: u64, to: &mut [u8]) -> usize;
    /// Copies into an address space. The bytes copied before the first that the thread could not write itself.
    fn write(&mut self, space: &mut Self::Space, at: u64, from: &[u8]) -> usize;

    /// A thread with these registers; its floating-point state is that after execve(2).
    fn context(&mut self, registers: &Registers) -> Self::Context;
    /// A second thread with all registers of the first.
    fn duplicate(&mut self, space: &mut Self::Space, context: &mut Self::Context) -> Self::Context;
    /// The thread's integer registers.
    fn registers(&mut self, space: &mut Self::Space, context: &mut Self::Context) -> Registers;
    /// Replaces them.
    fn set_registers(&mut self, space: &mut Self::Space, context: &mut Self::Context, to: &Registers);
    /// Floating-point and vector state as XSAVE or FXSAVE store it in memory, for a signal's frame.
    fn vectors(&mut self, space: &mut Self::Space, context: &mut Self::Context) -> Vec<u8>;
    /// Replaces it; bytes that the processor would refuse leave the state of a fresh thread.
    fn set_vectors(&mut self, space: &mut Self::Space, context: &mut Self::Context, to: &[u8]);

    /// Executes a thread until its next event. After a call, `answer` or `set_registers` comes first.
    fn run(&mut self, space: &mut Self::Space, context: &mut Self::Context) -> Event;
    /// Sets the result of the call that `run` returned; cheaper than setting all registers.
    fn answer(&mut self, space: &mut Self::Space, context: &mut Self::Context, result: i64);
}
