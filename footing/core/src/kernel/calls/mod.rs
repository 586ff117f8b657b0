//! System calls: a family a file, and the tables of their numbers.

mod clone;
mod exec;
mod prctl;
mod process;
mod signal;
mod signalfd;
mod wait;

use super::{Done, Kernel, Pending};
use crate::errno::{ENOSYS, Errno};
use crate::platform::Platform;

impl<P: Platform> Kernel<P> {
    pub(crate) fn dispatch(&mut self, pending: Pending) -> Done {
        let _ = pending;
        Err(ENOSYS.into())
    }

    pub(crate) fn set_thread_area(&mut self, _: u64, _: bool) -> Result<(), Errno> {
        Err(ENOSYS)
    }

    pub(crate) fn release_socket(&mut self, _: u32) {}

    pub(crate) fn wake_address(&mut self, _: u64, _: u32) {}
}
