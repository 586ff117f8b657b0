//! Locks of files. Source: flock(2), fcntl(2) "Advisory record locking" and "Open file description locks".

use super::{Arguments, fail};
use crate::errno::{EAGAIN, EBADF, EDEADLK, EINVAL, EOVERFLOW, Errno};
use crate::kernel::{Done, Kernel, Lock, Locked, Wait};
use crate::platform::Platform;

const READ: u16 = 0;
const WRITE: u16 = 1;
const UNLOCK: u16 = 2;

/// A `struct flock` of one of three layouts.
struct Asked {
    kind: u16,
    whence: u16,
    start: i64,
    length: i64,
}

impl<P: Platform> Kernel<P> {
    /// flock(2).
    pub(crate) fn sys_flock(&mut self, a: Arguments) -> Done {
        const LOCK_NB: u64 = 4;
        let fd = self.fd(a[0] as i32)?;
        let open = self.opens.get(fd.open)?;
        if open.flags & super::transfer::O_PATH != 0 {
            return fail(EBADF);
        }
        let write = match a[1] & !LOCK_NB & 0xffff_ffff {
            1 => Some(false),
            2 => Some(true),
            8 => None,
            _ => return fail(EINVAL),
        };
        let (on, owner) = (open.object.locked(), Ok(fd.open));
        let Some(write) = write else {
            self.locks.retain(|lock| !(lock.whole && lock.on == on && lock.owner == owner));
            self.wake(Wait::Lock);
            return Ok(0);
        };
        let lock = Lock { on, owner, write, whole: true, start: 0, end: u64::MAX };
        if self.conflict(&lock).is_some() {
            // A lock that is converted is let go of first.
            self.locks.retain(|old| !(old.whole && old.on == on && old.owner == owner));
            return if a[1] & LOCK_NB != 0 { fail(EAGAIN) } else { self.wait(Wait::Lock) };
        }
        self.locks.retain(|old| !(old.whole && old.on == on && old.owner == owner));
        self.locks.push(lock);
        self.wake(Wait::Lock);
        Ok(0)
    }

    /// The first lock that keeps another from being had.
    fn conflict(&self, lock: &Lock) -> Option<Lock> {
        self.locks
            .iter()
            .filter(|other| other.on == lock.on && other.whole == lock.whole && other.owner != lock.owner)
            .filter(|other| (other.write || lock.write) && other.start < lock.end && lock.start < other.end)
            .min_by_key(|other| other.start)
            .copied()
    }

    fn asked(&mut self, at: u64, large: bool) -> Result<Asked, Errno> {
        let head = self.get32(at)?;
        let (start, length) = match (self.compat, large) {
            (false, _) => (self.get64(at + 8)? as i64, self.get64(at + 16)? as i64),
            (true, true) => (self.get64(at + 4)? as i64, self.get64(at + 12)? as i64),
            (true, false) => (i64::from(self.get32(at + 4)? as i32), i64::from(self.get32(at + 8)? as i32)),
        };
        Ok(Asked { kind: head as u16, whence: (head >> 16) as u16, start, length })
    }

    fn show(&mut self, at: u64, large: bool, lock: Option<Lock>) -> Result<(), Errno> {
        let Some(lock) = lock else { return self.store(at, &UNLOCK.to_le_bytes()) };
        let kind = u32::from(lock.write);
        let length = if lock.end > i64::MAX as u64 { 0 } else { lock.end - lock.start };
        let pid = lock.owner.err().unwrap_or(-1) as u32;
        self.put32(at, kind)?;
        match (self.compat, large) {
            (false, _) => {
                self.put64(at + 8, lock.start)?;
                self.put64(at + 16, length)?;
                self.put32(at + 24, pid)
            }
            (true, true) => {
                self.put64(at + 4, lock.start)?;
                self.put64(at + 12, length)?;
                self.put32(at + 20, pid)
            }
            (true, false) => {
                self.put32(at + 4, lock.start as u32)?;
                self.put32(at + 8, length as u32)?;
                self.put32(at + 12, pid)
            }
        }
    }

    /// F_GETLK, F_SETLK, F_SETLKW; the same of open file descriptions; 64 bits of i386.
    pub(super) fn record_lock(&mut self, a: Arguments) -> Done {
        let command = a[1] as u32;
        let large = matches!(command, 12..=14 | 36..=38);
        let fd = self.fd(a[0] as i32)?;
        let open = self.opens.get(fd.open)?;
        let (reads, writes, offset) = (open.reads(), open.writes(), open.offset);
        let on = open.object.locked();
        let asked = self.asked(a[2], large)?;
        let described = matches!(command, 36..=38);
        let owner = if described { Ok(fd.open) } else { Err(self.me()?.id) };
        let (start, end) = self.extent(on, offset, &asked)?;
        let get = matches!(command, 5 | 12 | 36);
        match asked.kind {
            READ if !get && !reads => return fail(EBADF),
            WRITE if !get && !writes => return fail(EBADF),
            READ | WRITE => {}
            UNLOCK if !get => {
                self.carve(on, owner, start, end);
                self.wake(Wait::Lock);
                return Ok(0);
            }
            _ => return fail(EINVAL),
        }
        let lock = Lock { on, owner, write: asked.kind == WRITE, whole: false, start, end };
        let other = self.conflict(&lock);
        if get {
            self.show(a[2], large, other)?;
            return Ok(0);
        }
        if let Some(other) = other {
            if !matches!(command, 7 | 14 | 38) {
                return fail(EAGAIN);
            }
            if !described && self.circle(other, self.me()?.id) {
                return fail(EDEADLK);
            }
            return self.wait(Wait::Lock);
        }
        self.carve(on, owner, start, end);
        self.locks.push(lock);
        self.join(on, owner);
        self.wake(Wait::Lock);
        Ok(0)
    }

    /// Whether the owner of a lock waits itself for this process. Only pairs are found.
    fn circle(&self, other: Lock, me: i32) -> bool {
        let Err(process) = other.owner else { return false };
        self.threads.values().any(|thread| {
            thread.process == process
                && thread.wait == Some(Wait::Lock)
                && self.locks.iter().any(|lock| lock.owner == Err(me))
        })
    }

    /// The bytes that a lock covers. EINVAL, EOVERFLOW.
    fn extent(&self, on: Locked, offset: u64, asked: &Asked) -> Result<(u64, u64), Errno> {
        let base = match asked.whence {
            0 => 0,
            1 => offset as i64,
            2 => match on {
                Locked::Node(node) => self.tree.file(node).map_or(0, |file| file.size) as i64,
                _ => 0,
            },
            _ => return Err(EINVAL),
        };
        let start = base.checked_add(asked.start).ok_or(EOVERFLOW)?;
        let (start, end) = match asked.length {
            0 => (start, i64::MAX),
            1.. => (start, start.checked_add(asked.length).ok_or(EOVERFLOW)?),
            _ => (start.checked_add(asked.length).ok_or(EINVAL)?, start),
        };
        if start < 0 {
            return Err(EINVAL);
        }
        let end = if asked.length == 0 { u64::MAX } else { end as u64 };
        Ok((start as u64, end))
    }

    /// Takes a range out of an owner's locks of a file.
    fn carve(&mut self, on: Locked, owner: Result<u32, i32>, start: u64, end: u64) {
        let mut kept = alloc::vec::Vec::with_capacity(self.locks.len() + 1);
        for lock in self.locks.drain(..) {
            if lock.whole || lock.on != on || lock.owner != owner || lock.end <= start || end <= lock.start {
                kept.push(lock);
                continue;
            }
            if lock.start < start {
                kept.push(Lock { end: start, ..lock });
            }
            if end < lock.end {
                kept.push(Lock { start: end, ..lock });
            }
        }
        self.locks = kept;
    }

    /// Joins an owner's locks that touch and are alike, so that F_GETLK shows one.
    fn join(&mut self, on: Locked, owner: Result<u32, i32>) {
        let mine = |lock: &Lock| !lock.whole && lock.on == on && lock.owner == owner;
        let mut own = crate::map::Map::new();
        for lock in self.locks.iter().filter(|lock| mine(lock)) {
            own.insert(lock.start, *lock);
        }
        self.locks.retain(|lock| !mine(lock));
        let mut joined: alloc::vec::Vec<Lock> = alloc::vec::Vec::with_capacity(own.len());
        for &lock in own.values() {
            match joined.last_mut() {
                Some(last) if last.end == lock.start && last.write == lock.write => last.end = lock.end,
                _ => joined.push(lock),
            }
        }
        self.locks.extend(joined);
    }
}
