//! Footing's own calls in a stopped guest process: mappings and copies.
#![allow(unsafe_code, reason = "the list is a page that guests see too")]

use libc::pid_t;

use crate::trace::{self, Gone, Status};
use crate::{Error, stub};

/// Why a list of calls was not carried out whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The process is gone.
    Gone,
    /// The host refused a call with this error number, or the process did something else.
    Refused(i32),
}

impl From<Gone> for Stopped {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

/// The page that lists calls, and the secret that lets them through.
pub struct List {
    /// A memfd: the list's page, then the stub's.
    pub fd: i32,
    page: *mut u64,
    secret: u64,
    /// Calls made so far.
    pub made: u64,
}

impl List {
    /// A list with a secret of its own.
    pub fn new() -> Result<Self, Error> {
        let mut secret = 0_u64;
        // SAFETY: the kernel fills eight bytes of ours; the other calls take constants and numbers.
        let (filled, fd) = unsafe {
            let filled = libc::getrandom((&raw mut secret).cast(), 8, 0);
            (filled, libc::memfd_create(c"footing-list".as_ptr(), 0))
        };
        if filled != 8 {
            return Err(Error::last("getrandom"));
        }
        if fd < 0 {
            return Err(Error::last("memfd_create"));
        }
        let code = stub::code();
        // SAFETY: the kernel reads `code`; the mapping is a new one.
        let page = unsafe {
            if libc::ftruncate(fd, 8192) != 0
                || libc::pwrite(fd, code.as_ptr().cast(), code.len(), 4096) != code.len() as isize
            {
                return Err(Error::last("ftruncate"));
            }
            libc::mmap(
                std::ptr::null_mut(),
                4096,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                fd,
                0,
            )
        };
        if page == libc::MAP_FAILED {
            return Err(Error::last("mmap"));
        }
        Ok(Self { fd, page: page.cast(), secret, made: 0 })
    }

    /// The secret, for the filter.
    pub fn secret(&self) -> u64 {
        self.secret
    }

    fn fill(&mut self, calls: &[stub::Call]) {
        for (i, call) in calls.iter().enumerate() {
            // SAFETY: a list has at most `stub::CALLS` calls of `stub::WORDS` words, which with the end mark fit into the page.
            unsafe {
                std::ptr::copy_nonoverlapping(call.as_ptr(), self.page.add(i * stub::WORDS), call.len())
            };
        }
        // SAFETY: as above.
        unsafe { self.page.add(calls.len() * stub::WORDS).write_volatile(stub::END) };
    }

    /// Guests read the page: what is not needed does not stand there.
    fn empty(&mut self, calls: usize) {
        // SAFETY: within the page, as in `fill`.
        unsafe { std::ptr::write_bytes(self.page, 0, calls * stub::WORDS + 1) };
    }

    /// Makes calls in a stopped process, whose registers are lost; the last call's result.
    pub fn make(&mut self, pid: pid_t, calls: &[stub::Call]) -> Result<u64, Stopped> {
        self.make_at(pid, stub::CODE, stub::LIST, calls)
    }

    /// Lets the page hold a filter at [`stub::PROGRAM`] as `struct sock_fprog`, for a process that has the page at `list`.
    pub fn put_program(&mut self, list: u64, program: &[libc::sock_filter]) {
        let at = stub::PROGRAM / 8;
        assert!(
            stub::PROGRAM + 16 + 8 * program.len() <= 4096 && stub::CALLS * stub::WORDS < at,
            "no room for a filter"
        );
        // SAFETY: within the page, as asserted; an instruction has eight bytes.
        unsafe {
            self.page.add(at).write(program.len() as u64);
            self.page.add(at + 1).write(list + stub::PROGRAM as u64 + 16);
            std::ptr::copy_nonoverlapping(program.as_ptr().cast(), self.page.add(at + 2), program.len());
        }
    }

    /// Takes all from the page.
    pub fn clear(&mut self) {
        // SAFETY: the page is as large.
        unsafe { std::ptr::write_bytes(self.page, 0, 512) };
    }

    /// As [`make`](Self::make), with the stub and its list elsewhere.
    pub fn make_at(
        &mut self,
        pid: pid_t,
        code: u64,
        list: u64,
        calls: &[stub::Call],
    ) -> Result<u64, Stopped> {
        let mut last = 0;
        for part in calls.chunks(stub::CALLS) {
            self.fill(part);
            self.made += part.len() as u64;
            let result = self.once(pid, code, list);
            self.empty(part.len());
            last = result?;
        }
        Ok(last)
    }

    fn once(&mut self, pid: pid_t, code: u64, list: u64) -> Result<u64, Stopped> {
        let mut registers = trace::empty();
        (registers.rip, registers.rbx) = (code, list);
        (registers.r12, registers.r13) = (self.secret, self.secret << 32);
        registers.r14 = self.secret & 0xffff_ffff_0000_0000;
        (registers.cs, registers.ss, registers.eflags, registers.orig_rax) = (0x33, 0x2b, 0x202, u64::MAX);
        trace::set_registers(pid, &registers)?;
        loop {
            trace::resume(pid)?;
            match trace::wait(pid) {
                Status::Ended | Status::Exited(_) => return Err(Stopped::Gone),
                Status::Signal(libc::SIGTRAP) => break,
                Status::Signal(libc::SIGSTOP) => {}
                Status::Signal(_) => return Err(Stopped::Refused(libc::EPERM)),
            }
        }
        let after = trace::registers(pid)?;
        if after.rax == stub::END && after.rbx != list {
            return Ok(after.r15);
        }
        Err(Stopped::Refused((after.rax as i64).wrapping_neg() as i32))
    }
}

impl Drop for List {
    fn drop(&mut self) {
        // SAFETY: page and descriptor are ours.
        unsafe {
            libc::munmap(self.page.cast(), 4096);
            libc::close(self.fd);
        }
    }
}
