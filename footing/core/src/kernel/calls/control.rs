//! fcntl(2) and ioctl(2).

use super::{Arguments, fail};
use crate::errno::{EBADF, EBUSY, EINVAL, ENOTTY, EPERM};
use crate::kernel::{Done, Kernel, Object};
use crate::platform::Platform;
use crate::tree::Kind;

/// What F_SETFL changes: O_APPEND, O_NONBLOCK, O_ASYNC, O_DIRECT, O_NOATIME.
const CHANGEABLE: u32 = 0o2000 | 0o4000 | 0o20000 | 0o4_0000 | 0o100_0000;

/// `struct termios` of a new terminal after cfmakeraw(3): no input flags; ONLCR; CS8 and CREAD at 38400; ECHOE, ECHOK, ECHOCTL and
/// ECHOKE; line 0; the usual characters. Source: `INIT_C_CC` in `include/asm-generic/termios.h`.
const RAW: [u8; 36] = [
    0, 0, 0, 0, 4, 0, 0, 0, 0xbf, 0, 0, 0, 0x30, 0x0a, 0, 0, 0, 3, 0x1c, 0x7f, 0x15, 4, 0, 1, 0, 0x11, 0x13,
    0x1a, 0, 0x12, 0x0f, 0x17, 0x16, 0, 0, 0,
];

impl<P: Platform> Kernel<P> {
    /// fcntl(2): descriptors, flags, locks, sizes of pipes, seals. Leases and signals of O_ASYNC are EINVAL.
    pub(crate) fn sys_fcntl(&mut self, a: Arguments) -> Done {
        let fd = self.fd(a[0] as i32)?;
        let argument = a[2];
        let open = self.opens.get_mut(fd.open)?;
        let bare = open.flags & super::transfer::O_PATH != 0;
        match a[1] as u32 {
            0 | 1030 => {
                let limit = self.me()?.limits.get(7).map_or(1024, |limit| limit.0);
                if argument as i32 as i64 as u64 >= limit {
                    return fail(EINVAL);
                }
                let open = self.share_open(a[0] as i32)?;
                Ok(self.install(open, argument as u32, a[1] as u32 == 1030)?)
            }
            1 => Ok(fd.cloexec.into()),
            2 => {
                let table = self.me()?.files;
                if let Some(Some(fd)) = self.files.get_mut(table)?.fds.get_mut(a[0] as u32 as usize) {
                    fd.cloexec = argument & 1 != 0;
                }
                Ok(0)
            }
            3 => Ok(open.flags.into()),
            _ if bare => fail(EBADF),
            4 => {
                open.flags = open.flags & !CHANGEABLE | argument as u32 & CHANGEABLE;
                Ok(0)
            }
            5..=7 | 12..=14 | 36..=38 => self.record_lock(a),
            // F_SETOWN, F_GETOWN, F_GETSIG: nobody is sent SIGIO.
            8 | 9 | 11 => Ok(0),
            1033 => self.seal(a, true),
            1034 => self.seal(a, false),
            1031 => self.set_pipe_size(fd.open, argument),
            1032 => match open.object {
                Object::Pipe(pipe, ..) => Ok(self.pipes.get(pipe)?.size as u64),
                _ => fail(EBADF),
            },
            _ => fail(EINVAL),
        }
    }

    fn set_pipe_size(&mut self, open: u32, size: u64) -> Done {
        let Object::Pipe(pipe, ..) = self.opens.get(open)?.object else { return fail(EBADF) };
        let size = size & 0xffff_ffff;
        if size > 1 << 31 {
            return fail(EINVAL);
        }
        let pages = (size as usize).max(4096).next_power_of_two();
        if pages > 1 << 20 {
            return fail(EPERM);
        }
        let pipe = self.pipes.get_mut(pipe)?;
        if pipe.bytes.len() > pages {
            return fail(EBUSY);
        }
        pipe.size = pages;
        Ok(pages as u64)
    }

    /// ioctl(2): FIOCLEX, FIONCLEX, FIONBIO, FIONREAD, FIOASYNC; of a terminal's and a network device's, what asks. Others are ENOTTY.
    pub(crate) fn sys_ioctl(&mut self, a: Arguments) -> Done {
        let fd = self.fd(a[0] as i32)?;
        if self.opens.get(fd.open)?.flags & super::transfer::O_PATH != 0 {
            return fail(EBADF);
        }
        match a[1] as u32 {
            request @ (0x5450 | 0x5451) => {
                let table = self.me()?.files;
                if let Some(Some(fd)) = self.files.get_mut(table)?.fds.get_mut(a[0] as u32 as usize) {
                    fd.cloexec = request == 0x5451;
                }
                Ok(0)
            }
            0x5421 => {
                let on = self.get32(a[2])? != 0;
                let open = self.opens.get_mut(fd.open)?;
                open.flags = open.flags & !0o4000 | if on { 0o4000 } else { 0 };
                Ok(0)
            }
            0x5452 => {
                self.get32(a[2])?;
                Ok(0)
            }
            0x541b => self.count_readable(fd.open, a[2]),
            request if matches!(self.opens.get(fd.open)?.object, Object::Socket(_)) => {
                self.device_ioctl(request, a[2])
            }
            request => self.terminal(fd.open, request, a[2]),
        }
    }

    /// FIONREAD: how many bytes can be read.
    fn count_readable(&mut self, id: u32, to: u64) -> Done {
        let open = self.opens.get(id)?;
        let count = match open.object {
            Object::Node(node) => match &self.tree.get(node)?.kind {
                Kind::File(file) => file.size.saturating_sub(open.offset),
                _ => return fail(ENOTTY),
            },
            Object::Pipe(pipe, ..) => self.pipes.get(pipe)?.bytes.len() as u64,
            Object::Socket(socket) => self.waiting_bytes(socket)?,
            Object::Log if self.step.terminal => 0,
            _ => return fail(ENOTTY),
        };
        self.put32(to, count as u32)?;
        Ok(0)
    }

    /// What a program asks of a terminal: the log, if it looks like one. It is raw and has 80 columns and 24 rows.
    fn terminal(&mut self, id: u32, request: u32, at: u64) -> Done {
        let log = matches!(self.opens.get(id)?.object, Object::Log);
        if !log || !self.step.terminal {
            return fail(ENOTTY);
        }
        match request {
            // TCGETS.
            0x5401 => {
                self.store(at, &RAW)?;
                Ok(0)
            }
            0x5402..=0x5404 | 0x540b => Ok(0),
            // TIOCGWINSZ.
            0x5413 => {
                self.store(at, &[24, 0, 80, 0, 0, 0, 0, 0])?;
                Ok(0)
            }
            // TIOCGPGRP.
            0x540f => {
                let group = self.me()?.group;
                self.put32(at, group as u32)?;
                Ok(0)
            }
            _ => fail(ENOTTY),
        }
    }
}
