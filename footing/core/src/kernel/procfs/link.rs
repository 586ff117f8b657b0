//! What links of `/proc` lead to.

use super::digits::{decimal, tagged};
use super::kind::{DESCRIPTOR, Proc, proc};
use crate::errno::{EACCES, ENOENT, ENXIO, Errno};
use crate::kernel::{Kernel, Object, Process, State};
use crate::platform::Platform;
use crate::tree::{Dynamic, Kind, Meta, NodeId};
use alloc::vec::Vec;

/// The device number of the node that the log has in `/proc/self/fd`.
const LOG: (u32, u32) = (136, 0);

impl<P: Platform> Kernel<P> {
    /// Gives every pipe that is open a node, so that `/proc/self/fd` can lead to it; the log has one too.
    pub(crate) fn name_pipes(&mut self) -> Result<(), Errno> {
        let volume = self.tree.get(self.root)?.volume;
        for number in self.pipes.numbers() {
            if self.pipes.get(number).is_ok_and(|pipe| pipe.node.is_none()) {
                let node = self.tree.make(volume, Kind::Fifo(Some(number)), self.owned(0o600))?;
                self.tree.hold(node);
                self.pipes.get_mut(number)?.node = Some(node);
            }
        }
        if self.log_node.is_none_or(|node| self.tree.get(node).is_err()) {
            let node = self.tree.make(volume, Kind::Device(LOG.0, LOG.1), self.owned(0o620))?;
            self.tree.hold(node);
            self.log_node = Some(node);
        }
        Ok(())
    }

    /// Rights and times of a node that the current process makes.
    pub(crate) fn owned(&self, mode: u32) -> Meta {
        Meta { mode, uid: self.step.uid, gid: self.step.gid, time: self.time() }
    }

    /// What a link of `/proc` is shown to lead to.
    pub(crate) fn magic_text(&mut self, kind: u32, id: i32) -> Result<Vec<u8>, Errno> {
        if let Some(text) = Dynamic::text(self, kind, id) {
            return Ok(text);
        }
        if self.hidden(kind, id) {
            return Err(EACCES);
        }
        let process = self.processes.get(&id).ok_or(ENOENT)?;
        if let Some(number) = kind.checked_sub(DESCRIPTOR) {
            let files = self.files.get(process.files)?;
            let fd = files.fds.get(number as usize).copied().flatten().ok_or(ENOENT)?;
            let open = self.opens.get(fd.open)?;
            return Ok(match &open.object {
                Object::Node(_) | Object::Text(..) => open.path.to_vec(),
                Object::Pipe(pipe, ..) => tagged(b"pipe:[", u64::from(self.pipes.get(*pipe)?.inode) + 1),
                Object::Socket(socket) => tagged(b"socket:[", u64::from(*socket) + 1),
                Object::Log => if self.step.terminal { &b"/dev/pts/0"[..] } else { b"pipe:[1]" }.to_vec(),
                Object::Event(_) => b"anon_inode:[eventfd]".to_vec(),
                Object::Timer(_) => b"anon_inode:[timerfd]".to_vec(),
                Object::Signal(_) => b"anon_inode:[signalfd]".to_vec(),
                Object::Epoll(_) => b"anon_inode:[eventpoll]".to_vec(),
                Object::Process(_) => b"anon_inode:[pidfd]".to_vec(),
            });
        }
        match proc(kind) {
            Some(Proc::Exe) if process.exe.is_some() => Ok(process.exe_path.clone()),
            Some(Proc::Cwd | Proc::RootLink) => {
                let view = *self.views.get(process.view)?;
                let node = if proc(kind) == Some(Proc::Cwd) { view.cwd } else { view.root };
                Ok(self.tree.path_of(view.root, node).unwrap_or_else(|| b"(deleted)".to_vec()))
            }
            _ => Err(ENOENT),
        }
    }
}

impl<P: Platform> Dynamic for Kernel<P> {
    fn jump(&self, kind: u32, id: i32) -> Result<NodeId, Errno> {
        if self.hidden(kind, id) {
            return Err(EACCES);
        }
        let process: &Process = self.processes.get(&id).ok_or(ENOENT)?;
        if let Some(number) = kind.checked_sub(DESCRIPTOR) {
            let files = self.files.get(process.files)?;
            let fd = files.fds.get(number as usize).copied().flatten().ok_or(ENOENT)?;
            return match self.opens.get(fd.open)?.object {
                Object::Node(node) | Object::Text(node, _) => Ok(node),
                Object::Pipe(pipe, ..) => self.pipes.get(pipe)?.node.ok_or(ENXIO),
                Object::Log => self.log_node.ok_or(ENXIO),
                _ => Err(ENXIO),
            };
        }
        if matches!(process.state, State::Zombie(_)) {
            return Err(ENOENT);
        }
        match proc(kind) {
            Some(Proc::Exe) => process.exe.ok_or(ENOENT),
            Some(Proc::Cwd) => Ok(self.views.get(process.view)?.cwd),
            Some(Proc::RootLink) => Ok(self.views.get(process.view)?.root),
            _ => Err(ENOENT),
        }
    }

    fn text(&self, kind: u32, _: i32) -> Option<Vec<u8>> {
        let me = self.me().ok()?.id;
        let mut name = Vec::new();
        decimal(&mut name, me as u64);
        match proc(kind)? {
            Proc::Myself => Some(name),
            Proc::MyThread => {
                name.extend_from_slice(b"/task/");
                decimal(&mut name, self.current as u64);
                Some(name)
            }
            _ => None,
        }
    }
}
