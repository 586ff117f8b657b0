//! System calls: two tables of numbers, and one file for each family. Each call says which part of its man page holds.

mod attributes;
mod bytes;
mod clone;
mod compat;
mod control;
mod copy;
mod descriptor;
mod directories;
mod epoll;
mod exec;
mod fifo;
mod futex;
mod identity;
mod links;
mod locks;
mod mapping;
mod memory;
mod names;
mod open;
mod pipes;
mod prctl;
mod process;
mod ready;
mod remap;
mod rename;
mod seals;
mod shared;
mod signal;
mod signal32;
mod signalfd;
mod sizes;
mod sockets;
mod special;
mod splice;
mod stat;
mod statfs;
mod system;
mod table32;
mod table64;
mod time;
mod timers;
mod transfer;
mod wait;
mod waiting;

use super::{Done, Kernel, Pending, Stop};
use crate::errno::{EFAULT, EINVAL, ENOSYS, EPERM, Errno};
use crate::platform::{Platform, Table};
use alloc::vec::Vec;

/// What a call is called with.
pub(crate) type Arguments = [u64; 6];

/// A range of a program's memory: its start and its length.
pub(crate) type Range = (u64, u64);

/// A range's length that no call may exceed (`UIO_MAXIOV`).
const MAX_RANGES: u64 = 1024;

impl<P: Platform> Kernel<P> {
    /// Answers a call.
    pub(crate) fn dispatch(&mut self, pending: Pending) -> Done {
        let calls = match pending.table {
            Table::X86_64 => Self::CALLS_64,
            Table::I386 => Self::CALLS_32,
        };
        match calls.methods.get(pending.number as usize) {
            Some(Some(method)) => method(self, pending.arguments),
            _ => {
                let named = calls.absent.iter().find(|call| u32::from(call.0) == pending.number);
                self.unknown(named.map_or("a call without a name", |call| call.1))
            }
        }
    }

    /// ENOSYS for a call that is not there; its name is printed on the console.
    pub(crate) fn unknown(&mut self, name: &'static str) -> Done {
        if !self.unknown.contains(&name) {
            self.unknown.push(name);
        }
        fail(ENOSYS)
    }

    /// A call that no step may make: EPERM.
    fn sys_forbidden(&mut self, _: Arguments) -> Done {
        fail(EPERM)
    }

    /// A `long` that has a sign.
    pub(crate) fn signed(&self, value: u64) -> i64 {
        if self.compat { i64::from(value as i32) } else { value as i64 }
    }

    /// Answers a call of i386 whose structures are those of x86-64.
    pub(crate) fn wide(&mut self, call: fn(&mut Self, Arguments) -> Done, a: Arguments) -> Done {
        let compat = core::mem::replace(&mut self.compat, false);
        let done = call(self, a);
        self.compat = compat;
        done
    }

    /// The ranges of an array of `struct iovec`. EINVAL, EFAULT.
    pub(crate) fn ranges(&mut self, at: u64, count: u64) -> Result<Vec<Range>, Errno> {
        if count > MAX_RANGES {
            return Err(EINVAL);
        }
        let mut ranges = Vec::with_capacity(count as usize);
        let mut sum = 0_u64;
        for index in 0..count {
            let start = self.get_long(at, 2 * index)?;
            let length = self.get_signed(at, 2 * index + 1)?;
            if length < 0 {
                return Err(EINVAL);
            }
            self.check_range(start, length as u64)?;
            let length = (length as u64).min(super::user::MAX_MOVE - sum);
            sum += length;
            ranges.push((start, length));
        }
        Ok(ranges)
    }

    /// EFAULT for a range that no program could have.
    pub(crate) fn check_range(&self, start: u64, length: u64) -> Result<(), Errno> {
        match start.checked_add(length) {
            Some(end) if end <= 1 << 47 => Ok(()),
            _ => Err(EFAULT),
        }
    }
}

/// How many bytes ranges have together.
pub(crate) fn total(ranges: &[Range]) -> u64 {
    ranges.iter().fold(0, |sum: u64, range| sum.saturating_add(range.1))
}

/// The part of ranges that is left behind so many bytes, at most so many bytes long.
pub(crate) fn part(ranges: &[Range], mut skip: u64, mut most: u64) -> Vec<Range> {
    let mut rest = Vec::with_capacity(ranges.len());
    for &(start, length) in ranges {
        let left = length.saturating_sub(skip).min(most);
        if left > 0 {
            rest.push((start.wrapping_add(skip), left));
        }
        skip = skip.saturating_sub(length);
        most -= left;
    }
    rest
}

/// An error as a call's result.
pub(crate) fn fail<T>(errno: Errno) -> Result<T, Stop> {
    Err(Stop(errno))
}
