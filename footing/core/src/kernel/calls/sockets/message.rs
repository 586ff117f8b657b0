//! The calls that send and receive. Source: send(2), recv(2), sendmmsg(2), recvmmsg(2).

use super::receive::{DONTWAIT, TRUNCATED};
use super::{Arguments, Range};
use crate::errno::{EINVAL, EMSGSIZE, EOPNOTSUPP, Errno};
use crate::kernel::user::MAX_MOVE;
use crate::kernel::{Done, Kernel};
use crate::platform::Platform;
use alloc::vec::Vec;

const OUT_OF_BAND: u64 = 1;
const CONTROL_TRUNCATED: u32 = 8;
const CMSG_CLOEXEC: u64 = 0x4000_0000;

/// A `struct msghdr`.
struct Header {
    name: u64,
    name_length: u64,
    ranges: Vec<Range>,
    control: u64,
    control_length: u64,
}

impl<P: Platform> Kernel<P> {
    fn flags(&self, impatient: bool, flags: u64) -> Result<u64, Errno> {
        if flags & OUT_OF_BAND != 0 {
            return Err(EOPNOTSUPP);
        }
        Ok(flags & 0xffff_ffff | if impatient { DONTWAIT } else { 0 })
    }

    /// sendto(2), send(2).
    pub(crate) fn sys_sendto(&mut self, a: Arguments) -> Done {
        let (id, impatient) = self.socket_of(a[0])?;
        let flags = self.flags(impatient, a[3])?;
        self.check_range(a[1], a[2])?;
        let to = if a[4] == 0 { None } else { Some(self.address_at(a[4], a[5])?) };
        self.send_in_time(id, &[(a[1], a[2].min(MAX_MOVE))], flags, to, Vec::new())
    }

    /// recvfrom(2), recv(2).
    pub(crate) fn sys_recvfrom(&mut self, a: Arguments) -> Done {
        let (id, impatient) = self.socket_of(a[0])?;
        let flags = self.flags(impatient, a[3])?;
        self.check_range(a[1], a[2])?;
        let got = self.receive_in_time(id, &[(a[1], a[2].min(MAX_MOVE))], flags)?;
        self.doom(got.opens);
        if a[4] != 0 {
            self.put_address(a[4], a[5], &got.from)?;
        }
        Ok(got.count)
    }

    fn header(&mut self, at: u64) -> Result<Header, Errno> {
        let word = self.long_size();
        let name_length = u64::from(self.get32(at + word)?);
        let count = self.get_long(at, 3)?;
        if count > 1024 {
            return Err(EMSGSIZE);
        }
        let vector = self.get_long(at, 2)?;
        Ok(Header {
            name: self.get_long(at, 0)?,
            name_length,
            ranges: self.ranges(vector, count)?,
            control: self.get_long(at, 4)?,
            control_length: self.get_long(at, 5)?,
        })
    }

    /// sendmsg(2), with SCM_RIGHTS.
    pub(crate) fn sys_sendmsg(&mut self, a: Arguments) -> Done {
        let (id, impatient) = self.socket_of(a[0])?;
        let flags = self.flags(impatient, a[2])?;
        self.send_header(id, a[1], flags)
    }

    fn send_header(&mut self, id: u32, at: u64, flags: u64) -> Done {
        let header = self.header(at)?;
        let to = if header.name == 0 || header.name_length == 0 {
            None
        } else {
            Some(self.address_at(header.name, header.name_length)?)
        };
        let opens = if header.control == 0 || header.control_length == 0 {
            Vec::new()
        } else {
            self.passed(header.control, header.control_length)?
        };
        self.send_in_time(id, &header.ranges, flags, to, opens)
    }

    /// recvmsg(2), with SCM_RIGHTS.
    pub(crate) fn sys_recvmsg(&mut self, a: Arguments) -> Done {
        let (id, impatient) = self.socket_of(a[0])?;
        let flags = self.flags(impatient, a[2])?;
        self.receive_header(id, a[1], flags)
    }

    fn receive_header(&mut self, id: u32, at: u64, flags: u64) -> Done {
        let word = self.long_size();
        let header = self.header(at)?;
        let got = self.receive_in_time(id, &header.ranges, flags)?;
        let cloexec = flags & CMSG_CLOEXEC != 0;
        let (size, cut) = self.deliver_opens(header.control, header.control_length, got.opens, cloexec)?;
        if header.name != 0 {
            let part = got.from.get(..got.from.len().min(header.name_length as usize)).unwrap_or_default();
            self.store(header.name, part)?;
            self.put32(at + word, got.from.len() as u32)?;
        }
        let shown = if got.cut { TRUNCATED as u32 } else { 0 } | if cut { CONTROL_TRUNCATED } else { 0 };
        self.put_longs(at + 5 * word, &[size])?;
        self.put32(at + 6 * word, shown | (flags & CMSG_CLOEXEC) as u32)?;
        Ok(got.count)
    }

    /// sendmmsg(2).
    pub(crate) fn sys_sendmmsg(&mut self, a: Arguments) -> Done {
        let (id, impatient) = self.socket_of(a[0])?;
        let flags = self.flags(impatient, a[3])?;
        self.each(a, |kernel, at, first| {
            let flags = if first { flags } else { flags | DONTWAIT };
            kernel.send_header(id, at, flags)
        })
    }

    /// recvmmsg(2): it waits for the first message alone, and its timeout does not count.
    pub(crate) fn sys_recvmmsg(&mut self, a: Arguments) -> Done {
        let (id, impatient) = self.socket_of(a[0])?;
        let flags = self.flags(impatient, a[3])?;
        self.each(a, |kernel, at, first| {
            let flags = if first { flags } else { flags | DONTWAIT };
            kernel.receive_header(id, at, flags & !0x10000)
        })
    }

    /// Works on an array of `struct mmsghdr` until one fails; how many did not.
    fn each(&mut self, a: Arguments, mut work: impl FnMut(&mut Self, u64, bool) -> Done) -> Done {
        let word = self.long_size();
        let size = 8 * word;
        let count = (a[2] & 0xffff_ffff).min(1024);
        if count == 0 {
            return Ok(0);
        }
        for index in 0..count {
            let at = a[1].checked_add(index * size).ok_or(EINVAL)?;
            match work(self, at, index == 0) {
                Ok(done) => self.put32(at + 7 * word, done as u32)?,
                Err(_) if index > 0 => return Ok(index),
                Err(stop) => return Err(stop),
            }
        }
        Ok(count)
    }
}
