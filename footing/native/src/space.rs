//! An address space is a host process; a thread is its registers, which are in the process or beside it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use footing_core::platform::{FileId, Mode, Registers};
use libc::{pid_t, user_regs_struct};

use crate::stub::Call;
use crate::trace::{self, Gone, Status};

/// What the process of an address space does while no thread of it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It is stopped for ptrace.
    Stopped,
    /// It waits for the answer to this notification.
    Noticed(u64),
    /// The host ended it.
    Gone,
}

/// An address space.
pub struct Space {
    pub(crate) pid: pid_t,
    pub(crate) state: State,
    /// The thread whose registers are in the process.
    pub(crate) live: Option<Rc<RefCell<Thread>>>,
    /// Footing's own calls that the process has to make before it runs or its memory is looked at.
    pub(crate) queue: Vec<Call>,
    /// What it has mapped at some time.
    pub(crate) files: BTreeSet<FileId>,
    /// A thread of it ran in compatibility mode.
    pub(crate) compat: bool,
}

/// A thread.
pub(crate) struct Thread {
    /// Valid where `known` is set; the process's are older then.
    pub(crate) registers: user_regs_struct,
    pub(crate) known: bool,
    /// Those that the process has to take over; else it has them.
    pub(crate) vectors: Option<Vec<u8>>,
    /// Answers the call that the process waits with.
    pub(crate) result: Option<i64>,
}

/// All registers of a thread.
pub struct Context(pub(crate) Rc<RefCell<Thread>>);

/// Selectors of user space. Source: `arch/x86/include/asm/segment.h`.
const CODE: u64 = 0x33;
const CODE_32: u64 = 0x23;
const DATA: u64 = 0x2b;

/// Registers that no call restarts with.
pub(crate) const NO_CALL: u64 = u64::MAX;

/// Puts a thread's registers in place of `to`; segment selectors stay where the mode does.
pub(crate) fn store(from: &Registers, to: &mut user_regs_struct) {
    let (code, data) = match from.mode {
        Mode::Long => (CODE, 0),
        Mode::Compat => (CODE_32, DATA),
    };
    if to.cs != code {
        (to.cs, to.ss, to.ds, to.es, to.fs, to.gs) = (code, DATA, data, data, 0, 0);
    }
    (to.rax, to.rbx, to.rcx, to.rdx) = (from.rax, from.rbx, from.rcx, from.rdx);
    (to.rsi, to.rdi, to.rbp, to.rsp) = (from.rsi, from.rdi, from.rbp, from.rsp);
    (to.r8, to.r9, to.r10, to.r11) = (from.r8, from.r9, from.r10, from.r11);
    (to.r12, to.r13, to.r14, to.r15) = (from.r12, from.r13, from.r14, from.r15);
    (to.rip, to.eflags, to.orig_rax) = (from.rip, from.rflags, NO_CALL);
    // The host refuses all registers where a base lies behind user space.
    let base = |base: u64| if base < crate::stub::TOP { base } else { 0 };
    (to.fs_base, to.gs_base) = (base(from.fs_base), base(from.gs_base));
}

/// The registers as the core knows them.
pub(crate) fn load(from: &user_regs_struct) -> Registers {
    Registers {
        rax: from.rax,
        rbx: from.rbx,
        rcx: from.rcx,
        rdx: from.rdx,
        rsi: from.rsi,
        rdi: from.rdi,
        rbp: from.rbp,
        rsp: from.rsp,
        r8: from.r8,
        r9: from.r9,
        r10: from.r10,
        r11: from.r11,
        r12: from.r12,
        r13: from.r13,
        r14: from.r14,
        r15: from.r15,
        rip: from.rip,
        rflags: from.eflags,
        fs_base: from.fs_base,
        gs_base: from.gs_base,
        mode: if from.cs == CODE_32 { Mode::Compat } else { Mode::Long },
    }
}

/// Takes back that the host interrupted a call to stop the process: the call is made again where `again`, and lacks its result else.
pub(crate) fn uninterrupt(registers: &mut user_regs_struct, again: bool) {
    // ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND, ERESTART_RESTARTBLOCK.
    let interrupted = registers.orig_rax != NO_CALL && matches!(registers.rax as i64, -516 | -514..=-512);
    if interrupted {
        registers.rax = registers.orig_rax;
        if again {
            registers.rip = registers.rip.wrapping_sub(2);
        }
    }
    registers.orig_rax = NO_CALL;
}

impl Space {
    pub(crate) fn new(pid: pid_t) -> Self {
        Self {
            pid,
            state: State::Stopped,
            live: None,
            queue: Vec::new(),
            files: BTreeSet::new(),
            compat: false,
        }
    }

    /// The number of its process on the host.
    #[must_use]
    pub fn pid(&self) -> pid_t {
        self.pid
    }

    /// Stops the process for ptrace, wherever it waits, and makes the registers of its live thread known.
    pub(crate) fn halt(&mut self) -> Result<(), Gone> {
        match self.state {
            State::Gone => return Err(Gone),
            State::Stopped => {}
            State::Noticed(_) => {
                trace::halt(self.pid);
                let Status::Signal(_) = trace::wait(self.pid) else {
                    self.state = State::Gone;
                    return Err(Gone);
                };
                self.state = State::Stopped;
                let mut registers = trace::registers(self.pid)?;
                uninterrupt(&mut registers, false);
                self.know(registers);
            }
        }
        Ok(())
    }

    /// Takes over the registers of the live thread from the process, unless newer ones are known.
    pub(crate) fn know(&mut self, registers: user_regs_struct) {
        if let Some(live) = &self.live {
            let mut live = live.borrow_mut();
            if live.known {
                return;
            }
            live.registers = registers;
            live.known = true;
            if let Some(result) = live.result.take() {
                live.registers.rax = result as u64;
            }
        }
    }

    /// Takes all registers of the live thread out of the process, unless nobody has the thread any more.
    pub(crate) fn park(&mut self) -> Result<(), Gone> {
        let Some(live) = self.live.take() else { return Ok(()) };
        if Rc::strong_count(&live) == 1 {
            return Ok(());
        }
        self.live = Some(live.clone());
        self.halt()?;
        self.live = None;
        let mut live = live.borrow_mut();
        if live.vectors.is_none() {
            live.vectors = Some(trace::vectors(self.pid)?);
        }
        Ok(())
    }

    /// Whether this is the thread whose registers are in the process.
    pub(crate) fn is_live(&self, context: &Context) -> bool {
        self.live.as_ref().is_some_and(|live| Rc::ptr_eq(live, &context.0))
    }
}
