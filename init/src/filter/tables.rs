//! The calls of each architecture: a rule holds from its number up to the next. The numbers are those of
//! `arch/x86/entry/syscalls/syscall_64.tbl` and `syscall_32.tbl`.

use super::Rule::*;
use super::from;

/// x86-64, where an unknown number is x32's too.
pub const X86_64: [u16; X86_64_ONLY.len() + BOTH.len()] = joined(&X86_64_ONLY);

/// i386.
pub const I386: [u16; I386_ONLY.len() + BOTH.len()] = joined(&I386_ONLY);

/// The two parts of a table.
const fn joined<const N: usize>(own: &[u16]) -> [u16; N] {
    let mut table = [0; N];
    let mut at = 0;
    while at < N {
        table[at] = if at < own.len() { own[at] } else { BOTH[at - own.len()] };
        at += 1;
    }
    table
}

const X86_64_ONLY: [u16; 78] = [
    from(0, Allow),
    from(16, Control),
    from(17, Allow),
    from(41, Socket),
    from(42, Allow),
    from(53, Socket), // socketpair
    from(54, Allow),
    from(56, Clone),
    from(57, Allow),
    from(62, Process), // kill
    from(63, Allow),
    from(90, Mode), // chmod, fchmod
    from(92, Allow),
    from(103, Owner), // syslog
    from(104, Allow),
    from(129, Process), // rt_sigqueueinfo
    from(130, Allow),
    from(134, Missing), // uselib
    from(135, Allow),
    from(141, ProcessAt), // setpriority
    from(142, Process),   // sched_setparam
    from(143, Allow),
    from(144, Process), // sched_setscheduler
    from(145, Allow),
    from(153, Owner), // vhangup
    from(154, Allow),
    from(155, Mount),   // pivot_root
    from(156, Missing), // _sysctl
    from(157, Allow),
    from(161, Mount), // chroot
    from(162, Allow),
    from(163, Owner),   // acct, settimeofday
    from(165, Mount),   // mount, umount2
    from(167, Owner),   // swapon, swapoff, reboot
    from(170, Mount),   // sethostname, setdomainname
    from(172, Owner),   // iopl, ioperm, modules, quotactl, nfsservctl
    from(181, Missing), // never implemented
    from(186, Allow),
    from(188, Attribute), // setxattr, lsetxattr, fsetxattr
    from(191, Allow),
    from(200, Process), // tkill
    from(201, Allow),
    from(203, Process), // sched_setaffinity
    from(204, Allow),
    from(212, Missing), // lookup_dcookie
    from(213, Allow),
    from(227, Owner), // clock_settime
    from(228, Allow),
    from(234, Process), // tgkill
    from(235, Allow),
    from(246, Owner), // kexec_load
    from(247, Allow),
    from(248, Missing),   // add_key, request_key, keyctl
    from(251, ProcessAt), // ioprio_set
    from(252, Allow),
    from(268, ModeAt), // fchmodat
    from(269, Allow),
    from(272, Clone), // unshare
    from(273, Allow),
    from(297, Process), // rt_tgsigqueueinfo
    from(298, Owner),   // perf_event_open
    from(299, Allow),
    from(300, Owner),   // fanotify_init, fanotify_mark
    from(302, Process), // prlimit64
    from(303, Allow),
    from(304, Owner), // open_by_handle_at
    from(305, Allow),
    from(308, Mount), // setns
    from(309, Allow),
    from(313, Owner),   // finit_module
    from(314, Process), // sched_setattr
    from(315, Allow),
    from(320, Owner), // kexec_file_load, bpf
    from(322, Allow),
    from(323, Owner), // userfaultfd
    from(324, Allow),
    from(335, Missing), // what tracers leave in a process, and numbers that nobody has
    from(424, Allow),
];

const I386_ONLY: [u16; 98] = [
    from(0, Allow),
    from(15, Mode), // chmod
    from(16, Allow),
    from(21, Mount), // mount, umount
    from(23, Allow),
    from(25, Owner), // stime
    from(26, Allow),
    from(37, Process), // kill
    from(38, Allow),
    from(51, Owner), // acct
    from(52, Mount), // umount2
    from(53, Allow),
    from(54, Control),
    from(55, Allow),
    from(61, Mount), // chroot
    from(62, Allow),
    from(74, Mount), // sethostname
    from(75, Allow),
    from(79, Owner), // settimeofday
    from(80, Allow),
    from(86, Missing), // uselib
    from(87, Owner),   // swapon, reboot
    from(89, Allow),
    from(94, Mode), // fchmod
    from(95, Allow),
    from(97, ProcessAt), // setpriority
    from(98, Allow),
    from(101, Owner), // ioperm
    from(102, SocketCall),
    from(103, Owner), // syslog
    from(104, Allow),
    from(110, Owner), // iopl, vhangup
    from(112, Allow),
    from(113, Missing), // vm86old
    from(114, Allow),
    from(115, Owner), // swapoff
    from(116, Allow),
    from(120, Clone),
    from(121, Mount), // setdomainname
    from(122, Allow),
    from(127, Owner), // modules, quotactl
    from(132, Allow),
    from(149, Missing), // _sysctl
    from(150, Allow),
    from(154, Process), // sched_setparam
    from(155, Allow),
    from(156, Process), // sched_setscheduler
    from(157, Allow),
    from(166, Missing), // vm86, query_module
    from(168, Allow),
    from(169, Missing), // nfsservctl
    from(170, Allow),
    from(178, Process), // rt_sigqueueinfo
    from(179, Allow),
    from(217, Mount), // pivot_root
    from(218, Allow),
    from(226, Attribute), // setxattr, lsetxattr, fsetxattr
    from(229, Allow),
    from(238, Process), // tkill
    from(239, Allow),
    from(241, Process), // sched_setaffinity
    from(242, Allow),
    from(253, Missing), // lookup_dcookie
    from(254, Allow),
    from(264, Owner), // clock_settime
    from(265, Allow),
    from(270, Process), // tgkill
    from(271, Allow),
    from(283, Owner), // kexec_load
    from(284, Allow),
    from(286, Missing),   // add_key, request_key, keyctl
    from(289, ProcessAt), // ioprio_set
    from(290, Allow),
    from(306, ModeAt), // fchmodat
    from(307, Allow),
    from(310, Clone), // unshare
    from(311, Allow),
    from(335, Process), // rt_tgsigqueueinfo
    from(336, Owner),   // perf_event_open
    from(337, Allow),
    from(338, Owner),   // fanotify_init, fanotify_mark
    from(340, Process), // prlimit64
    from(341, Allow),
    from(342, Owner), // open_by_handle_at
    from(343, Allow),
    from(346, Mount), // setns
    from(347, Allow),
    from(350, Owner),   // finit_module
    from(351, Process), // sched_setattr
    from(352, Allow),
    from(357, Owner), // bpf
    from(358, Allow),
    from(359, Socket), // and socketpair
    from(361, Allow),
    from(374, Owner), // userfaultfd
    from(375, Allow),
    from(404, Owner), // clock_settime64
    from(405, Allow),
];

/// Calls that are younger than the common numbering.
const BOTH: [u16; 15] = [
    from(425, Missing), // io_uring_setup, io_uring_enter, io_uring_register
    from(428, Mount),   // open_tree, move_mount, fsopen, fsconfig, fsmount, fspick
    from(434, Process), // pidfd_open
    from(435, Clone3),
    from(436, Allow),
    from(442, Mount), // mount_setattr
    from(443, Owner), // quotactl_fd
    from(444, Allow),
    from(447, Missing), // memfd_secret
    from(448, Allow),
    from(452, ModeAt), // fchmodat2
    from(453, Allow),
    from(463, Attribute), // setxattrat
    from(464, Allow),
    from(467, Missing), // open_tree_attr, file_getattr, file_setattr, and all that is still to come
];
