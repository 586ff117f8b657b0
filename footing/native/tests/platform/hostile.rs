//! Guests that look for a way around the filter.

use crate::{CODE, DATA, Guest, Test};
use footing_core::platform::{Event, Fault, Registers, Table};
use footing_native::stub;

pub const TESTS: &[Test] = &[
    ("every_call_is_an_event", every_call_is_an_event),
    ("int_0x80_is_of_the_other_table", int_0x80_is_of_the_other_table),
    ("sysenter_and_vsyscall_are_faults", sysenter_and_vsyscall_are_faults),
    ("the_stub_is_of_no_use", the_stub_is_of_no_use),
    ("any_selector_can_be_put_back", any_selector_can_be_put_back),
];

guest!(any, "syscall", "jmp 2f", "nop", "nop", "nop", "nop", "2: ud2");

/// Numbers that look random and are the same in every run: xorshift.
fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// No filter sees it since Linux 6.18, which answers it with an error and does nothing.
const UPROBE: u32 = 336;
const ENXIO: u64 = -6_i64 as u64;

fn every_call_is_an_event() {
    let mut guest = Guest::new(any());
    let mut state = 0x1234_5678_9abc_def1;
    let x32 = (0..600).map(|number| number | 0x4000_0000);
    let odd = [u32::MAX, 1 << 31, 0x3fff_ffff, 0x7fff_ffff];
    // Lets what is queued be mapped.
    guest.read(DATA);
    let before = status(&guest);
    for number in (0..600).chain(x32).chain(odd) {
        for round in 0..4 {
            // Small numbers, which mean more, and addresses that are mapped.
            let mut pick = || match random(&mut state) % 4 {
                0 => random(&mut state) % 64,
                1 => DATA + random(&mut state) % 4096,
                2 => random(&mut state),
                _ => 0,
            };
            let arguments = [pick(), pick(), pick(), pick(), pick(), pick()];
            let [rdi, rsi, rdx, r10, r8, r9] = arguments;
            // The host looks at the lower half of the number alone.
            let rax = u64::from(number) | if round == 3 { 1 << 40 } else { 0 };
            let rsp = DATA + 0x800;
            let registers = Registers {
                rip: CODE,
                rsp,
                rax,
                rdi,
                rsi,
                rdx,
                r10,
                r8,
                r9,
                rflags: 0x202,
                ..Registers::default()
            };
            guest.set(&registers);
            let event = guest.run();
            if number == UPROBE && event == Event::Fault(Fault::Illegal) && guest.registers().rax == ENXIO {
                continue;
            }
            assert_eq!(event, Event::Call { table: Table::X86_64, number, arguments });
            guest.answer(0x77);
            assert_eq!(guest.run(), Event::Fault(Fault::Illegal));
            let after = guest.registers();
            assert_eq!((after.rax, after.rdi, after.rsp), (0x77, rdi, rsp));
        }
    }
    assert_eq!(before, status(&guest));
}

/// What the host says of the guest's process, as far as calls change it.
fn status(guest: &Guest) -> Vec<String> {
    let pid = guest.space.pid();
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let keep = [
        "Name",
        "Umask",
        "Uid",
        "Gid",
        "Groups",
        "VmPin",
        "SigBlk",
        "SigIgn",
        "SigCgt",
        "Threads",
        "NoNewPrivs",
        "Cpus_allowed",
        "CapEff",
    ];
    let mut all: Vec<String> = text
        .lines()
        .filter(|line| keep.iter().any(|key| line.starts_with(&format!("{key}:"))))
        .map(str::to_owned)
        .collect();
    let files = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
    assert_eq!(files, 1);
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    // Addresses and rights.
    all.extend(maps.lines().map(|line| line[..line.find("p ").or(line.find("s ")).unwrap()].to_owned()));
    all
}

guest!(old_call, "int 0x80", "ud2");

fn int_0x80_is_of_the_other_table() {
    let mut guest = Guest::new(old_call());
    for number in 0..460 {
        let registers = Registers {
            rip: CODE,
            rax: number,
            rbx: 0xf_0000_0001,
            rcx: 2,
            rdx: 3,
            rsi: 4,
            rdi: 5,
            rbp: 6,
            rflags: 0x202,
            ..Registers::default()
        };
        guest.set(&registers);
        let expected =
            Event::Call { table: Table::I386, number: number as u32, arguments: [1, 2, 3, 4, 5, 6] };
        assert_eq!(guest.run(), expected);
        guest.answer(-38);
        assert_eq!(guest.run(), Event::Fault(Fault::Illegal));
        assert_eq!(guest.registers().rax, -38_i64 as u64);
    }
}

guest!(enters, "sysenter", "ud2");
guest!(calls_up, "call rbx", "ud2");

fn sysenter_and_vsyscall_are_faults() {
    let mut guest = Guest::new(enters());
    for rbp in [0, DATA, 0x7fff_ffff_0000] {
        let mut registers = guest.registers();
        (registers.rip, registers.rax, registers.rbp) = (CODE, 20, rbp);
        guest.set(&registers);
        let event = guest.run();
        assert!(matches!(event, Event::Fault(_)), "{event:?}");
    }
    for entry in [0, 0x400, 0x800, 0xc00] {
        let mut guest = Guest::new(calls_up());
        let mut registers = guest.registers();
        registers.rbx = 0xffff_ffff_ff60_0000 + entry;
        registers.rdi = DATA;
        guest.set(&registers);
        let event = guest.run();
        let after = guest.registers();
        assert_eq!(event, Event::Fault(Fault::Segment { at: registers.rbx, mapped: false }));
        assert_eq!((after.rip, after.rsp), (registers.rbx, registers.rsp - 8));
        assert_eq!(guest.read(DATA), 0);
    }
}

guest!(jumps, "jmp rbp", "ud2");
guest!(pokes, "mov [rbp], rax", "ud2");

fn the_stub_is_of_no_use() {
    let length = stub::code().len() as u64;
    for number in [9, 10, 11, 25, 56, 436, 1, 39, 0x4000_0009] {
        for at in stub::CODE..stub::CODE + length {
            let mut guest = None;
            let guest = guest.get_or_insert_with(|| Guest::new(jumps()));
            let mut registers = guest.registers();
            // The flags of footing's own calls, but no secret.
            (registers.rax, registers.rbp, registers.rbx) = (number, at, DATA);
            (registers.rdi, registers.r10) = (footing_native::filter::FORK, 0x32);
            guest.set(&registers);
            // Where it does not fault at once it comes to the call, or to the instruction that ends a list.
            let event = guest.run();
            assert!(matches!(event, Event::Fault(_)), "{event:?} at {at:x}");
            if at == stub::called() - 2 {
                assert_eq!(event, Event::Fault(Fault::Segment { at, mapped: false }));
            }
            if number != 9 {
                break;
            }
        }
    }
    let mut guest = Guest::new(pokes());
    for at in [stub::LIST, stub::LIST + 0xff8, stub::CODE, stub::CODE + length] {
        let mut registers = guest.registers();
        (registers.rip, registers.rbp) = (CODE, at);
        guest.set(&registers);
        assert_eq!(guest.run(), Event::Fault(Fault::Segment { at, mapped: false }));
    }
}

guest!(selects, "mov ds, eax", "mov es, eax", "mov gs, eax", "int 0x80", "ud2");

fn any_selector_can_be_put_back() {
    for selector in 0..128 {
        let mut guest = Guest::new(selects());
        let mut registers = guest.registers();
        registers.rax = selector;
        guest.set(&registers);
        match guest.run() {
            Event::Call { table: Table::I386, .. } => {}
            Event::Fault(_) => continue,
            other => panic!("{other:?} for {selector:x}"),
        }
        let registers = guest.registers();
        guest.set(&registers);
        assert_eq!(guest.run(), Event::Fault(Fault::Illegal), "{selector:x}");
    }
}
