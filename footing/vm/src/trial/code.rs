//! The programs, as machine code that runs wherever it lies. Each asks for call 60 to end, with 0 in rdi if all was as it should be.
#![allow(unsafe_code)]

use core::arch::global_asm;

macro_rules! programs {
    ($($name:ident $(($mode:literal))? $code:literal)*) => {
        $(
            global_asm!(concat!(
                ".section .rodata.", stringify!($name), "\n", $(".code", $mode, "\n",)?
                ".globl ", stringify!($name), "_start, ", stringify!($name), "_end\n",
                stringify!($name), "_start:\n", $code, "\n", stringify!($name), "_end:\n.code64\n.text\n"));
            pub fn $name() -> &'static [u8] {
                unsafe extern "C" {
                    #[link_name = concat!(stringify!($name), "_start")]
                    static START: u8;
                    #[link_name = concat!(stringify!($name), "_end")]
                    static END: u8;
                }
                let (start, end) = (&raw const START, &raw const END);
                // SAFETY: both are labels of the same piece of code.
                unsafe { core::slice::from_raw_parts(start, end as usize - start as usize) }
            }
        )*
    };
}

programs! {
    hello "
        mov eax, 1
        mov edi, 1
        lea rsi, [rip + 9f]
        mov edx, 6
        syscall
        lea edi, [rax - 6]
        mov eax, 60
        syscall
        9: .ascii \"hello\\n\""
    keeps "
        mov rbx, 1; mov rdx, 2; mov rsi, 3; mov rdi, 4; mov rbp, 5; mov r8, 6; mov r9, 7; mov r10, 8
        mov r12, 9; mov r13, 10; mov r14, 11; mov r15, 12
        movq xmm5, rsp
        mov eax, 39
        syscall
        cmp rbx, 1; jne 8f; cmp rdx, 2; jne 8f; cmp rsi, 3; jne 8f; cmp rdi, 4; jne 8f; cmp rbp, 5; jne 8f
        cmp r8, 6; jne 8f; cmp r9, 7; jne 8f; cmp r10, 8; jne 8f; cmp r12, 9; jne 8f; cmp r13, 10; jne 8f
        cmp r14, 11; jne 8f; cmp r15, 12; jne 8f
        movq rdx, xmm5
        cmp rdx, rsp; jne 8f
        xor edi, edi
        jmp 9f
        8: mov edi, 1
        9: mov eax, 60
        syscall"
    flags "
        pushfq
        or dword ptr [rsp], 0x40400
        popfq
        mov eax, 39
        syscall
        pushfq
        pop rdi
        and edi, 0x40400
        sub edi, 0x40400
        cld
        mov eax, 60
        syscall"
    compat ("32") "
        call 1f
        1: pop ebx
        mov eax, 20
        int 0x80
        mov eax, 0x63
        mov gs, eax
        mov ebx, gs:[0]
        sub ebx, 0x12345678
        mov eax, 60
        int 0x80"
    nothing_there "mov rax, [0x10]"
    kernel_there "mov rax, 0xffff800000100000; mov rax, [rax]"
    writes_code "lea rax, [rip]; mov [rax], eax"
    runs_data "mov eax, 0x500000; jmp rax"
    divides "xor ecx, ecx; div ecx"
    undefined "ud2"
    breaks "int3"
    halts "hlt"
    far_away "mov rax, 0x8000000000000000; jmp rax"
    steps "pushfq; or dword ptr [rsp], 0x100; popfq; nop"
    clock "nop; rdtsc"
    spins "2: jmp 2b"
    aligned_wrong "mov eax, 0x500004; movaps xmm0, [rax]"
    reads_zero "
        mov edi, [0x500000]
        mov dword ptr [0x500ffc], 7
        mov eax, 60
        syscall"
    takes_all "
        mov rax, 0x600000
        1: mov [rax], rax
        add rax, 4096
        jmp 1b"
    counts "
        inc dword ptr [0x500000]
        mov edi, [0x500000]
        mov eax, 60
        syscall"
}
