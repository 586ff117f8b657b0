//! Pipes. Source: pipe(2), pipe(7).

use super::{Arguments, Range, fail, part, total};
use crate::errno::{EAGAIN, EFAULT, EINVAL, EPIPE, Errno};
use crate::kernel::{Done, Info, Kernel, Object, Pipe, Wait};
use crate::platform::Platform;
use alloc::vec::Vec;

/// What a pipe holds unless F_SETPIPE_SZ changes it.
pub(crate) const PIPE_SIZE: usize = 1 << 16;
/// A write of no more bytes is not mixed with others.
const PIPE_BUF: u64 = 4096;
const SIGPIPE: i32 = 13;
const O_CLOEXEC: u64 = 0o200_0000;
const O_NONBLOCK: u64 = 0o4000;
const O_DIRECT: u64 = 0o4_0000;

impl<P: Platform> Kernel<P> {
    /// A pipe without ends.
    pub(crate) fn new_pipe(&mut self) -> Result<u32, Errno> {
        self.pipes.add(Pipe { size: PIPE_SIZE, ..Pipe::default() })
    }

    /// pipe(2).
    pub(crate) fn sys_pipe(&mut self, a: Arguments) -> Done {
        self.sys_pipe2([a[0], 0, 0, 0, 0, 0])
    }

    /// pipe2(2): O_CLOEXEC and O_NONBLOCK; O_DIRECT is EINVAL.
    pub(crate) fn sys_pipe2(&mut self, a: Arguments) -> Done {
        if a[1] & !(O_CLOEXEC | O_NONBLOCK) & 0xffff_ffff != 0 || a[1] & O_DIRECT != 0 {
            return fail(EINVAL);
        }
        let flags = (a[1] & O_NONBLOCK) as u32;
        let cloexec = a[1] & O_CLOEXEC != 0;
        let pipe = self.new_pipe()?;
        if let Ok(pipe) = self.pipes.get_mut(pipe) {
            (pipe.readers, pipe.writers) = (1, 1);
        }
        let reader = self.new_open(Object::Pipe(pipe, true, false), flags, b"")?;
        let writer = self.new_open(Object::Pipe(pipe, false, true), flags | 1, b"")?;
        let first = match self.install(reader, 0, cloexec) {
            Ok(first) => first,
            Err(errno) => {
                self.release_open(writer);
                return fail(errno);
            }
        };
        let second = match self.install(writer, 0, cloexec) {
            Ok(second) => second,
            Err(errno) => {
                self.close_fd(first as i32)?;
                return fail(errno);
            }
        };
        let mut pair = [0; 8];
        pair[..4].copy_from_slice(&(first as u32).to_le_bytes());
        pair[4..].copy_from_slice(&(second as u32).to_le_bytes());
        if let Err(errno) = self.store(a[0], &pair) {
            self.close_fd(first as i32)?;
            self.close_fd(second as i32)?;
            return fail(errno);
        }
        Ok(0)
    }

    /// Reads from a pipe, or waits for bytes or for its last writer's end.
    pub(super) fn read_pipe(&mut self, open: u32, id: u32, ranges: &[Range]) -> Done {
        let impatient = self.opens.get(open)?.impatient();
        if total(ranges) == 0 {
            return Ok(0);
        }
        self.receive(id, impatient, ranges, true)
    }

    /// Takes bytes out of a pipe (or leaves them there).
    pub(super) fn receive(&mut self, id: u32, impatient: bool, ranges: &[Range], take: bool) -> Done {
        let space = self.me()?.space;
        let pipe = self.pipes.get_mut(id)?;
        if pipe.bytes.is_empty() {
            return match pipe.writers {
                0 => Ok(0),
                _ if impatient => fail(EAGAIN),
                _ => self.wait(Wait::Pipe(id)),
            };
        }
        let space = self.spaces.get_mut(space)?;
        let mut done = 0;
        for &(start, length) in ranges {
            let (first, second) = pipe.bytes.as_slices();
            let skip = done;
            let mut at = start;
            let mut left = (length as usize).min(pipe.bytes.len() - skip);
            let mut fault = false;
            for (slice, skip) in [(first, skip), (second, skip.saturating_sub(first.len()))] {
                let slice = slice.get(skip..).unwrap_or_default();
                let slice = slice.get(..left.min(slice.len())).unwrap_or_default();
                let got = self.platform.write(&mut space.space, at, slice);
                done += got;
                left -= got;
                at = at.wrapping_add(got as u64);
                if got < slice.len() {
                    fault = true;
                    break;
                }
            }
            if fault || done >= pipe.bytes.len() {
                break;
            }
        }
        if done == 0 {
            return fail(EFAULT);
        }
        if take {
            pipe.bytes.drain(..done);
            self.stir(id);
        }
        Ok(done as u64)
    }

    /// Writes to a pipe, and waits while it is full. SIGPIPE and EPIPE without a reader.
    pub(super) fn write_pipe(&mut self, open: u32, id: u32, ranges: &[Range]) -> Done {
        let impatient = self.opens.get(open)?.impatient();
        self.transmit(id, impatient, ranges, true)
    }

    /// Puts bytes into a pipe.
    pub(super) fn transmit(&mut self, id: u32, impatient: bool, ranges: &[Range], signal: bool) -> Done {
        let all = total(ranges);
        let done = self.thread()?.progress;
        if all == 0 {
            return Ok(0);
        }
        let pipe = self.pipes.get_mut(id)?;
        if pipe.readers == 0 {
            if signal {
                self.send_thread(self.current, Info::kernel(SIGPIPE));
            }
            return if done > 0 { Ok(done) } else { fail(EPIPE) };
        }
        let room = pipe.size.saturating_sub(pipe.bytes.len()) as u64;
        let left = all.saturating_sub(done);
        if room == 0 || all <= PIPE_BUF && room < left {
            return match () {
                () if !impatient => self.wait(Wait::Pipe(id)),
                () if done > 0 => Ok(done),
                () => fail(EAGAIN),
            };
        }
        let mut bytes = Vec::new();
        let mut fault = false;
        for (start, length) in part(ranges, done, room) {
            let before = bytes.len();
            bytes.resize(before + length as usize, 0);
            let got = self.fetch_some(start, bytes.get_mut(before..).unwrap_or_default());
            bytes.truncate(before + got);
            if (got as u64) < length {
                fault = true;
                break;
            }
        }
        let sum = done + bytes.len() as u64;
        self.pipes.get_mut(id)?.bytes.extend(bytes.iter());
        if !bytes.is_empty() {
            self.stir(id);
        }
        if sum == 0 && fault {
            return fail(EFAULT);
        }
        if fault || sum >= all || impatient {
            return Ok(sum);
        }
        self.thread()?.progress = sum;
        self.wait(Wait::Pipe(id))
    }
}
