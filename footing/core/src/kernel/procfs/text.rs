//! Files of `/proc` that describe a process.

use super::digits::{decimal, hex};
use super::kind::Proc;
use super::status::map;
use crate::errno::{ENOENT, ESRCH, Errno};
use crate::kernel::region::{Backing, Label};
use crate::kernel::{Kernel, State};
use crate::platform::{PAGE, Platform};
use crate::tree::NodeId;
use alloc::vec::Vec;

const LIMITS: [(&[u8], &[u8]); 16] = [
    (b"Max cpu time", b"seconds"),
    (b"Max file size", b"bytes"),
    (b"Max data size", b"bytes"),
    (b"Max stack size", b"bytes"),
    (b"Max core file size", b"bytes"),
    (b"Max resident set", b"bytes"),
    (b"Max processes", b"processes"),
    (b"Max open files", b"files"),
    (b"Max locked memory", b"bytes"),
    (b"Max address space", b"bytes"),
    (b"Max file locks", b"locks"),
    (b"Max pending signals", b"signals"),
    (b"Max msgqueue size", b"bytes"),
    (b"Max nice priority", b""),
    (b"Max realtime priority", b""),
    (b"Max realtime timeout", b"us"),
];

impl<P: Platform> Kernel<P> {
    pub(super) fn process_text(&mut self, kind: Proc, id: i32) -> Result<Vec<u8>, Errno> {
        let process = self.processes.get(&id).ok_or(ESRCH)?;
        let mut text = Vec::new();
        match kind {
            Proc::Cmdline => return Ok(self.memory_of(id, process.arguments)),
            Proc::Environ => return Ok(self.memory_of(id, process.environment)),
            Proc::Comm => {
                text.extend_from_slice(self.comm(id));
                text.push(b'\n');
            }
            Proc::OomScore => text.extend_from_slice(b"0\n"),
            Proc::Cgroup => text.extend_from_slice(b"0::/\n"),
            Proc::Mounts => {
                text.extend_from_slice(b"none / tmpfs rw,nosuid,nodev 0 0\nproc /proc proc rw 0 0\n")
            }
            Proc::MountInfo => text.extend_from_slice(
                b"1 0 0:1 / / rw,nosuid,nodev - tmpfs none rw\n2 1 0:2 / /proc rw - proc proc rw\n",
            ),
            Proc::Limits => limits(&mut text, &process.limits),
            Proc::Maps => self.maps(&mut text, id)?,
            Proc::Stat => self.stat_line(&mut text, id)?,
            Proc::Status => self.status(&mut text, id)?,
            Proc::Statm => {
                let total = self.spaces.get(process.space).map_or(0, |space| space.total / PAGE);
                for value in [total, total, 0, 0, 0, total, 0] {
                    decimal(&mut text, value);
                    text.push(b' ');
                }
                text.pop();
                text.push(b'\n');
            }
            Proc::Auxv => {}
            Proc::UidMap => map(&mut text, self.step.nix.then_some(self.step.uid)),
            Proc::GidMap => map(&mut text, self.step.nix.then_some(self.step.gid)),
            Proc::SetGroups => text.extend_from_slice(if self.step.nix { b"deny\n" } else { b"allow\n" }),
            Proc::Personality => {
                hex(&mut text, process.personality.into(), 8);
                text.push(b'\n');
            }
            _ => return Err(ENOENT),
        }
        Ok(text)
    }

    pub(super) fn comm(&self, id: i32) -> &[u8] {
        let first = self.processes.get(&id).and_then(|process| process.threads.first());
        let name = first.and_then(|thread| self.threads.get(thread)).map_or(&[][..], |thread| &thread.name);
        let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
        name.get(..end).unwrap_or_default()
    }

    /// Bytes of a process's memory, none if they are not there any more.
    fn memory_of(&mut self, id: i32, (start, end): (u64, u64)) -> Vec<u8> {
        let Some(process) = self.processes.get(&id) else { return Vec::new() };
        let Ok(space) = self.spaces.get_mut(process.space) else { return Vec::new() };
        let mut bytes = alloc::vec![0; end.saturating_sub(start).min(4 << 20) as usize];
        let got = self.platform.read(&mut space.space, start, &mut bytes);
        bytes.truncate(got);
        bytes
    }

    fn maps(&mut self, text: &mut Vec<u8>, id: i32) -> Result<(), Errno> {
        let process = self.processes.get(&id).ok_or(ESRCH)?;
        let Ok(space) = self.spaces.get(process.space) else { return Ok(()) };
        let regions: Vec<_> = space.regions.iter().map(|(&start, &region)| (start, region)).collect();
        for (start, region) in regions {
            let from = text.len();
            hex(text, start, 8);
            text.push(b'-');
            hex(text, region.end, 8);
            text.push(b' ');
            let access = region.access;
            let shared = matches!(region.backing, Backing::Shared(..));
            for (set, letter) in [(access.read, b'r'), (access.write, b'w'), (access.execute, b'x')] {
                text.push(if set { letter } else { b'-' });
            }
            text.extend_from_slice(if shared { b"s " } else { b"p " });
            let (node, offset) = match region.backing {
                Backing::File(node, offset) => (Some(node), offset),
                Backing::Shared(id, offset) => (self.shares.get(&id).and_then(|share| share.node), offset),
                Backing::Zero => (None, 0),
            };
            hex(text, offset, 8);
            text.extend_from_slice(if node.is_some() { b" 00:01 " } else { b" 00:00 " });
            decimal(text, node.map_or(0, |node| self.shown_inode(node)));
            let path = match region.label {
                Label::Heap => b"[heap]".to_vec(),
                Label::Stack => b"[stack]".to_vec(),
                Label::None => node.and_then(|node| self.path_of_file(node)).unwrap_or_default(),
            };
            if !path.is_empty() {
                text.push(b' ');
                text.resize(text.len().max(from + 73), b' ');
                text.extend_from_slice(&path);
            }
            text.push(b'\n');
        }
        Ok(())
    }

    /// A path by which a file can be found. Nodes of files do not know theirs, so that a look at the whole tree is needed; for the next
    /// one the folder is noted.
    fn path_of_file(&mut self, node: NodeId) -> Option<Vec<u8>> {
        if let Some(path) = self.found.get(&node).and_then(|&folder| self.path_in(folder, node)) {
            return Some(path);
        }
        for folder in self.tree.nodes_of(self.root) {
            if let Some(path) = self.path_in(folder, node) {
                self.found.insert(node, folder);
                return Some(path);
            }
        }
        None
    }

    /// The path of a file in this folder, if it is there.
    fn path_in(&self, folder: NodeId, node: NodeId) -> Option<Vec<u8>> {
        let (name, _) = self.tree.folder(folder).ok()?.iter().find(|entry| entry.1 == node)?;
        let mut path = self.tree.path_of(self.root, folder)?;
        if path.len() > 1 {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        Some(path)
    }

    pub(super) fn state_letter(&self, id: i32) -> u8 {
        let Some(process) = self.processes.get(&id) else { return b'X' };
        match process.state {
            State::Zombie(_) => b'Z',
            State::Stopped(..) => b'T',
            State::Alive => {
                let waits = |id: &i32| self.threads.get(id).is_some_and(|thread| thread.wait.is_some());
                if process.threads.iter().all(waits) { b'S' } else { b'R' }
            }
        }
    }

    fn stat_line(&mut self, text: &mut Vec<u8>, id: i32) -> Result<(), Errno> {
        let process = self.processes.get(&id).ok_or(ESRCH)?;
        decimal(text, id as u64);
        text.extend_from_slice(b" (");
        text.extend_from_slice(self.comm(id));
        text.extend_from_slice(b") ");
        text.push(self.state_letter(id));
        let ticks = |calls: u64| self.shown_cpu(calls) / 10_000_000;
        let total = self.spaces.get(process.space).map_or(0, |space| space.total);
        let before = [process.parent as u64, process.group as u64, process.session as u64, 0];
        let mut values = before.to_vec();
        // tty_nr's group is -1 where there is no terminal.
        let mut middle = alloc::vec![0; 5];
        middle.extend([ticks(process.calls), 0, ticks(process.children_calls), 0, 20, 0]);
        middle.extend([
            process.threads.len() as u64,
            0,
            process.start / 10_000_000,
            total,
            total / PAGE,
            u64::MAX,
        ]);
        middle.extend([1, 1]);
        middle.resize(5 + 6 + 6 + 2 + 24, 0);
        for value in values.drain(..) {
            text.push(b' ');
            decimal(text, value);
        }
        text.extend_from_slice(b" -1");
        for value in middle {
            text.push(b' ');
            decimal(text, value);
        }
        text.push(b'\n');
        Ok(())
    }
}

fn limits(text: &mut Vec<u8>, limits: &crate::kernel::Limits) {
    let column = |text: &mut Vec<u8>, bytes: &[u8], width: usize| {
        text.extend_from_slice(bytes);
        text.resize(text.len() + width.saturating_sub(bytes.len()), b' ');
    };
    column(text, b"Limit", 26);
    column(text, b"Soft Limit", 21);
    column(text, b"Hard Limit", 21);
    text.extend_from_slice(b"Units     \n");
    for ((name, unit), (soft, hard)) in LIMITS.iter().zip(limits) {
        column(text, name, 26);
        for value in [soft, hard] {
            let mut number = Vec::new();
            if *value == u64::MAX {
                number.extend_from_slice(b"unlimited");
            } else {
                decimal(&mut number, *value);
            }
            column(text, &number, 21);
        }
        column(text, unit, 10);
        text.push(b'\n');
    }
}
