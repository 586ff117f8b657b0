//! Events: lines that start with `@`, written by nobody but PID 1.
//!
//! ```text
//! @ groundup 1 SHA256                     the plan's hash; first
//! @ input NAME SHA256                     verified
//! @ input NAME unverified                 nobody asks: the plan says so
//! @ bad-input NAME REASON…                or not; the steps that use it are skipped
//! @ step NAME                             starts; what its builder prints follows, each line marked `| `
//! @ output NAME SHA256 SIZE OFFSET        of its NAR; OFFSET in the export region, `-` without one, `full` if it did not fit
//! @ reference OUTPUT NAME                the output, told next, holds the hash of NAME, which is in the store
//! @ built NAME MILLISECONDS
//! @ failed NAME MILLISECONDS REASON…
//! @ skipped NAME REASON…
//! @ end BUILT FAILED SKIPPED              last
//! @ fatal REASON…                         last: PID 1 can't go on
//! ```
//! A line that starts otherwise is the kernel's.
#![allow(unsafe_code)]

use formats::nar::Sink;
use formats::say::LineBuf;

/// Prints an event.
#[macro_export]
macro_rules! event {
    ($($part:expr),+) => {{
        let mut words = formats::say::LineBuf::new();
        formats::say!(&mut words, "@ ", $($part),+);
        $crate::console::event(&mut words);
    }};
}

/// The console is descriptor 1 from [`crate::machine::mount`] on.
pub struct Console;

impl Sink for Console {
    fn write(&mut self, mut bytes: &[u8]) {
        // There is nobody to tell that the console failed.
        while !bytes.is_empty()
            && let Ok(length) = rustix::io::write(stdout(), bytes)
        {
            bytes = &bytes[length..];
        }
    }
}

/// Prints an event and waits until it is sent, so that nothing of the kernel's comes in between. Control characters become
/// question marks, since the names of a hostile step's files may be in a reason.
pub fn event(words: &mut LineBuf) {
    Console.write(words.line());
    let _ = crate::sys::drain(stdout());
}

fn stdout() -> rustix::fd::BorrowedFd<'static> {
    // SAFETY: opened by `machine::mount`, and never closed; before that the write fails.
    unsafe { rustix::stdio::stdout() }
}
