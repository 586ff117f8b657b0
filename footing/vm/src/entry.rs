//! Into user mode and back: system calls, traps, the timer.
//!
//! [`enter`] loads a thread's registers and returns when it comes back, with the trap's vector, or [`SYSCALL`]. The kernel runs with interrupts off and
//! with the flags that a program set cleared. Source: Intel SDM, volume 3A, 6.14; AMD64 manual, volume 2, 6.1.
#![allow(unsafe_code)]

use core::arch::global_asm;
use core::mem::offset_of;

/// What [`enter`] returns for `syscall`.
pub(crate) const SYSCALL: u64 = 256;
/// The same in compatibility mode, where it is no instruction of ours.
pub(crate) const SYSCALL_32: u64 = 257;
/// How many vectors the table of traps has.
pub(crate) const VECTORS: usize = 0x81;

/// A thread's registers while it does not run.
#[derive(Clone)]
#[repr(C, align(16))]
pub(crate) struct Frame {
    pub(crate) rax: u64,
    pub(crate) rbx: u64,
    pub(crate) rcx: u64,
    pub(crate) rdx: u64,
    pub(crate) rsi: u64,
    pub(crate) rdi: u64,
    pub(crate) rbp: u64,
    pub(crate) rsp: u64,
    pub(crate) r8: u64,
    pub(crate) r9: u64,
    pub(crate) r10: u64,
    pub(crate) r11: u64,
    pub(crate) r12: u64,
    pub(crate) r13: u64,
    pub(crate) r14: u64,
    pub(crate) r15: u64,
    pub(crate) rip: u64,
    pub(crate) rflags: u64,
    pub(crate) cs: u64,
    /// What the trap said of itself.
    pub(crate) error: u64,
    /// ds, es, fs, gs.
    pub(crate) segments: [u16; 4],
    pub(crate) pad: u64,
    /// As FXSAVE stores it.
    pub(crate) vectors: [u8; 512],
}

global_asm!(
    r#"
.text
.globl enter_user
// rdi: frame, esi: whether `sysret` will do.
enter_user:
    push rbx
    push rbp
    push r12
    push r13
    push r14
    push r15
    mov [rip + current_frame], rdi
    mov [rip + kernel_rsp], rsp
    mov [rip + task_state + 4], rsp
    fxrstor64 [rdi + {vectors}]
    mov rbx, [rdi + {rbx}]
    mov rdx, [rdi + {rdx}]
    mov rbp, [rdi + {rbp}]
    mov r8, [rdi + {r8}]
    mov r9, [rdi + {r9}]
    mov r10, [rdi + {r10}]
    mov r12, [rdi + {r12}]
    mov r13, [rdi + {r13}]
    mov r14, [rdi + {r14}]
    mov r15, [rdi + {r15}]
    mov rax, [rdi + {rax}]
    test esi, esi
    jz 2f
    mov rsi, [rdi + {rsi}]
    mov rcx, [rdi + {rip}]
    mov r11, [rdi + {rflags}]
    mov rsp, [rdi + {rsp}]
    mov rdi, [rdi + {rdi}]
    sysretq
2:  push 0x2b
    push [rdi + {rsp}]
    push [rdi + {rflags}]
    push [rdi + {cs}]
    push [rdi + {rip}]
    mov rsi, [rdi + {rsi}]
    mov rcx, [rdi + {rcx}]
    mov r11, [rdi + {r11}]
    mov rdi, [rdi + {rdi}]
    iretq

.globl syscall_entry, syscall_entry_32
syscall_entry:
    mov [rip + user_rsp], rsp
    mov rsp, [rip + current_frame]
    mov [rsp + {rax}], rax
    mov eax, {SYSCALL}
    mov qword ptr [rsp + {cs}], 0x33
3:  mov [rsp + {rip}], rcx
    mov [rsp + {rflags}], r11
    mov [rsp + {rdi}], rdi
    mov rdi, rsp
    mov rsp, [rip + kernel_rsp]
    mov [rdi + {rcx}], rcx
    mov rcx, [rip + user_rsp]
    mov [rdi + {rsp}], rcx
    jmp leave_user
syscall_entry_32:
    mov [rip + user_rsp], rsp
    mov rsp, [rip + current_frame]
    mov [rsp + {rax}], rax
    mov eax, {SYSCALL_32}
    mov qword ptr [rsp + {cs}], 0x23
    jmp 3b

trap_common:
    // The stack: vector, error, rip, cs, rflags, rsp, ss.
    test byte ptr [rsp + 24], 3
    jz kernel_trap
    push rdi
    mov rdi, [rip + current_frame]
    mov [rdi + {rax}], rax
    mov [rdi + {rcx}], rcx
    pop [rdi + {rdi}]
    pop rax
    pop [rdi + {error}]
    pop [rdi + {rip}]
    pop [rdi + {cs}]
    pop [rdi + {rflags}]
    pop [rdi + {rsp}]
    mov rsp, [rip + kernel_rsp]
    // A trap does not clear AC, which would open programs' pages to the kernel.
    push 2
    popfq
leave_user:
    mov [rdi + {rbx}], rbx
    mov [rdi + {rdx}], rdx
    mov [rdi + {rsi}], rsi
    mov [rdi + {rbp}], rbp
    mov [rdi + {r8}], r8
    mov [rdi + {r9}], r9
    mov [rdi + {r10}], r10
    mov [rdi + {r11}], r11
    mov [rdi + {r12}], r12
    mov [rdi + {r13}], r13
    mov [rdi + {r14}], r14
    mov [rdi + {r15}], r15
    mov [rdi + {segments}], ds
    mov [rdi + {segments} + 2], es
    mov [rdi + {segments} + 4], fs
    mov [rdi + {segments} + 6], gs
    fxsave64 [rdi + {vectors}]
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbp
    pop rbx
    ret

kernel_trap:
    // A debug trap that a program's flags left behind, or an interrupt that can't be masked: neither is ours.
    cmp qword ptr [rsp], 1
    je 4f
    cmp qword ptr [rsp], 2
    je 4f
    mov rdi, [rsp]
    mov rsi, [rsp + 8]
    mov rdx, [rsp + 16]
    mov rcx, [rsp + 40]
    cld
    and rsp, -16
    call {kernel_fault}
4:  add rsp, 16
    iretq

.altmacro
.macro trap n
trap_\n:
    .if \n == 8 || (\n >= 10 && \n <= 14) || \n == 17 || \n == 21 || \n == 29 || \n == 30
    .else
    push 0
    .endif
    .if \n < 128
    push \n
    .else
    push {CALL_32}
    .endif
    jmp trap_common
.endm
.set i, 0
.rept {VECTORS}
    trap %i
    .set i, i + 1
.endr
.section .rodata
.align 8
.globl traps
.macro entry n
    .quad trap_\n
.endm
traps:
.set i, 0
.rept {VECTORS}
    entry %i
    .set i, i + 1
.endr
.noaltmacro
.bss
.align 16
.globl task_state
current_frame: .quad 0
kernel_rsp: .quad 0
user_rsp: .quad 0
.align 16
task_state: .skip 112
.text
"#,
    kernel_fault = sym kernel_fault,
    SYSCALL = const SYSCALL,
    SYSCALL_32 = const SYSCALL_32,
    CALL_32 = const 0x80,
    VECTORS = const VECTORS,
    rax = const offset_of!(Frame, rax), rbx = const offset_of!(Frame, rbx), rcx = const offset_of!(Frame, rcx),
    rdx = const offset_of!(Frame, rdx), rsi = const offset_of!(Frame, rsi), rdi = const offset_of!(Frame, rdi),
    rbp = const offset_of!(Frame, rbp), rsp = const offset_of!(Frame, rsp), r8 = const offset_of!(Frame, r8),
    r9 = const offset_of!(Frame, r9), r10 = const offset_of!(Frame, r10), r11 = const offset_of!(Frame, r11),
    r12 = const offset_of!(Frame, r12), r13 = const offset_of!(Frame, r13), r14 = const offset_of!(Frame, r14),
    r15 = const offset_of!(Frame, r15), rip = const offset_of!(Frame, rip),
    rflags = const offset_of!(Frame, rflags), cs = const offset_of!(Frame, cs),
    error = const offset_of!(Frame, error), segments = const offset_of!(Frame, segments),
    vectors = const offset_of!(Frame, vectors),
);

unsafe extern "C" {
    fn enter_user(frame: *mut Frame, short: u32) -> u64;
    pub(crate) fn syscall_entry();
    pub(crate) fn syscall_entry_32();
    pub(crate) static traps: [u64; VECTORS];
    pub(crate) static mut task_state: [u8; 112];
}

/// Executes a thread until it comes back; its registers are those of then.
///
/// # Safety
/// rip is canonical and no flag of the frame but a program's is set; the tables of an address space are loaded.
pub(crate) unsafe fn enter(frame: &mut Frame) -> u64 {
    const TF: u64 = 1 << 8;
    // `sysret` leaves rip in rcx and the flags in r11, as after a call, and is much faster.
    let short =
        frame.rcx == frame.rip && frame.r11 == frame.rflags && frame.cs == 0x33 && frame.rflags & TF == 0;
    // SAFETY: the caller's word; the code above keeps all registers that a function must keep.
    unsafe { enter_user(frame, short.into()) }
}

extern "C" fn kernel_fault(vector: u64, error: u64, rip: u64, rsp: u64) -> ! {
    crate::serial::fatal("a fault of the kernel", &[vector, error, rip, rsp, crate::cpu::fault_address()])
}
