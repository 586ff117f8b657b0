//! Users, groups and capabilities. A step has one user and one group.

use super::{Arguments, fail};
use crate::errno::{EFAULT, EINVAL, EPERM, ESRCH, Errno};
use crate::kernel::{Done, Kernel};
use crate::platform::Platform;

const SAME: u32 = u32::MAX;

impl<P: Platform> Kernel<P> {
    /// getuid(2), geteuid(2).
    pub(crate) fn sys_getuid(&mut self, _: Arguments) -> Done {
        Ok(self.rights().0.into())
    }

    /// getgid(2), getegid(2).
    pub(crate) fn sys_getgid(&mut self, _: Arguments) -> Done {
        Ok(self.rights().1.into())
    }

    /// Whether numbers are those that the step has. For user 0 others are EINVAL, as in a user namespace of one user.
    fn become_same(&self, mine: u32, numbers: &[u64]) -> Done {
        let other = numbers.iter().any(|&number| number as u32 != SAME && number as u32 != mine);
        match () {
            () if !other => Ok(0),
            () if self.rights().0 == 0 => fail(EINVAL),
            () => fail(EPERM),
        }
    }

    /// setuid(2): to the same.
    pub(crate) fn sys_setuid(&mut self, a: Arguments) -> Done {
        if a[0] as u32 == SAME {
            return fail(EINVAL);
        }
        self.become_same(self.rights().0, &a[..1])
    }

    /// setgid(2): to the same.
    pub(crate) fn sys_setgid(&mut self, a: Arguments) -> Done {
        if a[0] as u32 == SAME {
            return fail(EINVAL);
        }
        self.become_same(self.rights().1, &a[..1])
    }

    /// setreuid(2): to the same.
    pub(crate) fn sys_setreuid(&mut self, a: Arguments) -> Done {
        self.become_same(self.rights().0, &a[..2])
    }

    /// setregid(2): to the same.
    pub(crate) fn sys_setregid(&mut self, a: Arguments) -> Done {
        self.become_same(self.rights().1, &a[..2])
    }

    /// setresuid(2): to the same.
    pub(crate) fn sys_setresuid(&mut self, a: Arguments) -> Done {
        self.become_same(self.rights().0, &a[..3])
    }

    /// setresgid(2): to the same.
    pub(crate) fn sys_setresgid(&mut self, a: Arguments) -> Done {
        self.become_same(self.rights().1, &a[..3])
    }

    fn put_three(&mut self, a: Arguments, value: u32) -> Done {
        for &at in &a[..3] {
            self.put32(at, value)?;
        }
        Ok(0)
    }

    /// getresuid(2).
    pub(crate) fn sys_getresuid(&mut self, a: Arguments) -> Done {
        self.put_three(a, self.rights().0)
    }

    /// getresgid(2).
    pub(crate) fn sys_getresgid(&mut self, a: Arguments) -> Done {
        self.put_three(a, self.rights().1)
    }

    /// setfsuid(2): changes nothing.
    pub(crate) fn sys_setfsuid(&mut self, _: Arguments) -> Done {
        Ok(self.rights().0.into())
    }

    /// setfsgid(2): changes nothing.
    pub(crate) fn sys_setfsgid(&mut self, _: Arguments) -> Done {
        Ok(self.rights().1.into())
    }

    /// getgroups(2): none beside the group itself.
    pub(crate) fn sys_getgroups(&mut self, a: Arguments) -> Done {
        if (a[0] as i32) < 0 { fail(EINVAL) } else { Ok(0) }
    }

    /// setgroups(2): EPERM, as where a user namespace denies it.
    pub(crate) fn sys_setgroups(&mut self, _: Arguments) -> Done {
        fail(EPERM)
    }

    /// The version of a `struct __user_cap_header_struct`, and how many words of 32 bits its sets have.
    fn capability_words(&mut self, at: u64) -> Result<Result<u64, Errno>, Errno> {
        Ok(match self.get32(at)? {
            0x1998_0330 => Ok(1),
            0x2007_1026 | 0x2008_0522 => Ok(2),
            _ => {
                self.put32(at, 0x2008_0522)?;
                Err(EINVAL)
            }
        })
    }

    /// capget(2): no capability, but all for user 0.
    pub(crate) fn sys_capget(&mut self, a: Arguments) -> Done {
        let words = match self.capability_words(a[0])? {
            Ok(words) => words,
            Err(_) if a[1] == 0 => return Ok(0),
            Err(errno) => return fail(errno),
        };
        let process = self.get32(a[0] + 4)? as i32;
        if process < 0 {
            return fail(EINVAL);
        }
        if process != 0 && !self.processes.contains_key(&process) && !self.threads.contains_key(&process) {
            return fail(ESRCH);
        }
        if a[1] == 0 {
            return Ok(0);
        }
        let all: [u32; 2] = if self.rights().0 == 0 { [u32::MAX, 0x1ff] } else { [0, 0] };
        for word in 0..words {
            let set = all.get(word as usize).copied().unwrap_or(0);
            for (index, value) in [set, set, 0].into_iter().enumerate() {
                self.put32(a[1] + 12 * word + 4 * index as u64, value).map_err(|_| EFAULT)?;
            }
        }
        Ok(0)
    }

    /// capset(2): nothing can be gained; user 0 may drop what it has, without effect.
    pub(crate) fn sys_capset(&mut self, a: Arguments) -> Done {
        let words = match self.capability_words(a[0])? {
            Ok(words) => words,
            Err(errno) => return fail(errno),
        };
        let mut wanted = 0;
        for word in 0..words * 3 {
            wanted |= self.get32(a[1] + 4 * word)?;
        }
        if wanted != 0 && self.rights().0 != 0 { fail(EPERM) } else { Ok(0) }
    }
}
