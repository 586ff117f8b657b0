//! Mappings, copies and shared memory.

use crate::{CODE, DATA, Guest, READ, Test, WRITE};
use footing_core::platform::{Access, Content, Event, Fault, FileId, Platform, SharedId};

pub const TESTS: &[Test] = &[
    ("copies_stop_where_the_thread_could_not_go", copies_stop_where_the_thread_could_not_go),
    ("a_file_is_followed_by_zeros", a_file_is_followed_by_zeros),
    ("a_fork_copies_memory", a_fork_copies_memory),
    ("shared_memory_is_shared", shared_memory_is_shared),
    ("pages_can_be_moved", pages_can_be_moved),
    ("an_ended_space_leaves_nothing", an_ended_space_leaves_nothing),
    ("nothing_is_mapped_over_the_stub", nothing_is_mapped_over_the_stub),
];

guest!(
    increments,
    "mov rbx, 0x500000",
    "2: inc qword ptr [rbx]",
    "mov rdi, [rbx]",
    "mov eax, 57",
    "syscall",
    "jmp 2b",
);

fn copies_stop_where_the_thread_could_not_go() {
    let Guest { mut native, mut space, .. } = Guest::new(increments());
    let mut bytes = [1; 0x2000];
    assert_eq!(native.read(&mut space, DATA + 0x800, &mut bytes), 0x800);
    assert_eq!(native.read(&mut space, DATA + 0x1000, &mut bytes), 0);
    assert_eq!(native.write(&mut space, DATA + 0xff0, &bytes), 16);
    assert_eq!(native.write(&mut space, CODE, &bytes), 0);
    assert_eq!(native.read(&mut space, 0, &mut bytes), 0);
    assert_eq!(native.read(&mut space, u64::MAX - 4, &mut bytes), 0);
    let none = Access::default();
    native.map(&mut space, DATA + 0x1000..DATA + 0x2000, none, Content::Zero).unwrap();
    assert_eq!(native.read(&mut space, DATA, &mut bytes), 0x1000);
}

fn a_file_is_followed_by_zeros() {
    let Guest { mut native, mut space, .. } = Guest::new(increments());
    let bytes: Vec<u8> = (0..5000_u32).map(|at| at as u8 | 1).collect();
    let file = Content::File { id: FileId(2), bytes: &bytes, offset: 0x1000 };
    let at = 0x70_0000;
    native.map(&mut space, at..at + 0x2000, WRITE, file).unwrap();
    let mut found = vec![7; 0x2000];
    assert_eq!(native.read(&mut space, at, &mut found), 0x2000);
    assert_eq!(found[..904], bytes[4096..]);
    assert!(found[904..].iter().all(|&byte| byte == 0));
    // A private copy.
    assert_eq!(native.write(&mut space, at, b"changed"), 7);
    let file = Content::File { id: FileId(2), bytes: &bytes, offset: 0x1000 };
    native.map(&mut space, at + 0x4000..at + 0x5000, READ, file).unwrap();
    native.forget(FileId(2));
    native.read(&mut space, at + 0x4000, &mut found[..8]);
    assert_eq!(found[..8], bytes[4096..4104]);
    native.discard(space);
}

fn a_fork_copies_memory() {
    let mut guest = Guest::new(increments());
    assert_eq!(guest.call(57)[0], 1);
    let mut child = guest.native.fork(&mut guest.space).unwrap();
    let mut context = guest.native.duplicate(&mut guest.space, &mut guest.context);
    guest.native.answer(&mut child, &mut context, 0);
    guest.answer(5);
    for round in 2..5 {
        assert_eq!(guest.call(57)[0], round);
        guest.answer(5);
    }
    let Event::Call { number: 57, arguments, .. } = guest.native.run(&mut child, &mut context) else {
        panic!()
    };
    assert_eq!(arguments[0], 2);
    guest.native.discard(child);
    assert_eq!(guest.call(57)[0], 5);
}

fn shared_memory_is_shared() {
    let mut guest = Guest::new(increments());
    guest.native.share(SharedId(9), 0x2000).unwrap();
    let memory = Content::Shared(SharedId(9), 0x1000);
    guest.native.map(&mut guest.space, DATA..DATA + 0x2000, WRITE, memory).unwrap();
    guest.native.shared(SharedId(9))[0x1000] = 40;
    assert_eq!(guest.call(57)[0], 41);
    let mut child = guest.native.fork(&mut guest.space).unwrap();
    let mut context = guest.native.duplicate(&mut guest.space, &mut guest.context);
    guest.native.answer(&mut child, &mut context, 0);
    let Event::Call { arguments, .. } = guest.native.run(&mut child, &mut context) else { panic!() };
    assert_eq!(arguments[0], 42);
    guest.answer(5);
    assert_eq!(guest.call(57)[0], 43);
    assert_eq!(guest.native.shared(SharedId(9))[0x1000], 43);
    let mut registers = guest.registers();
    registers.rbx = DATA + 0x1000;
    registers.rip = CODE + 7;
    guest.set(&registers);
    assert_eq!(guest.run(), Event::Fault(Fault::Bus(DATA + 0x1000)));
    guest.native.discard(child);
    guest.native.discard(guest.space);
    guest.native.unshare(SharedId(9));
    guest.native.share(SharedId(10), 0x2000).unwrap();
    assert!(guest.native.shared(SharedId(10)).iter().all(|&byte| byte == 0));
}

fn pages_can_be_moved() {
    let mut guest = Guest::new(increments());
    let (from, to) = (0x70_0000, 0x7f12_3000_0000);
    guest.native.map(&mut guest.space, from..from + 0x1000, WRITE, Content::Zero).unwrap();
    let bytes = [3; 0x1000];
    let file = Content::File { id: FileId(3), bytes: &bytes, offset: 0 };
    guest.native.map(&mut guest.space, from + 0x1000..from + 0x3000, READ, file).unwrap();
    assert_eq!(guest.native.write(&mut guest.space, from, b"somewhere"), 9);
    guest.native.shift(&mut guest.space, from..from + 0x3000, to).unwrap();
    let mut found = [0; 0x3000];
    assert_eq!(guest.native.read(&mut guest.space, to, &mut found), 0x3000);
    assert!(found.starts_with(b"somewhere") && found[0x1000] == 3 && found[0x2000] == 0);
    assert_eq!(guest.native.read(&mut guest.space, from, &mut found), 0);
    guest.call(57);
}

fn an_ended_space_leaves_nothing() {
    let mut guest = Guest::new(increments());
    for _ in 0..40 {
        let mut space = guest.native.space().unwrap();
        let mut byte = [0];
        for at in [CODE, DATA, 0x7000_0000_0000] {
            assert_eq!(guest.native.read(&mut space, at, &mut byte), 0);
        }
        guest.native.map(&mut space, DATA..DATA + 0x1000, WRITE, Content::Zero).unwrap();
        assert_eq!(guest.native.read(&mut space, DATA, &mut byte), 1);
        assert_eq!(byte, [0]);
        guest.native.write(&mut space, DATA, b"x");
        guest.native.discard(space);
    }
    // Most come from the pool.
    assert!(guest.native.counts.forks < 10, "{:?}", guest.native.counts);
}

fn nothing_is_mapped_over_the_stub() {
    let mut guest = Guest::new(increments());
    let stub = footing_native::stub::PAGES;
    let home = guest.native.addresses();
    let over = stub.start - 0x1000..stub.end;
    assert!(guest.native.map(&mut guest.space, over, WRITE, Content::Zero).is_err());
    assert!(guest.native.shift(&mut guest.space, DATA..DATA + 0x1000, stub.start).is_err());
    guest.native.protect(&mut guest.space, stub.clone(), WRITE);
    guest.native.unmap(&mut guest.space, DATA + 0x1000..home.end);
    let mut bytes = [0; 8];
    assert_eq!(guest.native.read(&mut guest.space, stub.start, &mut bytes), 0);
    assert_eq!(guest.native.write(&mut guest.space, stub.start + 0x1000, &bytes), 0);
    assert_eq!(guest.native.read(&mut guest.space, stub.start - 4, &mut bytes), 0);
    assert_eq!(guest.call(57)[0], 1);
}
