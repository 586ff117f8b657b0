//! What can be read and written without a wait, and who is waiting for it. Source: poll(2).

use super::Arguments;
use crate::errno::{EINVAL, Errno};
use crate::kernel::{Done, Kernel, Object, State, Wait};
use crate::platform::Platform;

pub(super) const IN: u32 = 1;
pub(super) const OUT: u32 = 4;
pub(super) const ERR: u32 = 8;
pub(super) const HUP: u32 = 0x10;
pub(super) const INVALID: u32 = 0x20;
pub(super) const READ_NORMAL: u32 = 0x40;
pub(super) const WRITE_NORMAL: u32 = 0x100;
pub(super) const READ_HUP: u32 = 0x2000;

const READS: u32 = IN | READ_NORMAL;
const WRITES: u32 = OUT | WRITE_NORMAL;

impl<P: Platform> Kernel<P> {
    /// The events of a description, as poll(2) numbers them.
    pub(super) fn ready(&self, id: u32) -> Result<u32, Errno> {
        let open = self.opens.get(id)?;
        if open.flags & super::transfer::O_PATH != 0 {
            return Ok(INVALID);
        }
        let when = |condition: bool, events: u32| if condition { events } else { 0 };
        Ok(match open.object {
            Object::Node(_) | Object::Text(..) | Object::Log => READS | WRITES,
            Object::Pipe(pipe, reads, writes) => {
                let pipe = self.pipes.get(pipe)?;
                let room = pipe.size.saturating_sub(pipe.bytes.len()) >= 4096;
                when(reads && !pipe.bytes.is_empty(), READS)
                    | when(reads && pipe.writers == 0, HUP)
                    | when(writes && room, WRITES)
                    | when(writes && pipe.readers == 0, ERR)
            }
            Object::Socket(socket) => self.socket_ready(socket)?,
            Object::Event(event) => {
                let count = self.events.get(event)?.count;
                when(count > 0, READS) | when(count < u64::MAX - 1, WRITES)
            }
            Object::Timer(timer) => when(self.timer_fds.get(timer)?.fired > 0, READS),
            Object::Signal(set) => when(self.pending_in(set)?, READS),
            Object::Epoll(epoll) => when(self.epoll_ready(epoll, 4), READS),
            Object::Process(process) => {
                let gone = self
                    .processes
                    .get(&process)
                    .is_none_or(|process| matches!(process.state, State::Zombie(_)));
                when(gone, READS)
            }
        })
    }

    /// Whether a signal of a set waits for the current thread.
    fn pending_in(&self, set: u64) -> Result<bool, Errno> {
        let waits = |info: &crate::kernel::Info| crate::kernel::signal::bit(info.signal) & set != 0;
        let thread = self.threads.get(&self.current);
        Ok(self.me()?.pending.iter().any(waits)
            || thread.is_some_and(|thread| thread.pending.iter().any(waits)))
    }

    /// A pipe changed: those who wait for it are woken, and epoll instances report it anew.
    pub(super) fn stir(&mut self, pipe: u32) {
        if self.epolls.numbers().end > 0 {
            self.stir_epolls(|kernel, open| match kernel.opens.get(open).map(|open| &open.object) {
                Ok(&Object::Pipe(id, ..)) => id == pipe,
                Ok(&Object::Socket(socket)) => kernel.uses_pipe(socket, pipe),
                _ => false,
            });
        }
        self.wake(Wait::Pipe(pipe));
    }

    /// What a description stands for changed.
    pub(super) fn stir_open(&mut self, open: u32) {
        if self.epolls.numbers().end > 0 {
            self.stir_epolls(|_, id| id == open);
        }
        self.wake(Wait::Any);
    }

    /// A socket's messages or connections changed.
    pub(super) fn stir_socket(&mut self, socket: u32) {
        if self.epolls.numbers().end > 0 {
            self.stir_epolls(|kernel, open| {
                matches!(kernel.opens.get(open).map(|open| &open.object), Ok(&Object::Socket(id)) if id == socket)
            });
        }
        self.wake(Wait::Any);
    }

    fn stir_epolls(&mut self, concerns: impl Fn(&Self, u32) -> bool) {
        for number in self.epolls.numbers() {
            let Ok(epoll) = self.epolls.get(number) else { continue };
            let keys: alloc::vec::Vec<(u32, u32)> =
                epoll.entries.keys().filter(|key| concerns(self, key.1)).copied().collect();
            let Ok(epoll) = self.epolls.get_mut(number) else { continue };
            for key in keys {
                if let Some(entry) = epoll.entries.get_mut(&key) {
                    entry.last = 0;
                }
            }
        }
    }

    /// sched_yield(2): the others that can run come first.
    pub(crate) fn sys_sched_yield(&mut self, _: Arguments) -> Done {
        self.answer(0);
        self.make_ready(self.current);
        Err(crate::kernel::Stop::RESUME)
    }

    /// A set of signals for ppoll(2) and the like. EINVAL, EFAULT.
    pub(super) fn wait_mask(&mut self, at: u64, size: u64) -> Result<(), Errno> {
        if at == 0 {
            return Ok(());
        }
        if size != 8 {
            return Err(EINVAL);
        }
        let mask = self.get64(at)?;
        self.begin_mask(mask)
    }
}
