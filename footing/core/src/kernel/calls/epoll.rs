//! epoll(7). A descriptor that is triggered by edges is reported anew whenever what it stands for changes.

use super::ready::{ERR, HUP};
use super::{Arguments, fail};
use crate::errno::{EBADF, EEXIST, EFAULT, EINTR, EINVAL, ELOOP, ENOENT, EPERM, Errno};
use crate::kernel::object::Interest;
use crate::kernel::{Done, Epoll, Kernel, Object, Stop};
use crate::platform::Platform;
use crate::tree::Kind;
use alloc::vec::Vec;

const O_CLOEXEC: u64 = 0o200_0000;
const ET: u32 = 1 << 31;
const ONESHOT: u32 = 1 << 30;
const EXCLUSIVE: u32 = 1 << 28;
const SECOND: i64 = 1_000_000_000;

impl<P: Platform> Kernel<P> {
    /// epoll_create(2).
    pub(crate) fn sys_epoll_create(&mut self, a: Arguments) -> Done {
        if a[0] as i32 <= 0 { fail(EINVAL) } else { self.sys_epoll_create1([0; 6]) }
    }

    /// epoll_create1(2).
    pub(crate) fn sys_epoll_create1(&mut self, a: Arguments) -> Done {
        if a[0] & !O_CLOEXEC & 0xffff_ffff != 0 {
            return fail(EINVAL);
        }
        let epoll = self.epolls.add(Epoll::default())?;
        let open = self.new_open(Object::Epoll(epoll), 2, b"")?;
        Ok(self.install(open, 0, a[0] & O_CLOEXEC != 0)?)
    }

    fn epoll_of(&self, fd: u64) -> Result<u32, Errno> {
        match self.open_of(fd as i32)?.object {
            Object::Epoll(epoll) => Ok(epoll),
            _ => Err(EINVAL),
        }
    }

    /// epoll_ctl(2).
    pub(crate) fn sys_epoll_ctl(&mut self, a: Arguments) -> Done {
        let operation = a[1] as i32;
        let (events, data) = match operation {
            2 => (0, 0),
            _ => (self.get32(a[3])?, self.get64(a[3] + 4)?),
        };
        self.fd(a[0] as i32)?;
        let open = self.fd(a[2] as i32)?.open;
        let pollable = match self.opens.get(open)?.object {
            Object::Node(node) => !matches!(
                self.tree.get(node)?.kind,
                Kind::File(_) | Kind::Folder(_) | Kind::Device(1, 3 | 5 | 7)
            ),
            Object::Text(..) => false,
            _ => true,
        };
        if !pollable {
            return fail(EPERM);
        }
        let epoll = self.epoll_of(a[0])?;
        if self.fd(a[0] as i32)?.open == open {
            return fail(EINVAL);
        }
        if let Object::Epoll(inner) = self.opens.get(open)?.object
            && operation == 1
            && self.leads_to(inner, epoll, 5)
        {
            return fail(ELOOP);
        }
        let key = (a[2] as u32, open);
        let interest = Interest { events: events | ERR | HUP, data, last: 0, off: false };
        let entries = &mut self.epolls.get_mut(epoll)?.entries;
        match operation {
            1 if entries.contains_key(&key) => return fail(EEXIST),
            1 => drop(entries.insert(key, interest)),
            2 => drop(entries.remove(&key).ok_or(ENOENT)?),
            3 if events & EXCLUSIVE != 0 => return fail(EINVAL),
            3 => *entries.get_mut(&key).ok_or(ENOENT)? = interest,
            _ => return fail(EINVAL),
        }
        self.wake(crate::kernel::Wait::Any);
        Ok(0)
    }

    /// Whether an epoll instance watches another one, at most so deep.
    fn leads_to(&self, from: u32, to: u32, depth: u32) -> bool {
        if from == to || depth == 0 {
            return true;
        }
        let Ok(epoll) = self.epolls.get(from) else { return false };
        epoll.entries.keys().any(|key| match self.opens.get(key.1).map(|open| &open.object) {
            Ok(&Object::Epoll(inner)) => self.leads_to(inner, to, depth - 1),
            _ => false,
        })
    }

    /// Whether an epoll instance has something to report. Instances are looked into so deep.
    pub(super) fn epoll_ready(&self, id: u32, depth: u32) -> bool {
        let Ok(epoll) = self.epolls.get(id) else { return false };
        epoll.entries.iter().any(|(key, entry)| {
            let ready = match self.opens.get(key.1).map(|open| &open.object) {
                Ok(&Object::Epoll(inner)) => depth > 0 && self.epoll_ready(inner, depth - 1),
                _ => self.ready(key.1).is_ok_and(|ready| ready & entry.events != 0),
            };
            !entry.off && ready
        })
    }

    /// Takes what is ready, at most so many.
    fn collect(&mut self, id: u32, most: usize) -> Result<Vec<(u32, u64)>, Errno> {
        let keys: Vec<(u32, u32)> = self.epolls.get(id)?.entries.keys().copied().collect();
        let mut found = Vec::new();
        for key in keys {
            let ready = self.ready(key.1).unwrap_or(0);
            let Some(entry) = self.epolls.get_mut(id)?.entries.get_mut(&key) else { continue };
            let mask = ready & entry.events;
            let fresh = if entry.events & ET != 0 { mask & !entry.last } else { mask };
            entry.last &= mask;
            if fresh == 0 || entry.off || found.len() >= most {
                continue;
            }
            entry.last = mask;
            entry.off = entry.events & ONESHOT != 0;
            found.push((mask, entry.data));
        }
        Ok(found)
    }

    fn wait_epoll(&mut self, a: Arguments, once: bool) -> Done {
        self.fd(a[0] as i32)?;
        let most = a[2] as i32;
        if most <= 0 || most > 1 << 26 {
            return fail(EINVAL);
        }
        let epoll = self.epoll_of(a[0]).map_err(|errno| if errno == EBADF { EBADF } else { EINVAL })?;
        let found = self.collect(epoll, most as usize)?;
        if found.is_empty() {
            return self.wait_any(once);
        }
        let mut bytes = Vec::with_capacity(found.len() * 12);
        for (events, data) in &found {
            bytes.extend_from_slice(&events.to_le_bytes());
            bytes.extend_from_slice(&data.to_le_bytes());
        }
        self.store(a[1], &bytes).map_err(|_| EFAULT)?;
        Ok(found.len() as u64)
    }

    /// epoll_wait(2).
    pub(crate) fn sys_epoll_wait(&mut self, a: Arguments) -> Done {
        let timeout = a[3] as i32;
        self.timeout_after(u64::try_from(timeout).ok().map(|timeout| timeout * 1_000_000));
        self.wait_epoll(a, timeout == 0)
    }

    /// epoll_pwait(2).
    pub(crate) fn sys_epoll_pwait(&mut self, a: Arguments) -> Done {
        let timeout = a[3] as i32;
        self.timeout_after(u64::try_from(timeout).ok().map(|timeout| timeout * 1_000_000));
        self.wait_mask(a[4], a[5])?;
        let done = self.wait_epoll(a, timeout == 0);
        self.end_epoll(done)
    }

    /// epoll_pwait2(2): the timeout is a `struct timespec` of 64 bits.
    pub(crate) fn sys_epoll_pwait2(&mut self, a: Arguments) -> Done {
        let timeout = match a[3] {
            0 => None,
            at => {
                let compat = core::mem::replace(&mut self.compat, false);
                let time = self.get_time(at, SECOND);
                self.compat = compat;
                Some(time?)
            }
        };
        self.timeout_after(timeout);
        self.wait_mask(a[4], a[5])?;
        let done = self.wait_epoll(a, timeout == Some(0));
        self.end_epoll(done)
    }

    fn end_epoll(&mut self, done: Done) -> Done {
        if !matches!(done, Err(Stop::BLOCK | Stop(EINTR))) {
            self.end_mask();
        }
        done
    }
}
