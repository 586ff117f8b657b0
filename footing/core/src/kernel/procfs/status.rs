//! What `/proc` says of a process's state, its ids, its signals and its rights.

use super::digits::{decimal, hex, padded};
use crate::errno::{ENOENT, ESRCH, Errno};
use crate::kernel::{Info, Kernel, Object, Process};
use crate::platform::Platform;
use alloc::vec::Vec;

impl<P: Platform> Kernel<P> {
    pub(super) fn status(&mut self, text: &mut Vec<u8>, id: i32) -> Result<(), Errno> {
        let process = self.processes.get(&id).ok_or(ESRCH)?;
        let total = self.spaces.get(process.space).map_or(0, |space| space.total) / 1024;
        text.extend_from_slice(b"Name:\t");
        text.extend_from_slice(self.comm(id));
        text.extend_from_slice(b"\nUmask:\t");
        let umask = self.views.get(process.view).map_or(0, |view| view.umask);
        for shift in [9, 6, 3, 0] {
            text.push(b'0' + (umask >> shift & 7) as u8);
        }
        text.extend_from_slice(b"\nState:\t");
        let state = self.state_letter(id);
        text.push(state);
        text.extend_from_slice(match state {
            b'Z' => b" (zombie)\n",
            b'T' => b" (stopped)\n",
            b'S' => b" (sleeping)\n",
            _ => b" (running)\n",
        });
        let (uid, gid) = (u64::from(self.step.uid), u64::from(self.step.gid));
        for (name, values) in [
            (&b"Tgid"[..], &[id as u64][..]),
            (b"Ngid", &[0]),
            (b"Pid", &[id as u64]),
            (b"PPid", &[process.parent as u64]),
            (b"TracerPid", &[0]),
            (b"Uid", &[uid; 4]),
            (b"Gid", &[gid; 4]),
            (b"FDSize", &[64]),
        ] {
            text.extend_from_slice(name);
            text.push(b':');
            for value in values {
                text.push(b'\t');
                decimal(text, *value);
            }
            text.push(b'\n');
        }
        text.extend_from_slice(b"Groups:\t \n");
        let (group, session) = (process.group as u64, process.session as u64);
        for (name, value) in
            [(&b"NStgid"[..], id as u64), (b"NSpid", id as u64), (b"NSpgid", group), (b"NSsid", session)]
        {
            text.extend_from_slice(name);
            text.extend_from_slice(b":\t");
            decimal(text, value);
            text.push(b'\n');
        }
        for name in [&b"VmPeak"[..], b"VmSize", b"VmHWM", b"VmRSS"] {
            text.extend_from_slice(name);
            text.extend_from_slice(b":\t");
            padded(text, total, 8);
            text.extend_from_slice(b" kB\n");
        }
        text.extend_from_slice(b"Threads:\t");
        decimal(text, process.threads.len() as u64);
        text.push(b'\n');
        for (name, set) in self.signal_sets(process) {
            text.extend_from_slice(name);
            text.extend_from_slice(b":\t");
            hex(text, set, 16);
            text.push(b'\n');
        }
        // The filter of calls that a step has on Linux.
        text.extend_from_slice(
            b"NoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\nCpus_allowed:\t1\nCpus_allowed_list:\t0\n",
        );
        Ok(())
    }

    /// What `/proc/PID/fdinfo` says of a descriptor: its offset, its flags in octal, its mount and its inode.
    pub(super) fn descriptor_text(&mut self, number: u32, id: i32) -> Result<Vec<u8>, Errno> {
        let files = self.processes.get(&id).ok_or(ESRCH)?.files;
        let fd = self.files.get(files)?.fds.get(number as usize).copied().flatten().ok_or(ENOENT)?;
        let open = self.opens.get(fd.open)?;
        let inode = match open.object {
            Object::Node(node) | Object::Text(node, _) => self.tree.inode(node),
            Object::Pipe(pipe, ..) => u64::from(self.pipes.get(pipe)?.inode) + 1,
            Object::Socket(socket) => u64::from(socket) + 1,
            _ => 1,
        };
        let flags = open.flags | if fd.cloexec { 0o200_0000 } else { 0 };
        let mut text = b"pos:\t".to_vec();
        decimal(&mut text, open.offset);
        text.extend_from_slice(b"\nflags:\t0");
        let digits = (32 - flags.leading_zeros()).div_ceil(3);
        for place in (0..digits).rev() {
            text.push(b'0' + (flags >> (3 * place) & 7) as u8);
        }
        text.extend_from_slice(b"\nmnt_id:\t1\nino:\t");
        decimal(&mut text, inode);
        text.push(b'\n');
        Ok(text)
    }

    /// The sets of signals that a process has to do with, signal 1 in the lowest bit, and its capabilities, of which it has none.
    fn signal_sets(&self, process: &Process) -> [(&'static [u8], u64); 10] {
        let bit = |signal: usize| 1_u64.checked_shl(signal.wrapping_sub(1) as u32).unwrap_or(0);
        let pending = |all: &[Info]| all.iter().fold(0, |set, info| set | bit(info.signal as usize));
        let first = process.threads.first().and_then(|thread| self.threads.get(thread));
        let handled = |wanted: fn(u64) -> bool| {
            let actions = process.actions.iter().enumerate();
            actions.filter(|(_, action)| wanted(action.handler)).fold(0, |set, (signal, _)| set | bit(signal))
        };
        [
            (b"SigPnd", first.map_or(0, |thread| pending(&thread.pending))),
            (b"ShdPnd", pending(&process.pending)),
            (b"SigBlk", first.map_or(0, |thread| thread.mask)),
            (b"SigIgn", handled(|handler| handler == 1)),
            (b"SigCgt", handled(|handler| handler > 1)),
            (b"CapInh", 0),
            (b"CapPrm", 0),
            (b"CapEff", 0),
            (b"CapBnd", 0),
            (b"CapAmb", 0),
        ]
    }
}

/// A user namespace's ids, which are all that there are, or one. Source: user_namespaces(7).
pub(super) fn map(text: &mut Vec<u8>, own: Option<u32>) {
    let first = own.unwrap_or(0).into();
    padded(text, first, 10);
    text.push(b' ');
    padded(text, first, 10);
    text.push(b' ');
    padded(text, if own.is_some() { 1 } else { u32::MAX.into() }, 10);
    text.push(b'\n');
}
