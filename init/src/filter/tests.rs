use super::*;
use std::collections::BTreeMap;
use std::vec::Vec;

const OURS: Policy = Policy { nix: false, supervised: true };
const NIX: Policy = Policy { nix: true, supervised: false };
const X86: u32 = 0xc000_003e;
const X32: u32 = 0x4000_0000;

/// What the kernel's interpreter makes of a filter: `None` where the call is allowed, else the error.
fn ask(policy: Policy, architecture: u32, number: u32, arguments: [u32; 3]) -> Option<u32> {
    let filter = Filter::new(policy);
    let program = filter.instructions();
    let [first, second, third] = arguments;
    let data = |field| match field {
        NUMBER => number,
        ARCHITECTURE => architecture,
        FIRST => first,
        SECOND => second,
        THIRD => third,
        field => panic!("field {field}"),
    };
    let (mut at, mut value) = (0, 0);
    loop {
        let Instruction(code, then, otherwise, operand) = program[at];
        at += 1;
        let holds = match code {
            LOAD => {
                value = data(operand);
                continue;
            }
            JUMP => {
                at += operand as usize;
                continue;
            }
            RETURN if operand == 0x7fff_0000 => return None,
            RETURN => return Some(operand - 0x0005_0000),
            IF_EQUAL => value == operand,
            IF_AT_LEAST => value >= operand,
            IF_ANY_OF => value & operand != 0,
            code => panic!("code {code:x}"),
        };
        at += usize::from(if holds { then } else { otherwise });
    }
}

fn ours(architecture: u32, number: u32, arguments: [u32; 3]) -> Option<u32> {
    ask(OURS, architecture, number, arguments)
}

/// How many calls a step can make, whatever their arguments are. Whoever changes this says which call and why.
#[test]
fn so_many_calls_are_allowed() {
    let count = |policy, architecture| {
        let allowed = |&number: &u32| ask(policy, architecture, number, [0; 3]).is_none();
        (0..=u32::from(u16::MAX)).filter(allowed).count()
    };
    assert_eq!([count(OURS, X86), count(OURS, AUDIT_ARCH_I386)], [315, 405]);
    assert_eq!([count(NIX, X86), count(NIX, AUDIT_ARCH_I386)], [330, 421]);
    // Nothing is allowed that has no number yet.
    for architecture in [X86, AUDIT_ARCH_I386] {
        let highest =
            (0..=u32::from(u16::MAX)).rev().find(|&number| ours(architecture, number, [0; 3]).is_none());
        assert_eq!(highest, Some(466));
    }
}

#[test]
fn tables_ascend() {
    for table in [&X86_64[..], &I386] {
        let numbers: Vec<_> = table.iter().map(|entry| entry & 0x3ff).collect();
        assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
        assert_eq!(table[0], from(0, Allow));
    }
}

#[test]
fn what_reaches_beyond_a_step_is_refused() {
    // Numbers in both tables; 0 where a call is not among i386's.
    let calls = BTreeMap::from([
        ("acct", (163, 51, 1)),
        ("add_key", (248, 286, 38)),
        ("bpf", (321, 357, 1)),
        ("chroot", (161, 61, 1)),
        ("clock_settime", (227, 264, 1)),
        ("clone3", (435, 435, 38)),
        ("delete_module", (176, 129, 1)),
        ("fanotify_init", (300, 338, 1)),
        ("file_setattr", (469, 469, 38)),
        ("finit_module", (313, 350, 1)),
        ("fsconfig", (431, 431, 1)),
        ("fsetxattr", (190, 228, 95)),
        ("init_module", (175, 128, 1)),
        ("io_uring_enter", (426, 426, 38)),
        ("io_uring_register", (427, 427, 38)),
        ("io_uring_setup", (425, 425, 38)),
        ("ioperm", (173, 101, 1)),
        ("iopl", (172, 110, 1)),
        ("kexec_file_load", (320, 0, 1)),
        ("kexec_load", (246, 283, 1)),
        ("keyctl", (250, 288, 38)),
        ("lsetxattr", (189, 227, 95)),
        ("memfd_secret", (447, 447, 38)),
        ("mount", (165, 21, 1)),
        ("mount_setattr", (442, 442, 1)),
        ("move_mount", (429, 429, 1)),
        ("open_by_handle_at", (304, 342, 1)),
        ("open_tree", (428, 428, 1)),
        ("perf_event_open", (298, 336, 1)),
        ("pivot_root", (155, 217, 1)),
        ("quotactl", (179, 131, 1)),
        ("quotactl_fd", (443, 443, 1)),
        ("reboot", (169, 88, 1)),
        ("request_key", (249, 287, 38)),
        ("setns", (308, 346, 1)),
        ("settimeofday", (164, 79, 1)),
        ("setxattr", (188, 226, 95)),
        ("setxattrat", (463, 463, 95)),
        ("swapoff", (168, 115, 1)),
        ("swapon", (167, 87, 1)),
        ("syslog", (103, 103, 1)),
        ("umount2", (166, 52, 1)),
        ("userfaultfd", (323, 374, 1)),
    ]);
    for (name, (x86_64, i386, error)) in calls {
        assert_eq!(ours(X86, x86_64, [0; 3]), Some(error), "{name}");
        assert_eq!(ours(X86, x86_64 | X32, [0; 3]), Some(38), "{name}, x32");
        if i386 != 0 {
            assert_eq!(ours(AUDIT_ARCH_I386, i386, [0; 3]), Some(error), "{name}, i386");
        }
    }
}

#[test]
fn so_are_sockets_of_families_without_namespaces() {
    for call in [(X86, 41), (X86, 53), (AUDIT_ARCH_I386, 359), (AUDIT_ARCH_I386, 360)] {
        for family in 0..64 {
            let allowed = [1, 2, 10, 16].contains(&family);
            assert_eq!(ours(call.0, call.1, [family, 1, 0]), (!allowed).then_some(97), "{call:?} {family}");
        }
        // NETLINK_NETFILTER; a protocol of another family is its own.
        assert_eq!(ours(call.0, call.1, [16, 3, 12]), Some(97));
        assert_eq!(ours(call.0, call.1, [2, 1, 6]), None);
    }
    for number in 0..32 {
        let makes = number == 1 || number == 8;
        assert_eq!(ours(AUDIT_ARCH_I386, 102, [number, 0, 0]), makes.then_some(97), "socketcall {number}");
    }
}

#[test]
fn arguments_decide() {
    let both = |x86_64, i386, arguments| {
        let verdict = ours(X86, x86_64, arguments);
        assert_eq!(ours(AUDIT_ARCH_I386, i386, arguments), verdict);
        verdict
    };
    for request in [0x4008_6602, 0x4004_6602, 0x401c_5820] {
        assert_eq!(both(16, 54, [0, request, 0]), Some(95));
    }
    assert_eq!(both(16, 54, [0, 0x5412, 0]), Some(1), "TIOCSTI");
    assert_eq!(both(16, 54, [0, 0x541c, 0]), Some(1), "TIOCLINUX");
    assert_eq!(both(16, 54, [0, 0x5401, 0]), None, "TCGETS");
    // SIGCHLD with and without a user namespace; what pthread_create wants.
    assert_eq!(both(56, 120, [0x1000_0011, 0, 0]), Some(1));
    assert_eq!(both(56, 120, [0x003d_0f00, 0, 0]), None);
    assert_eq!(both(272, 310, [0x0002_0000, 0, 0]), Some(1), "unshare of mounts");
    assert_eq!(both(272, 310, [0x80, 0, 0]), Some(1), "unshare of time");
    assert_eq!(both(272, 310, [0x400, 0, 0]), None, "unshare of files");
    assert_eq!(both(302, 340, [1, 7, 0]), Some(1), "prlimit64 of process 1");
    assert_eq!(both(302, 340, [0, 7, 0]), None);
    assert_eq!(both(141, 97, [0, 1, 5]), Some(1), "setpriority of process 1");
    assert_eq!(both(141, 97, [0, 0, 5]), None);
    for (x86_64, i386) in [
        (62, 37),
        (129, 178),
        (200, 238),
        (234, 270),
        (297, 335),
        (434, 434),
        (142, 154),
        (144, 156),
        (203, 241),
        (314, 351),
    ] {
        assert_eq!(both(x86_64, i386, [1, 0, 0]), Some(1));
        assert_eq!(both(x86_64, i386, [2, 0, 0]), None);
    }
    // Only Nix has something against set-id bits.
    assert_eq!(both(90, 15, [0, 0o4755, 0]), None);
}

#[test]
fn a_builder_of_nix_may_have_namespaces_and_no_set_id_bits() {
    let nix = |number, arguments| ask(NIX, X86, number, arguments);
    for number in [155, 161, 165, 166, 170, 272, 308, 428, 433, 435, 442] {
        assert_eq!(nix(number, [0x1000_0000, 0, 0]), None, "{number}");
    }
    assert_eq!(nix(56, [0x1000_0011, 0, 0]), None);
    assert_eq!(nix(302, [1, 7, 0]), None, "it is process 1 itself");
    for (x86_64, i386, arguments) in [
        (90, 15, [0, 0o4755, 0]),
        (91, 94, [0, 0o2755, 0]),
        (268, 306, [0, 0, 0o6755]),
        (452, 452, [0, 0, 0o4000]),
    ] {
        assert_eq!(nix(x86_64, arguments), Some(1));
        assert_eq!(ask(NIX, AUDIT_ARCH_I386, i386, arguments), Some(1));
        assert_eq!(nix(x86_64, [0, 0o755, 0o755]), None);
    }
    for number in [188, 189, 190, 463] {
        assert_eq!(nix(number, [0; 3]), Some(95), "{number}");
    }
    assert_eq!(nix(250, [0; 3]), Some(38));
    assert_eq!(nix(41, [40, 1, 0]), Some(97), "AF_VSOCK");
}
