//! Several threads in one address space, vectors, and code of 32 bits.

use crate::{CODE, DATA, Guest, STACK, Test};
use footing_core::platform::{Event, Mode, Platform, Registers, Table};

pub const TESTS: &[Test] = &[
    ("threads_share_memory_but_no_registers", threads_share_memory_but_no_registers),
    ("vectors_are_saved_and_restored", vectors_are_saved_and_restored),
    ("i386_code_runs", i386_code_runs),
];

guest!(
    adds,
    "movq xmm7, rdi",
    "2: mov eax, 39",
    "syscall",
    "movq rdi, xmm7",
    "add rdi, rax",
    "movq xmm7, rdi",
    "lock add qword ptr [0x500000], 1",
    "mov rsi, [0x500000]",
    "mov rdx, fs:[0]",
    "jmp 2b",
);

fn threads_share_memory_but_no_registers() {
    let mut guest = Guest::new(adds());
    guest.native.write(&mut guest.space, DATA + 8, &100_u64.to_le_bytes());
    guest.native.write(&mut guest.space, DATA + 16, &200_u64.to_le_bytes());
    let mut all: Vec<_> = (1..4_u64)
        .map(|thread| {
            let fs_base = DATA + 8 * (1 + thread % 2);
            let registers = Registers {
                rip: CODE,
                rsp: STACK - 64,
                rflags: 0x202,
                rdi: 1000 * thread,
                fs_base,
                ..Registers::default()
            };
            guest.native.context(&registers)
        })
        .collect();
    for context in &mut all {
        assert!(matches!(guest.native.run(&mut guest.space, context), Event::Call { number: 39, .. }));
    }
    let mut count = 0;
    for round in 1..20 {
        for (thread, context) in (1..4).zip(&mut all) {
            count += 1;
            guest.native.answer(&mut guest.space, context, thread as i64);
            let Event::Call { arguments, .. } = guest.native.run(&mut guest.space, context) else { panic!() };
            assert_eq!(arguments[..3], [1000 * thread + round * thread, count, 100 * (1 + thread % 2)]);
        }
    }
}

guest!(vectors, "movq xmm3, rdi", "mov eax, 39", "syscall", "movq rdi, xmm3", "mov eax, 60", "syscall",);

fn vectors_are_saved_and_restored() {
    let mut guest = Guest::new(vectors());
    let mut registers = guest.registers();
    registers.rdi = 0x1122_3344;
    guest.set(&registers);
    guest.call(39);
    let mut vectors = guest.native.vectors(&mut guest.space, &mut guest.context);
    // XMM3 of FXSAVE.
    assert_eq!(vectors[208..212], [0x44, 0x33, 0x22, 0x11]);
    vectors[208] = 0x55;
    guest.native.set_vectors(&mut guest.space, &mut guest.context, &vectors);
    guest.answer(0);
    assert_eq!(guest.call(60)[0], 0x1122_3355);
    // Reserved bits of MXCSR: refused, so it is the state of a fresh program.
    vectors[24..28].fill(0xff);
    guest.native.set_vectors(&mut guest.space, &mut guest.context, &vectors);
    registers.rip = CODE + 5;
    guest.set(&registers);
    guest.call(39);
    guest.answer(0);
    assert_eq!(guest.call(60)[0], 0);
}

guest!(
    old,
    ".code32",
    "mov ebx, 3",
    "mov ecx, 0x500000",
    "mov edx, -1",
    "mov eax, 4",
    "int 0x80",
    "mov ebx, eax",
    "mov eax, 243",
    "int 0x80",
    "mov eax, 0x63",
    "mov gs, ax",
    "mov ebx, gs:[0]",
    "mov eax, 1",
    "int 0x80",
    ".code64",
);

fn i386_code_runs() {
    let mut guest = Guest::start(old(), Mode::Compat);
    guest.native.write(&mut guest.space, DATA, &0xabcd_u32.to_le_bytes());
    let expected = [3, 0x50_0000, 0xffff_ffff, 0, 0, 0];
    assert_eq!(guest.run(), Event::Call { table: Table::I386, number: 4, arguments: expected });
    guest.answer(-5);
    let Event::Call { table: Table::I386, number: 243, arguments } = guest.run() else { panic!() };
    assert_eq!(arguments[0], 0xffff_fffb);
    let mut registers = guest.registers();
    assert_eq!(registers.mode, Mode::Compat);
    registers.gs_base = DATA;
    registers.rax = 0;
    guest.set(&registers);
    let Event::Call { table: Table::I386, number: 1, arguments } = guest.run() else { panic!() };
    assert_eq!(arguments[0], 0xabcd);
}
