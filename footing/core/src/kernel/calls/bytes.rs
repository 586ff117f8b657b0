//! read, write and the calls like them.

use super::{Arguments, fail, total};
use crate::errno::{EINVAL, EOPNOTSUPP, Errno};
use crate::kernel::user::MAX_MOVE;
use crate::kernel::{Done, Kernel};
use crate::platform::Platform;

impl<P: Platform> Kernel<P> {
    /// The range of a buffer. EFAULT for an address that no program has, EINVAL for a negative length.
    fn buffer(&self, at: u64, length: u64) -> Result<(u64, u64), Errno> {
        if self.signed(length) < 0 {
            self.check_range(at, length)?;
            return Err(EINVAL);
        }
        self.check_range(at, length)?;
        Ok((at, length.min(MAX_MOVE)))
    }

    /// read(2).
    pub(crate) fn sys_read(&mut self, a: Arguments) -> Done {
        let open = self.readable(a[0])?;
        let range = self.buffer(a[1], a[2])?;
        self.read_open(open, &[range], None)
    }

    /// write(2). A signal that ends a wait leaves what was written so far.
    pub(crate) fn sys_write(&mut self, a: Arguments) -> Done {
        let open = self.writable(a[0])?;
        let range = self.buffer(a[1], a[2])?;
        self.write_open(open, &[range], None)
    }

    /// pread(2).
    pub(crate) fn sys_pread64(&mut self, a: Arguments) -> Done {
        if (a[3] as i64) < 0 {
            return fail(EINVAL);
        }
        let fd = self.fd(a[0] as i32)?.open;
        self.seekable(fd)?;
        let open = self.readable(a[0])?;
        let range = self.buffer(a[1], a[2])?;
        self.read_open(open, &[range], Some(a[3]))
    }

    /// pwrite(2). With O_APPEND it appends, as Linux does.
    pub(crate) fn sys_pwrite64(&mut self, a: Arguments) -> Done {
        if (a[3] as i64) < 0 {
            return fail(EINVAL);
        }
        let fd = self.fd(a[0] as i32)?.open;
        self.seekable(fd)?;
        let open = self.writable(a[0])?;
        let range = self.buffer(a[1], a[2])?;
        self.write_open(open, &[range], Some(a[3]))
    }

    /// readv(2).
    pub(crate) fn sys_readv(&mut self, a: Arguments) -> Done {
        let open = self.readable(a[0])?;
        let ranges = self.ranges(a[1], a[2])?;
        if total(&ranges) == 0 {
            return Ok(0);
        }
        self.read_open(open, &ranges, None)
    }

    /// writev(2).
    pub(crate) fn sys_writev(&mut self, a: Arguments) -> Done {
        let open = self.writable(a[0])?;
        let ranges = self.ranges(a[1], a[2])?;
        if total(&ranges) == 0 {
            return Ok(0);
        }
        self.write_open(open, &ranges, None)
    }

    /// preadv(2).
    pub(crate) fn sys_preadv(&mut self, a: Arguments) -> Done {
        if (a[3] as i64) < 0 {
            return fail(EINVAL);
        }
        let fd = self.fd(a[0] as i32)?.open;
        self.seekable(fd)?;
        let open = self.readable(a[0])?;
        let ranges = self.ranges(a[1], a[2])?;
        self.read_open(open, &ranges, Some(a[3]))
    }

    /// pwritev(2).
    pub(crate) fn sys_pwritev(&mut self, a: Arguments) -> Done {
        if (a[3] as i64) < 0 {
            return fail(EINVAL);
        }
        let fd = self.fd(a[0] as i32)?.open;
        self.seekable(fd)?;
        let open = self.writable(a[0])?;
        let ranges = self.ranges(a[1], a[2])?;
        self.write_open(open, &ranges, Some(a[3]))
    }

    /// preadv2(2), without flags: EOPNOTSUPP.
    pub(crate) fn sys_preadv2(&mut self, a: Arguments) -> Done {
        match (a[5], a[3] as i64) {
            (0, -1) => self.sys_readv(a),
            (0, _) => self.sys_preadv(a),
            _ => fail(EOPNOTSUPP),
        }
    }

    /// pwritev2(2), without flags: EOPNOTSUPP.
    pub(crate) fn sys_pwritev2(&mut self, a: Arguments) -> Done {
        match (a[5], a[3] as i64) {
            (0, -1) => self.sys_writev(a),
            (0, _) => self.sys_pwritev(a),
            _ => fail(EOPNOTSUPP),
        }
    }
}
