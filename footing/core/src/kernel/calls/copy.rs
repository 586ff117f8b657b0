//! Copies between descriptors.

use super::{Arguments, fail};
use crate::errno::{EAGAIN, EBADF, EINVAL, EISDIR, EXDEV, Errno};
use crate::kernel::user::MAX_MOVE;
use crate::kernel::{Done, Kernel, Object, Stop, Wait};
use crate::platform::Platform;
use crate::tree::NodeId;
use alloc::vec::Vec;

const CHUNK: u64 = 1 << 16;

impl<P: Platform> Kernel<P> {
    /// A file's bytes from an offset on, at most so many.
    pub(super) fn bytes_of(&mut self, node: NodeId, offset: u64, most: u64) -> Result<Vec<u8>, Errno> {
        self.pull(node, offset, offset.saturating_add(most));
        let (stored, zeros) = self.tree.file(node)?.at(offset, most as usize);
        let mut bytes = Vec::with_capacity(stored.len().saturating_add(zeros));
        bytes.extend_from_slice(stored);
        bytes.resize(stored.len().saturating_add(zeros), 0);
        Ok(bytes)
    }

    /// sendfile(2): from a file to a file, a pipe, a socket or the log.
    pub(crate) fn sys_sendfile(&mut self, a: Arguments) -> Done {
        let offset = if a[2] == 0 { None } else { Some(self.get_signed(a[2], 0)?) };
        let (done, at) = self.send_file(a, offset)?;
        if a[2] != 0 {
            self.put_longs(a[2], &[at])?;
        }
        Ok(done)
    }

    /// sendfile64 of i386.
    pub(crate) fn sys_sendfile64(&mut self, a: Arguments) -> Done {
        let offset = if a[2] == 0 { None } else { Some(self.get64(a[2])? as i64) };
        let (done, at) = self.send_file(a, offset)?;
        if a[2] != 0 {
            self.put64(a[2], at)?;
        }
        Ok(done)
    }

    fn send_file(&mut self, a: Arguments, offset: Option<i64>) -> Result<(u64, u64), Stop> {
        let from = self.readable(a[1])?;
        if offset.is_some_and(|offset| offset < 0) {
            return fail(EINVAL);
        }
        let to = self.writable(a[0])?;
        let Object::Node(node) = self.opens.get(from)?.object else { return fail(EINVAL) };
        self.tree.file(node).map_err(|_| EINVAL)?;
        if self.opens.get(to)?.flags & super::transfer::O_APPEND != 0 {
            return fail(EINVAL);
        }
        let start = offset.map_or(self.opens.get(from)?.offset, |offset| offset as u64);
        let most = a[2 + 1].min(MAX_MOVE);
        let mut done = 0;
        while done < most {
            let bytes = self.bytes_of(node, start.saturating_add(done), (most - done).min(CHUNK))?;
            if bytes.is_empty() {
                break;
            }
            match self.put_open(to, &bytes) {
                Ok(0) => break,
                Ok(count) => {
                    done += count;
                    if count < bytes.len() as u64 {
                        break;
                    }
                }
                Err(_) if done > 0 => break,
                Err(stop) => return Err(stop),
            }
        }
        if offset.is_none() {
            let open = self.opens.get_mut(from)?;
            open.offset = open.offset.saturating_add(done);
        }
        Ok((done, start.saturating_add(done)))
    }

    /// Writes the kernel's own bytes to a description: as many as there is room for.
    pub(super) fn put_open(&mut self, id: u32, bytes: &[u8]) -> Done {
        let open = self.opens.get(id)?;
        let (offset, impatient) = (open.offset, open.impatient());
        let pipe = match open.object {
            Object::Node(node) if self.tree.file(node).is_ok() => {
                self.may_change(node, offset.saturating_add(bytes.len() as u64))?;
                let limit = self.size_limit(offset, bytes.len() as u64)?;
                let most = limit.saturating_sub(offset).min(bytes.len() as u64) as usize;
                let count = self.put_bytes(node, offset, bytes.get(..most).unwrap_or_default())?;
                self.uncache(node);
                self.push(node, offset, offset.saturating_add(count));
                self.opens.get_mut(id)?.offset = offset.saturating_add(count);
                return Ok(count);
            }
            Object::Node(_) => return Ok(bytes.len() as u64),
            Object::Log => {
                self.log(bytes);
                return Ok(bytes.len() as u64);
            }
            Object::Pipe(pipe, ..) => pipe,
            Object::Socket(socket) => self.output_of(socket)?,
            _ => return fail(EINVAL),
        };
        let place = self.pipes.get_mut(pipe)?;
        let room = place.size.saturating_sub(place.bytes.len());
        if place.readers == 0 {
            return self.transmit(pipe, true, &[(0, 1)], true);
        }
        if room == 0 {
            return if impatient { fail(EAGAIN) } else { self.wait(Wait::Pipe(pipe)) };
        }
        let part = bytes.get(..room.min(bytes.len())).unwrap_or_default();
        place.bytes.extend(part);
        self.stir(pipe);
        Ok(part.len() as u64)
    }

    /// copy_file_range(2) within one file system; EXDEV across two.
    pub(crate) fn sys_copy_file_range(&mut self, a: Arguments) -> Done {
        let (from, to) = (self.fd(a[0] as i32)?.open, self.fd(a[2] as i32)?.open);
        let (left, right) = (self.opens.get(from)?, self.opens.get(to)?);
        let bare = (left.flags | right.flags) & super::transfer::O_PATH != 0;
        if bare {
            return fail(EBADF);
        }
        let (Object::Node(source), Object::Node(target)) = (&left.object, &right.object) else {
            return fail(EINVAL);
        };
        let (source, target) = (*source, *target);
        if self.tree.folder(source).is_ok() || self.tree.folder(target).is_ok() {
            return fail(EISDIR);
        }
        if self.tree.file(source).is_err() || self.tree.file(target).is_err() || a[5] != 0 {
            return fail(EINVAL);
        }
        if !left.reads() || !right.writes() || right.flags & super::transfer::O_APPEND != 0 {
            return fail(EBADF);
        }
        if self.tree.get(source)?.volume != self.tree.get(target)?.volume {
            return fail(EXDEV);
        }
        let start = if a[1] == 0 { self.opens.get(from)?.offset } else { self.get64(a[1])? };
        let goal = if a[3] == 0 { self.opens.get(to)?.offset } else { self.get64(a[3])? };
        let most = a[4].min(MAX_MOVE);
        if (start as i64) < 0 || (goal as i64) < 0 {
            return fail(EINVAL);
        }
        if source == target && start < goal.saturating_add(most) && goal < start.saturating_add(most) {
            return fail(EINVAL);
        }
        self.may_change(target, goal.saturating_add(most.min(self.tree.file(source)?.size)))?;
        let done = self.copy_bytes((source, start), (target, goal), most)?;
        match a[1] {
            0 => self.opens.get_mut(from)?.offset = start.saturating_add(done),
            at => self.put64(at, start.saturating_add(done))?,
        }
        match a[3] {
            0 => self.opens.get_mut(to)?.offset = goal.saturating_add(done),
            at => self.put64(at, goal.saturating_add(done))?,
        }
        Ok(done)
    }

    fn copy_bytes(&mut self, from: (NodeId, u64), to: (NodeId, u64), most: u64) -> Result<u64, Errno> {
        let mut done = 0;
        while done < most {
            let bytes = self.bytes_of(from.0, from.1.saturating_add(done), (most - done).min(CHUNK))?;
            let at = to.1.saturating_add(done);
            if bytes.is_empty() {
                break;
            }
            let limit = self.size_limit(at, bytes.len() as u64)?.saturating_sub(at);
            let part = bytes.get(..bytes.len().min(limit as usize)).unwrap_or_default();
            match self.put_bytes(to.0, at, part) {
                Ok(count) => done += count,
                Err(errno) if done == 0 => return Err(errno),
                Err(_) => break,
            }
        }
        self.uncache(to.0);
        self.push(to.0, to.1, to.1.saturating_add(done));
        Ok(done)
    }
}
