//! Descriptors: copied and closed. Source: dup(2), close(2), close_range(2).

use super::{Arguments, fail};
use crate::errno::{EBADF, EINVAL, EMFILE, Errno};
use crate::kernel::{Done, Fd, Kernel};
use crate::platform::Platform;

const O_CLOEXEC: u64 = 0o200_0000;
const RLIMIT_NOFILE: usize = 7;

impl<P: Platform> Kernel<P> {
    /// close(2).
    pub(crate) fn sys_close(&mut self, a: Arguments) -> Done {
        self.close_fd(a[0] as i32)?;
        Ok(0)
    }

    /// close_range(2): CLOSE_RANGE_CLOEXEC; with CLOSE_RANGE_UNSHARE the table is copied if others use it.
    pub(crate) fn sys_close_range(&mut self, a: Arguments) -> Done {
        const UNSHARE: u64 = 2;
        const CLOEXEC: u64 = 4;
        let (first, last, flags) = (a[0] as u32, a[1] as u32, a[2] & 0xffff_ffff);
        if flags & !(UNSHARE | CLOEXEC) != 0 || first > last {
            return fail(EINVAL);
        }
        let table = self.me()?.files;
        if flags & UNSHARE != 0 && self.files.get(table)?.users > 1 {
            let copy = self.copy_files(table)?;
            self.process()?.files = copy;
            self.leave_files(table);
        }
        let table = self.me()?.files;
        let count = self.files.get(table)?.fds.len();
        for fd in first as usize..count.min((last as usize).saturating_add(1)) {
            if flags & CLOEXEC == 0 {
                // EBADF of those that are not open is no error here.
                let _ = self.close_fd(fd as i32);
            } else if let Some(Some(fd)) = self.files.get_mut(table)?.fds.get_mut(fd) {
                fd.cloexec = true;
            }
        }
        Ok(0)
    }

    /// One more use of the description behind a descriptor.
    pub(super) fn share_open(&mut self, fd: i32) -> Result<u32, Errno> {
        let open = self.fd(fd)?.open;
        let place = self.opens.get_mut(open)?;
        place.users = place.users.saturating_add(1);
        Ok(open)
    }

    /// dup(2).
    pub(crate) fn sys_dup(&mut self, a: Arguments) -> Done {
        let open = self.share_open(a[0] as i32)?;
        Ok(self.install(open, 0, false)?)
    }

    /// dup2(2).
    pub(crate) fn sys_dup2(&mut self, a: Arguments) -> Done {
        if a[0] as i32 == a[1] as i32 {
            self.fd(a[0] as i32)?;
            return Ok(u64::from(a[1] as u32));
        }
        self.duplicate(a[0] as i32, a[1] as i32, false)
    }

    /// dup3(2).
    pub(crate) fn sys_dup3(&mut self, a: Arguments) -> Done {
        if a[2] & !O_CLOEXEC & 0xffff_ffff != 0 || a[0] as i32 == a[1] as i32 {
            return fail(EINVAL);
        }
        self.duplicate(a[0] as i32, a[1] as i32, a[2] & O_CLOEXEC != 0)
    }

    fn duplicate(&mut self, from: i32, to: i32, cloexec: bool) -> Done {
        let limit = self.me()?.limits.get(RLIMIT_NOFILE).map_or(1024, |limit| limit.0).min(1 << 20);
        let at = match usize::try_from(to) {
            Ok(at) if (at as u64) < limit => at,
            _ => return fail(EBADF),
        };
        let open = self.share_open(from)?;
        // EBADF if nothing is open there.
        let _ = self.close_fd(to);
        let files = self.files.get_mut(self.me()?.files)?;
        if files.fds.len() <= at {
            files.fds.resize(at + 1, None);
        }
        match files.fds.get_mut(at) {
            Some(place) => *place = Some(Fd { open, cloexec }),
            None => return fail(EMFILE),
        }
        Ok(at as u64)
    }
}
