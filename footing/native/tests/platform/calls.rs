//! Calls, faults, clocks and the end of a thread's patience.

use crate::{CODE, DATA, EXECUTE, Guest, READ, STACK, Test};
use footing_core::platform::{Event, Fault, Platform, Table};

pub const TESTS: &[Test] = &[
    ("calls_arrive_with_their_arguments", calls_arrive_with_their_arguments),
    ("stopped_calls_are_answered", stopped_calls_are_answered),
    ("registers_can_be_changed_during_a_call", registers_can_be_changed_during_a_call),
    ("a_protected_page_faults", a_protected_page_faults),
    ("faults_are_told_apart", faults_are_told_apart),
    ("rdtsc_is_an_event", rdtsc_is_an_event),
    ("cpuid_is_the_same_everywhere", cpuid_is_the_same_everywhere),
    ("an_endless_loop_is_interrupted", an_endless_loop_is_interrupted),
    ("the_supervisor_still_has_clock_and_features", the_supervisor_still_has_clock_and_features),
];

guest!(
    writes,
    "mov edi, 1",
    "lea rsi, [rip + 2f]",
    "mov edx, 5",
    "mov r10, -1",
    "mov r8, 0x123456789abcdef0",
    "mov r9d, 77",
    "mov eax, 1",
    "syscall",
    "mov rdi, rax",
    "mov eax, 39",
    "syscall",
    "mov rdi, rax",
    "mov eax, 60",
    "syscall",
    "2: .ascii \"hello\"",
);

fn calls_arrive_with_their_arguments() {
    let mut guest = Guest::new(writes());
    let arguments = guest.call(1);
    assert_eq!(arguments[0], 1);
    assert_eq!(arguments[2..], [5, u64::MAX, 0x1234_5678_9abc_def0, 77]);
    let mut text = [0; 5];
    assert_eq!(guest.native.read(&mut guest.space, arguments[1], &mut text), 5);
    assert_eq!(&text, b"hello");
    guest.answer(-14);
    assert_eq!(guest.call(39)[0], -14_i64 as u64);
    // Not the process's own number, nor one that the host would return.
    guest.answer(0x7_1234_5678);
    assert_eq!(guest.call(60)[0], 0x7_1234_5678);
}

guest!(
    maps,
    "mov edi, 11",
    "mov eax, 9",
    "syscall",
    "mov rdi, rax",
    "mov eax, 11",
    "syscall",
    "mov rdi, rax",
    "mov eax, 12",
    "syscall",
);

fn stopped_calls_are_answered() {
    let mut guest = Guest::new(maps());
    assert_eq!(guest.call(9)[0], 11);
    guest.answer(0x5000);
    assert_eq!(guest.call(11)[0], 0x5000);
    guest.answer(-22);
    assert_eq!(guest.call(12)[0], -22_i64 as u64);
}

fn registers_can_be_changed_during_a_call() {
    for code in [writes(), maps()] {
        let mut guest = Guest::new(code);
        let Event::Call { .. } = guest.run() else { panic!() };
        let mut registers = guest.registers();
        assert!((CODE..CODE + 0x1000).contains(&registers.rip));
        assert_eq!(registers.rsp, STACK - 64);
        // Once more from the start, as a call that is tried again.
        registers.rip = CODE;
        registers.r15 = 99;
        guest.set(&registers);
        let Event::Call { .. } = guest.run() else { panic!() };
        assert_eq!(guest.registers().r15, 99);
        guest.answer(5);
        let Event::Call { arguments, .. } = guest.run() else { panic!() };
        assert_eq!(arguments[0], 5);
    }
}

guest!(stores, "mov eax, 39", "syscall", "mov qword ptr [rax], 7", "mov eax, 60", "syscall",);

fn a_protected_page_faults() {
    let mut guest = Guest::new(stores());
    guest.call(39);
    guest.native.protect(&mut guest.space, DATA..DATA + 0x1000, READ);
    guest.answer(DATA as i64 + 8);
    assert_eq!(guest.run(), Event::Fault(Fault::Segment { at: DATA + 8, mapped: true }));
    // The same instruction once more, after the page may be written.
    guest.native.protect(&mut guest.space, DATA..DATA + 0x1000, crate::WRITE);
    guest.call(60);
    assert_eq!(guest.read(DATA + 8), 7);
    guest.native.unmap(&mut guest.space, DATA..DATA + 0x1000);
    let registers = footing_core::platform::Registers { rip: CODE, ..guest.registers() };
    guest.set(&registers);
    guest.call(39);
    guest.answer(DATA as i64);
    assert_eq!(guest.run(), Event::Fault(Fault::Segment { at: DATA, mapped: false }));
}

guest!(
    faulty,
    "ud2",
    "xor ecx, ecx",
    "div ecx",
    "int3",
    "mov rax, 0x8000000000000000",
    "mov [rax], rax",
    "hlt"
);

fn faults_are_told_apart() {
    let mut guest = Guest::new(faulty());
    let expected = [
        (Fault::Illegal, 2),
        (Fault::Arithmetic(false), 2),
        (Fault::Trap, 0),
        (Fault::Protection, 3),
        (Fault::Protection, 1),
    ];
    for (fault, length) in expected {
        assert_eq!(guest.run(), Event::Fault(fault), "{:x?}", guest.registers());
        let mut registers = guest.registers();
        registers.rip += length;
        guest.set(&registers);
    }
}

guest!(clocks, "rdtsc", "mov edi, eax", "rdtscp", "mov esi, ecx", "mov eax, 60", "syscall");

fn rdtsc_is_an_event() {
    let mut guest = Guest::new(clocks());
    for (with_processor, length) in [(false, 2), (true, 3)] {
        assert_eq!(guest.run(), Event::Clock(with_processor));
        let mut registers = guest.registers();
        registers.rip += length;
        (registers.rax, registers.rcx) = (1000, 2000);
        guest.set(&registers);
    }
    assert_eq!(guest.call(60)[..2], [1000, 2000]);
}

guest!(
    identifies,
    "mov eax, 1",
    "xor ecx, ecx",
    "cpuid",
    "mov edi, eax",
    "mov esi, ecx",
    "mov eax, 60",
    "syscall"
);

fn cpuid_is_the_same_everywhere() {
    let mut guest = Guest::new(identifies());
    let found = guest.call(60);
    if guest.native.pins_cpuid() {
        // Family 6, model 26: Nehalem; neither XSAVE nor AVX nor RDRAND.
        assert_eq!(found[0], 0x106a3, "{found:x?}");
        assert_eq!(found[1] & (1 << 26 | 1 << 27 | 1 << 28 | 1 << 30), 0);
    }
}

guest!(spins, "mov eax, 39", "syscall", "2: inc rbx", "jmp 2b");

fn an_endless_loop_is_interrupted() {
    let mut guest = Guest::new(spins());
    guest.call(39);
    guest.answer(0);
    assert_eq!(guest.run(), Event::Timeout);
    let first = guest.registers().rbx;
    assert_eq!(guest.run(), Event::Timeout);
    assert!(guest.registers().rbx > first);
    let mut registers = guest.registers();
    registers.rip = CODE;
    guest.set(&registers);
    guest.call(39);
}

guest!(loops, "2: mov eax, 39", "syscall", "jmp 2b", "3: mov eax, 9", "syscall", "jmp 3b");

/// Microseconds a call, a page mapped, a fork.
pub fn measure() {
    let now = || {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the kernel writes to a variable of ours.
        unsafe { libc::syscall(libc::SYS_clock_gettime, libc::CLOCK_MONOTONIC, &raw mut time) };
        time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
    };
    let mut guest = Guest::new(loops());
    let rounds = 100_000_u32;
    let start = now();
    for _ in 0..rounds {
        guest.call(39);
        guest.answer(1);
    }
    println!("{:.2} µs a call by notification", (now() - start) / f64::from(rounds));
    let mut registers = guest.registers();
    registers.rip = CODE + 9;
    guest.set(&registers);
    let start = now();
    for _ in 0..rounds {
        assert!(matches!(guest.run(), Event::Call { table: Table::X86_64, number: 9, .. }));
        guest.answer(1);
    }
    println!("{:.2} µs a call by SIGSYS", (now() - start) / f64::from(rounds));
    let start = now();
    for _ in 0..rounds {
        guest.run();
        guest.native.protect(&mut guest.space, DATA..DATA + 0x1000, EXECUTE);
        guest.answer(1);
    }
    println!("{:.2} µs a call by SIGSYS with one of footing's own", (now() - start) / f64::from(rounds));
    let start = now();
    let rounds = 5_000_u32;
    for _ in 0..rounds {
        guest.run();
        let mut child = guest.native.fork(&mut guest.space).unwrap();
        let mut context = guest.native.duplicate(&mut guest.space, &mut guest.context);
        guest.native.answer(&mut child, &mut context, 0);
        guest.native.run(&mut child, &mut context);
        guest.native.discard(child);
        guest.answer(1);
    }
    println!("{:.2} µs a fork and discard", (now() - start) / f64::from(rounds));
    println!("{:?}", guest.native.counts);
}

/// The supervisor itself may not execute these, and nothing of it notices.
fn the_supervisor_still_has_clock_and_features() {
    let mut guest = Guest::new(writes());
    // SAFETY: every processor that this runs on has the instructions.
    let (first, vendor, second) = unsafe {
        use std::arch::x86_64::{__cpuid, __rdtscp, _rdtsc};
        (_rdtsc(), __cpuid(0), __rdtscp(&mut 0))
    };
    assert!(second > first && vendor.eax > 0);
    guest.call(1);
}
