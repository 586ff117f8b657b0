//! Tables of descriptors, and what is left when the last descriptor of something is closed.

use super::{Fd, Files, Kernel, Object, Open, Wait};
use crate::errno::{EBADF, EMFILE, Errno};
use crate::map::Map;
use crate::platform::Platform;
use alloc::boxed::Box;

/// The number of RLIMIT_NOFILE.
const NOFILE: usize = 7;

impl<P: Platform> Kernel<P> {
    /// The current process's descriptor. EBADF.
    pub(crate) fn fd(&self, fd: i32) -> Result<Fd, Errno> {
        let files = self.files.get(self.me()?.files)?;
        usize::try_from(fd).ok().and_then(|fd| *files.fds.get(fd)?).ok_or(EBADF)
    }

    /// What the current process's descriptor stands for. EBADF.
    pub(crate) fn open_of(&self, fd: i32) -> Result<&Open, Errno> {
        self.opens.get(self.fd(fd)?.open)
    }

    /// A new description with one user, whom the caller enters in a table.
    pub(crate) fn new_open(&mut self, object: Object, flags: u32, path: &[u8]) -> Result<u32, Errno> {
        match &object {
            Object::Node(node) | Object::Text(node, _) => self.tree.hold(*node),
            _ => {}
        }
        self.opens.add(Open { users: 1, object, flags, offset: 0, last: None, path: Box::from(path) })
    }

    /// Enters a description at the lowest free number from `lowest` on. The caller's use of it becomes the table's. EMFILE.
    pub(crate) fn install(&mut self, open: u32, lowest: u32, cloexec: bool) -> Result<u64, Errno> {
        let me = self.me()?;
        let limit = me.limits.get(NOFILE).map_or(1024, |limit| limit.0).min(1 << 20) as usize;
        let files = self.files.get_mut(me.files)?;
        let mut at = lowest as usize;
        while files.fds.get(at).is_some_and(Option::is_some) {
            at += 1;
        }
        if at >= limit {
            self.release_open(open);
            return Err(EMFILE);
        }
        if files.fds.len() <= at {
            files.fds.resize(at + 1, None);
        }
        if let Some(place) = files.fds.get_mut(at) {
            *place = Some(Fd { open, cloexec });
        }
        Ok(at as u64)
    }

    /// Closes the current process's descriptor. EBADF.
    pub(crate) fn close_fd(&mut self, fd: i32) -> Result<(), Errno> {
        let process = self.me()?;
        let (id, table) = (process.id, process.files);
        let place = usize::try_from(fd).ok().and_then(|fd| self.files.get_mut(table).ok()?.fds.get_mut(fd));
        let Fd { open, .. } = place.and_then(Option::take).ok_or(EBADF)?;
        // A process loses its locks of fcntl(2) with any descriptor of the file.
        if !self.locks.is_empty()
            && let Ok(closed) = self.opens.get(open)
        {
            let on = closed.object.locked();
            let before = self.locks.len();
            self.locks.retain(|lock| lock.on != on || lock.owner != Err(id));
            if self.locks.len() != before {
                self.wake(Wait::Lock);
            }
        }
        self.release_open(open);
        Ok(())
    }

    /// One descriptor, message or call fewer uses a description.
    pub(crate) fn release_open(&mut self, id: u32) {
        let Ok(open) = self.opens.get_mut(id) else { return };
        open.users = open.users.saturating_sub(1);
        if open.users > 0 {
            return;
        }
        let Some(open) = self.opens.remove(id) else { return };
        let before = self.locks.len();
        self.locks.retain(|lock| lock.owner != Ok(id));
        if self.locks.len() != before {
            self.wake(Wait::Lock);
        }
        for number in self.epolls.numbers() {
            if let Ok(epoll) = self.epolls.get_mut(number) {
                let of = |entries: &Map<(u32, u32), _>| entries.keys().find(|key| key.1 == id).copied();
                while let Some(key) = of(&epoll.entries) {
                    epoll.entries.remove(&key);
                }
            }
        }
        match open.object {
            Object::Node(node) | Object::Text(node, _) => self.release_node(node),
            Object::Pipe(pipe, reads, writes) => self.release_pipe(pipe, reads, writes),
            Object::Socket(socket) => self.release_socket(socket),
            Object::Event(event) => drop(self.events.remove(event)),
            Object::Timer(timer) => {
                if let Some(timer_fd) = self.timer_fds.remove(timer) {
                    self.stop_timer(timer_fd.alarm.at, super::Timer::Fd(timer));
                }
            }
            Object::Epoll(epoll) => drop(self.epolls.remove(epoll)),
            Object::Log | Object::Signal(_) | Object::Process(_) => {}
        }
    }

    /// An end of a pipe goes away; the pipe goes with its last end.
    pub(crate) fn release_pipe(&mut self, id: u32, reads: bool, writes: bool) {
        let Ok(pipe) = self.pipes.get_mut(id) else { return };
        pipe.readers = pipe.readers.saturating_sub(reads.into());
        pipe.writers = pipe.writers.saturating_sub(writes.into());
        let (gone, node) = (pipe.readers == 0 && pipe.writers == 0, pipe.node);
        if gone {
            self.pipes.remove(id);
            if let Some(node) = node {
                if let Ok(node) = self.tree.get_mut(node) {
                    node.kind = crate::tree::Kind::Fifo(None);
                }
                self.release_node(node);
            }
        }
        self.wake(Wait::Pipe(id));
    }

    /// A copy of a table, as fork(2) makes it.
    pub(crate) fn copy_files(&mut self, id: u32) -> Result<u32, Errno> {
        let fds = self.files.get(id)?.fds.clone();
        for fd in fds.iter().flatten() {
            if let Ok(open) = self.opens.get_mut(fd.open) {
                open.users = open.users.saturating_add(1);
            }
        }
        self.files.add(Files { users: 1, fds })
    }

    /// One process fewer uses a table.
    pub(crate) fn leave_files(&mut self, id: u32) {
        let Ok(files) = self.files.get_mut(id) else { return };
        files.users = files.users.saturating_sub(1);
        if files.users > 0 {
            return;
        }
        let Some(files) = self.files.remove(id) else { return };
        for fd in files.fds.into_iter().flatten() {
            self.release_open(fd.open);
        }
    }

    /// Closes what does not outlive execve(2).
    pub(crate) fn close_on_exec(&mut self, id: u32) {
        let Ok(files) = self.files.get_mut(id) else { return };
        let mut closed = alloc::vec::Vec::new();
        for place in &mut files.fds {
            if place.is_some_and(|fd| fd.cloexec) {
                closed.extend(place.take());
            }
        }
        for fd in closed {
            self.release_open(fd.open);
        }
    }
}
