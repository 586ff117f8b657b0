//! What is known of each process and thread.

use crate::calls::Path;
use crate::sys;

/// By their number, the highest of which on most machines is half of this.
const SLOTS: usize = 1 << 16;

/// A process or a thread.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Process {
    /// Its number, or 0.
    pid: u64,
    /// The number of its process.
    leader: u64,
    is_alive: u64,
    /// What its looks at the clock took, in nanoseconds, with those of who led to it.
    pub looks: u64,
    /// How many it had itself.
    pub many_looks: u64,
    /// What it waits for: see [`waits`](crate::waits).
    pub wait: Wait,
    /// What is slept in all when its alarm rings, and how long it then is until the next.
    pub alarm: [u64; 2],
}

/// A call that may take time.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Wait {
    /// 0 if there is none.
    pub is_made: u64,
    /// What is slept in all if it ends because its time is over.
    pub until: u64,
    /// What was put in the place of arguments: the second, the third and the fourth as they were.
    pub arguments: [u64; 3],
    /// The time that was asked for, as it was written.
    pub asked: [u64; 2],
}

/// All of them.
pub struct Processes {
    slots: &'static mut [Process],
}

impl Processes {
    /// None.
    pub fn new() -> Processes {
        Processes { slots: sys::table(SLOTS) }
    }

    /// What is known of one.
    pub fn get(&mut self, pid: usize) -> &mut Process {
        &mut self.slots[pid % SLOTS]
    }

    /// What is known of the process that it is a thread of.
    pub fn leader(&mut self, pid: usize) -> &mut Process {
        let leader = self.get(pid).leader as usize;
        self.get(leader)
    }

    /// A new one, which is told of by its parent or by itself, whichever stops first. Neither goes on before.
    pub fn born(&mut self, pid: usize) {
        let known = self.get(pid);
        if known.is_alive != 0 && known.pid == pid as u64 {
            return;
        }
        let mut path = Path::new();
        path.push(b"/proc/").number(pid).push(b"/status\0");
        let mut text = [0; 512];
        let length = sys::content(path.bytes(), &mut text);
        let number = |name: &[u8]| {
            let mut lines = text[..length].split(|&byte| byte == b'\n');
            let digits = lines.find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            digits.iter().fold(0, |number, digit| number * 10 + usize::from(digit & 15))
        };
        let (leader, parent) = (number(b"Tgid:\t"), number(b"PPid:\t"));
        let leader = if leader == 0 { pid } else { leader };
        let parent = *self.get(parent);
        let looks = if parent.is_alive != 0 { parent.looks } else { 0 };
        let new = Process {
            pid: pid as u64,
            leader: leader as u64,
            is_alive: 1,
            looks,
            many_looks: 0,
            wait: Wait::default(),
            alarm: [0; 2],
        };
        *self.get(pid) = new;
    }

    /// One that is no more. What it knew stays for who waits for it.
    pub fn died(&mut self, pid: usize) {
        self.get(pid).is_alive = 0;
    }

    /// A process has waited for a child.
    pub fn joined(&mut self, pid: usize, child: usize) {
        let known = *self.get(child);
        if known.pid == child as u64 {
            let parent = self.leader(pid);
            parent.looks = parent.looks.max(known.looks);
        }
    }
}
