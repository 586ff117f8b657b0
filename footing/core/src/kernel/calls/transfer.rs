//! Bytes between what is open and a program's memory.

use super::{Range, fail, total};
use crate::errno::{EBADF, EFAULT, EFBIG, EINVAL, EISDIR, ENOSPC, ESPIPE, Errno};
use crate::kernel::{Done, Info, Kernel, Object, Open};
use crate::platform::{PAGE, Platform};
use crate::tree::{Kind, NodeId};
use alloc::vec::Vec;

pub(crate) const O_ACCMODE: u32 = 3;
pub(crate) const O_APPEND: u32 = 0o2000;
pub(crate) const O_NONBLOCK: u32 = 0o4000;
pub(crate) const O_PATH: u32 = 0o1000_0000;

/// Bytes that are fetched from a program at a time.
const CHUNK: u64 = 1 << 16;
const RLIMIT_FSIZE: usize = 1;
const SIGXFSZ: i32 = 25;
static ZEROS: [u8; PAGE as usize] = [0; PAGE as usize];

impl Open {
    pub(crate) fn reads(&self) -> bool {
        self.flags & O_PATH == 0 && matches!(self.flags & O_ACCMODE, 0 | 2)
    }

    pub(crate) fn writes(&self) -> bool {
        self.flags & O_PATH == 0 && matches!(self.flags & O_ACCMODE, 1 | 2)
    }

    /// A wait is EAGAIN instead.
    pub(crate) fn impatient(&self) -> bool {
        self.flags & O_NONBLOCK != 0
    }
}

impl<P: Platform> Kernel<P> {
    /// The number of the description behind a descriptor that may be read. EBADF.
    pub(super) fn readable(&self, fd: u64) -> Result<u32, Errno> {
        let open = self.fd(fd as i32)?.open;
        if self.opens.get(open)?.reads() { Ok(open) } else { Err(EBADF) }
    }

    /// The number of the description behind a descriptor that may be written. EBADF.
    pub(super) fn writable(&self, fd: u64) -> Result<u32, Errno> {
        let open = self.fd(fd as i32)?.open;
        if self.opens.get(open)?.writes() { Ok(open) } else { Err(EBADF) }
    }

    /// Reads a description into memory, at its own offset or at another one.
    pub(super) fn read_open(&mut self, id: u32, ranges: &[Range], at: Option<u64>) -> Done {
        let open = self.opens.get(id)?;
        let offset = at.unwrap_or(open.offset);
        let seekless = at.is_some();
        let count = match open.object {
            Object::Node(node) => self.read_node(node, offset, ranges)?,
            Object::Text(..) => self.read_text(id, offset, ranges)?,
            _ if seekless => return fail(ESPIPE),
            Object::Pipe(pipe, ..) => return self.read_pipe(id, pipe, ranges),
            Object::Socket(_) if total(ranges) == 0 => return Ok(0),
            Object::Socket(socket) => return self.read_socket(id, socket, ranges),
            Object::Event(event) => return self.read_event(id, event, ranges),
            Object::Timer(timer) => return self.read_timer(id, timer, ranges),
            Object::Signal(set) => return self.read_signals_of(id, set, ranges),
            // Nobody writes to the step's log but the step.
            Object::Log => return Ok(0),
            Object::Epoll(_) | Object::Process(_) => return fail(EINVAL),
        };
        // A device has no place to be at.
        if at.is_none() && !self.device(id)? {
            let open = self.opens.get_mut(id)?;
            open.offset = open.offset.saturating_add(count);
        }
        Ok(count)
    }

    /// Writes memory to a description, at its own offset or at another one.
    pub(super) fn write_open(&mut self, id: u32, ranges: &[Range], at: Option<u64>) -> Done {
        let open = self.opens.get(id)?;
        let append = open.flags & O_APPEND != 0;
        let offset = at.unwrap_or(open.offset);
        let seekless = at.is_some();
        match open.object {
            Object::Node(node) => {
                let offset = match self.tree.file(node) {
                    Ok(file) if append => file.size,
                    _ => offset,
                };
                let count = self.write_node(node, offset, ranges)?;
                if at.is_none() && !self.device(id)? {
                    self.opens.get_mut(id)?.offset = offset.saturating_add(count);
                }
                Ok(count)
            }
            Object::Text(node, _) => self.write_text(node, ranges),
            _ if seekless => fail(ESPIPE),
            Object::Pipe(pipe, ..) => self.write_pipe(id, pipe, ranges),
            Object::Socket(socket) => self.write_socket(id, socket, ranges),
            Object::Event(event) => self.write_event(id, event, ranges),
            Object::Log => self.write_log(ranges),
            Object::Timer(_) | Object::Signal(_) | Object::Epoll(_) | Object::Process(_) => fail(EINVAL),
        }
    }

    fn device(&self, id: u32) -> Result<bool, Errno> {
        Ok(match self.opens.get(id)?.object {
            Object::Node(node) => matches!(self.tree.get(node)?.kind, Kind::Device(..)),
            _ => false,
        })
    }

    fn read_node(&mut self, node: NodeId, offset: u64, ranges: &[Range]) -> Result<u64, Errno> {
        match self.tree.get(node)?.kind {
            Kind::File(_) => self.read_file(node, offset, ranges),
            Kind::Folder(_) => Err(EISDIR),
            Kind::Device(major, minor) => self.read_device((major, minor), ranges),
            _ => Err(EINVAL),
        }
    }

    fn write_node(&mut self, node: NodeId, offset: u64, ranges: &[Range]) -> Result<u64, Errno> {
        match self.tree.get(node)?.kind {
            Kind::File(_) => self.write_file(node, offset, ranges),
            Kind::Folder(_) => Err(EISDIR),
            Kind::Device(major, minor) => self.write_device((major, minor), ranges),
            _ => Err(EINVAL),
        }
    }

    /// The text as it is when it is read from its start.
    fn renew_text(&mut self, id: u32, offset: u64) -> Result<(), Errno> {
        let Object::Text(node, text) = &self.opens.get(id)?.object else { return Err(EINVAL) };
        let node = *node;
        if (offset == 0 || text.is_empty())
            && let Kind::Virtual(kind, process) = self.tree.get(node)?.kind
        {
            let text = self.virtual_text(kind, process)?;
            self.opens.get_mut(id)?.object = Object::Text(node, text.into());
        }
        Ok(())
    }

    fn read_text(&mut self, id: u32, offset: u64, ranges: &[Range]) -> Result<u64, Errno> {
        self.renew_text(id, offset)?;
        let space = self.me()?.space;
        let space = self.spaces.get_mut(space)?;
        let Object::Text(_, text) = &self.opens.get(id)?.object else { return Err(EINVAL) };
        let mut rest = usize::try_from(offset).ok().and_then(|offset| text.get(offset..)).unwrap_or_default();
        let mut done = 0;
        for &(start, length) in ranges {
            let part = rest.get(..rest.len().min(length as usize)).unwrap_or_default();
            let got = self.platform.write(&mut space.space, start, part);
            done += got as u64;
            if got < part.len() {
                return if done == 0 { Err(EFAULT) } else { Ok(done) };
            }
            rest = rest.get(got..).unwrap_or_default();
        }
        Ok(done)
    }

    /// Copies a file's bytes into memory; how many there were.
    pub(super) fn read_file(&mut self, node: NodeId, offset: u64, ranges: &[Range]) -> Result<u64, Errno> {
        if self.tree.file(node)?.shared.is_some() {
            self.pull(node, offset, offset.saturating_add(total(ranges)));
        }
        let space = self.me()?.space;
        let space = self.spaces.get_mut(space)?;
        let file = self.tree.file(node)?;
        let mut done = 0_u64;
        for &(start, length) in ranges {
            let (bytes, zeros) = file.at(offset.saturating_add(done), length as usize);
            let want = bytes.len().saturating_add(zeros);
            let mut got = self.platform.write(&mut space.space, start, bytes);
            while got >= bytes.len() && got < want {
                let part = ZEROS.get(..(want - got).min(ZEROS.len())).unwrap_or_default();
                let more = self.platform.write(&mut space.space, start.wrapping_add(got as u64), part);
                got += more;
                if more < part.len() {
                    break;
                }
            }
            done += got as u64;
            if got < want {
                return if done == 0 { Err(EFAULT) } else { Ok(done) };
            }
            if (want as u64) < length {
                break;
            }
        }
        Ok(done)
    }

    /// Copies memory into a file; how many bytes fitted. EFAULT, EFBIG, ENOSPC, EROFS if none did.
    pub(super) fn write_file(&mut self, node: NodeId, offset: u64, ranges: &[Range]) -> Result<u64, Errno> {
        if total(ranges) > 0 {
            self.may_change(node, offset.saturating_add(total(ranges)))?;
        }
        let limit = self.size_limit(offset, total(ranges))?;
        let mut done = 0_u64;
        let mut buffer = Vec::new();
        for &(start, length) in ranges {
            let mut at = 0;
            while at < length {
                let most = (length - at).min(CHUNK).min(limit.saturating_sub(offset.saturating_add(done)));
                if most == 0 {
                    return self.written(node, offset, done, EFBIG);
                }
                buffer.resize(most as usize, 0);
                let got = self.fetch_some(start.wrapping_add(at), &mut buffer);
                let part = buffer.get(..got).unwrap_or_default();
                let put = self.put_bytes(node, offset.saturating_add(done), part);
                let count = match put {
                    Ok(count) => count,
                    Err(errno) => return self.written(node, offset, done, errno),
                };
                done += count;
                at += count;
                if count < most {
                    let errno = if (got as u64) < most { EFAULT } else { ENOSPC };
                    return self.written(node, offset, done, errno);
                }
            }
        }
        self.written(node, offset, done, EFAULT).or(Ok(0))
    }

    /// How many bytes a write put into a file, or why none.
    fn written(&mut self, node: NodeId, offset: u64, done: u64, errno: Errno) -> Result<u64, Errno> {
        if done == 0 {
            return Err(errno);
        }
        self.uncache(node);
        self.push(node, offset, offset.saturating_add(done));
        self.drop_privileges(node);
        Ok(done)
    }

    /// Writes as many of these bytes as there is space for, page by page as tmpfs does.
    pub(super) fn put_bytes(&mut self, node: NodeId, offset: u64, bytes: &[u8]) -> Result<u64, Errno> {
        let time = self.time();
        match self.tree.write_at(node, offset, bytes, time) {
            Ok(()) => return Ok(bytes.len() as u64),
            Err(ENOSPC) => {}
            Err(errno) => return Err(errno),
        }
        let mut done = 0;
        while let Some(rest) = bytes.get(done..)
            && !rest.is_empty()
        {
            let left = (PAGE - (offset + done as u64) % PAGE) as usize;
            let part = rest.get(..left.min(rest.len())).unwrap_or_default();
            if self.tree.write_at(node, offset + done as u64, part, time).is_err() {
                break;
            }
            done += part.len();
        }
        if done == 0 { Err(ENOSPC) } else { Ok(done as u64) }
    }

    /// Up to where a write may go by RLIMIT_FSIZE. EFBIG and SIGXFSZ if it may not even start.
    pub(super) fn size_limit(&mut self, offset: u64, length: u64) -> Result<u64, Errno> {
        let limit = self.me()?.limits.get(RLIMIT_FSIZE).map_or(u64::MAX, |limit| limit.0);
        if length > 0 && offset >= limit {
            self.send_thread(self.current, Info::kernel(SIGXFSZ));
            return Err(EFBIG);
        }
        let most = i64::MAX as u64;
        if length > 0 && offset >= most { Err(EFBIG) } else { Ok(limit.min(most)) }
    }

    /// Who is not the superuser takes set-user-ID and set-group-ID away by writing.
    pub(super) fn drop_privileges(&mut self, node: NodeId) {
        if self.rights().0 == 0 {
            return;
        }
        if let Ok(node) = self.tree.writable(node) {
            node.mode &= !0o4000;
            if node.mode & 0o10 != 0 {
                node.mode &= !0o2000;
            }
        }
    }

    fn read_device(&mut self, device: (u32, u32), ranges: &[Range]) -> Result<u64, Errno> {
        match device {
            (1, 3) => Ok(0),
            (1, 5 | 7) => self.fill_ranges(ranges, |_, _| {}),
            (1, 8 | 9) => self.fill_ranges(ranges, |kernel, bytes| kernel.random.fill(bytes)),
            _ => Err(EINVAL),
        }
    }

    /// Fills memory with bytes that are made for it, which are zeros to begin with.
    pub(super) fn fill_ranges(
        &mut self,
        ranges: &[Range],
        make: fn(&mut Self, &mut [u8]),
    ) -> Result<u64, Errno> {
        let mut done = 0;
        for &(start, length) in ranges {
            let mut at = 0;
            while at < length {
                let mut bytes = [0; 512];
                let most = (length - at).min(bytes.len() as u64);
                let bytes = bytes.get_mut(..most as usize).unwrap_or_default();
                make(self, bytes);
                let got = self.store_some(start.wrapping_add(at), bytes) as u64;
                (at, done) = (at + got, done + got);
                if got < most {
                    return if done == 0 { Err(EFAULT) } else { Ok(done) };
                }
            }
        }
        Ok(done)
    }

    fn write_device(&mut self, device: (u32, u32), ranges: &[Range]) -> Result<u64, Errno> {
        match device {
            (1, 3 | 5 | 8 | 9) => Ok(total(ranges)),
            (1, 7) if total(ranges) > 0 => Err(ENOSPC),
            (1, 7) => Ok(0),
            _ => Err(EINVAL),
        }
    }

    fn write_log(&mut self, ranges: &[Range]) -> Done {
        let mut done = 0;
        let mut buffer = Vec::new();
        for &(start, length) in ranges {
            let mut at = 0;
            while at < length && self.end.is_none() {
                let most = (length - at).min(CHUNK);
                buffer.resize(most as usize, 0);
                let got = self.fetch_some(start.wrapping_add(at), &mut buffer);
                self.log(buffer.get(..got).unwrap_or_default());
                (at, done) = (at + got as u64, done + got as u64);
                if (got as u64) < most {
                    return if done == 0 { fail(EFAULT) } else { Ok(done) };
                }
            }
        }
        Ok(done)
    }
}
