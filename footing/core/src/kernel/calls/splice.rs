//! Bytes moved between a pipe and something else. Source: splice(2), tee(2), vmsplice(2).

use super::{Arguments, fail, total};
use crate::errno::{EAGAIN, EBADF, EINVAL, ESPIPE, Errno};
use crate::kernel::user::MAX_MOVE;
use crate::kernel::{Done, Info, Kernel, Object, Stop, Wait};
use crate::platform::Platform;
use crate::tree::Kind;
use alloc::vec::Vec;

const NONBLOCK: u64 = 2;
/// SPLICE_F_MOVE, NONBLOCK, MORE and GIFT, of which NONBLOCK alone changes what happens.
const FLAGS: u64 = 15;
const SIGPIPE: i32 = 13;
const CHUNK: u64 = 1 << 16;

impl<P: Platform> Kernel<P> {
    fn pipe_behind(&self, open: u32) -> Option<u32> {
        match self.opens.get(open).map(|open| &open.object) {
            Ok(&Object::Pipe(pipe, ..)) => Some(pipe),
            _ => None,
        }
    }

    /// splice(2): between two pipes, from a pipe to what can be written, from a file, a stream, `/dev/zero` or `/dev/null` to a pipe.
    pub(crate) fn sys_splice(&mut self, a: Arguments) -> Done {
        if a[4] == 0 {
            return Ok(0);
        }
        if a[5] & !FLAGS & 0xffff_ffff != 0 {
            return fail(EINVAL);
        }
        let (from, to) = (self.fd(a[0] as i32)?.open, self.fd(a[2] as i32)?.open);
        let (source, target) = (self.pipe_behind(from), self.pipe_behind(to));
        if source.is_some() && a[1] != 0 || target.is_some() && a[3] != 0 {
            return fail(ESPIPE);
        }
        let offset = |kernel: &mut Self, at: u64| if at == 0 { Ok(None) } else { kernel.get64(at).map(Some) };
        let (offset_in, offset_out) = (offset(self, a[1])?, offset(self, a[3])?);
        if !self.opens.get(from)?.reads() || !self.opens.get(to)?.writes() {
            return fail(EBADF);
        }
        let most = a[4].min(MAX_MOVE);
        let impatient = a[5] & NONBLOCK != 0;
        match (source, target) {
            (Some(source), Some(target)) => {
                let impatient =
                    impatient || self.opens.get(from)?.impatient() || self.opens.get(to)?.impatient();
                self.between_pipes(source, target, most, impatient, true)
            }
            (Some(source), None) => {
                let impatient = impatient || self.opens.get(from)?.impatient();
                let (count, at) = self.out_of_pipe(source, to, offset_out, most, impatient)?;
                if let Some(at) = at {
                    self.put64(a[3], at)?;
                }
                Ok(count)
            }
            (None, Some(target)) => {
                let impatient = impatient || self.opens.get(to)?.impatient();
                let (count, at) = self.fill_pipe(from, offset_in, target, most, impatient)?;
                if let Some(at) = at {
                    self.put64(a[1], at)?;
                }
                Ok(count)
            }
            (None, None) => fail(EINVAL),
        }
    }

    /// tee(2).
    pub(crate) fn sys_tee(&mut self, a: Arguments) -> Done {
        if a[3] & !FLAGS & 0xffff_ffff != 0 {
            return fail(EINVAL);
        }
        if a[2] == 0 {
            return Ok(0);
        }
        let (from, to) = (self.readable(a[0]), self.writable(a[1]));
        let (from, to) = (from?, to?);
        let (Some(source), Some(target)) = (self.pipe_behind(from), self.pipe_behind(to)) else {
            return fail(EINVAL);
        };
        let impatient =
            a[3] & NONBLOCK != 0 || self.opens.get(from)?.impatient() || self.opens.get(to)?.impatient();
        self.between_pipes(source, target, a[2].min(MAX_MOVE), impatient, false)
    }

    /// vmsplice(2): the bytes are copied, so that later changes of the memory are not seen in the pipe.
    pub(crate) fn sys_vmsplice(&mut self, a: Arguments) -> Done {
        if a[3] & !FLAGS & 0xffff_ffff != 0 {
            return fail(EINVAL);
        }
        let id = self.fd(a[0] as i32)?.open;
        let open = self.opens.get(id)?;
        let (reads, writes, impatient) =
            (open.reads(), open.writes(), open.impatient() || a[3] & NONBLOCK != 0);
        if !reads && !writes {
            return fail(EBADF);
        }
        let ranges = self.ranges(a[1], a[2])?;
        if total(&ranges) == 0 {
            return Ok(0);
        }
        match self.pipe_behind(id) {
            Some(pipe) if writes => self.transmit(pipe, impatient, &ranges, true),
            Some(pipe) => self.receive(pipe, impatient, &ranges, true),
            None => fail(EBADF),
        }
    }

    /// A pipe without bytes: its end, EAGAIN or a wait; a pipe with bytes: how many, at most so many.
    fn available(&mut self, pipe: u32, most: u64, impatient: bool) -> Result<u64, Stop> {
        let place = self.pipes.get(pipe)?;
        match place.bytes.len() as u64 {
            0 if place.writers == 0 => Ok(0),
            0 if impatient => fail(EAGAIN),
            0 => self.wait(Wait::Pipe(pipe)),
            count => Ok(count.min(most)),
        }
    }

    /// How many bytes a pipe has room for. EPIPE with SIGPIPE, EAGAIN or a wait.
    fn room_in(&mut self, pipe: u32, impatient: bool) -> Result<u64, Stop> {
        let place = self.pipes.get(pipe)?;
        if place.readers == 0 {
            self.send_thread(self.current, Info::kernel(SIGPIPE));
            return fail(crate::errno::EPIPE);
        }
        match place.size.saturating_sub(place.bytes.len()) as u64 {
            0 if impatient => fail(EAGAIN),
            0 => self.wait(Wait::Pipe(pipe)),
            room => Ok(room),
        }
    }

    fn first_bytes(&self, pipe: u32, count: u64) -> Result<Vec<u8>, Errno> {
        Ok(self.pipes.get(pipe)?.bytes.iter().take(count as usize).copied().collect())
    }

    fn between_pipes(&mut self, source: u32, target: u32, most: u64, impatient: bool, take: bool) -> Done {
        if source == target {
            return fail(EINVAL);
        }
        let count = self.available(source, most, impatient)?;
        if count == 0 {
            return Ok(0);
        }
        let count = self.room_in(target, impatient)?.min(count);
        let bytes = self.first_bytes(source, count)?;
        self.pipes.get_mut(target)?.bytes.extend(bytes);
        if take {
            self.pipes.get_mut(source)?.bytes.drain(..count as usize);
            self.stir(source);
        }
        self.stir(target);
        Ok(count)
    }

    fn out_of_pipe(
        &mut self,
        source: u32,
        to: u32,
        offset: Option<u64>,
        most: u64,
        impatient: bool,
    ) -> Result<(u64, Option<u64>), Stop> {
        let open = self.opens.get(to)?;
        let file = match open.object {
            Object::Node(node) => self.tree.file(node).is_ok(),
            Object::Socket(_) | Object::Log => false,
            _ => return fail(EINVAL),
        };
        if open.flags & super::transfer::O_APPEND != 0 {
            return fail(EINVAL);
        }
        if offset.is_some() && !file {
            return fail(ESPIPE);
        }
        if offset.is_some_and(|offset| (offset as i64) < 0) {
            return fail(EINVAL);
        }
        let count = self.available(source, most.min(CHUNK), impatient)?;
        if count == 0 {
            return Ok((0, offset));
        }
        let bytes = self.first_bytes(source, count)?;
        // An offset of the caller's own leaves the description's as it is.
        let own = self.opens.get(to)?.offset;
        if let Some(offset) = offset {
            self.opens.get_mut(to)?.offset = offset;
        }
        let done = self.put_open(to, &bytes);
        let after = self.opens.get(to)?.offset;
        if offset.is_some() {
            self.opens.get_mut(to)?.offset = own;
        }
        let done = done?;
        self.pipes.get_mut(source)?.bytes.drain(..done as usize);
        self.stir(source);
        Ok((done, offset.map(|_| after)))
    }

    fn fill_pipe(
        &mut self,
        from: u32,
        offset: Option<u64>,
        target: u32,
        most: u64,
        impatient: bool,
    ) -> Result<(u64, Option<u64>), Stop> {
        let open = self.opens.get(from)?;
        if offset.is_some_and(|offset| (offset as i64) < 0) {
            return fail(EINVAL);
        }
        let at = offset.unwrap_or(open.offset);
        let object = open.object.clone();
        if let Object::Socket(socket) = object {
            if offset.is_some() {
                return fail(ESPIPE);
            }
            let source = self.input_of(socket)?;
            return Ok((self.between_pipes(source, target, most, impatient, true)?, None));
        }
        let Object::Node(node) = object else { return fail(EINVAL) };
        let count = self.room_in(target, impatient)?.min(most);
        let bytes = match self.tree.get(node)?.kind {
            Kind::File(_) => self.bytes_of(node, at, count)?,
            Kind::Device(1, 5) => alloc::vec![0; count as usize],
            Kind::Device(1, 3) => Vec::new(),
            _ => return fail(EINVAL),
        };
        let count = bytes.len() as u64;
        self.pipes.get_mut(target)?.bytes.extend(bytes);
        self.stir(target);
        let after = at.saturating_add(count);
        if offset.is_none() {
            self.opens.get_mut(from)?.offset = after;
        }
        Ok((count, offset.map(|_| after)))
    }
}
