//! Events: lines that start with `@`, written by nobody but PID 1.
//!
//! ```text
//! @ groundup 1 SHA256                     the plan's hash; first
//! @ input NAME SHA256                     verified
//! @ bad-input NAME REASON…                or not; the steps that use it are skipped
//! @ step NAME                             starts; what its builder prints follows, each line marked `| `
//! @ output NAME SHA256 SIZE OFFSET        of its NAR; OFFSET in the export region, `-` without one, `full` if it did not fit
//! @ built NAME MILLISECONDS
//! @ failed NAME MILLISECONDS REASON…
//! @ skipped NAME REASON…
//! @ end BUILT FAILED SKIPPED              last
//! @ fatal REASON…                         last: PID 1 can't go on
//! ```
//! A line that starts otherwise is the kernel's.
#![allow(unsafe_code)]

use core::fmt::{self, Write};
use init::log::is_plain;
use init::nar::Sink;
use sha2::Digest as _;

/// Prints an event.
#[macro_export]
macro_rules! event {
    ($($argument:tt)*) => { $crate::console::event(format_args!($($argument)*)) };
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

/// Text that is being put together; what does not fit is cut.
pub struct Words {
    bytes: [u8; 4096],
    /// How many of the bytes are text.
    pub length: usize,
}

impl Words {
    /// No text.
    pub const fn new() -> Words {
        Words { bytes: [0; _], length: 0 }
    }

    /// The text.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Room for text that is read from elsewhere; `length` is then to be set.
    pub fn room(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Write for Words {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = &mut self.bytes[self.length..];
        let length = text.len().min(room.len());
        room[..length].copy_from_slice(&text.as_bytes()[..length]);
        self.length += length;
        Ok(())
    }
}

/// Prints an event and waits until it is sent, so that nothing of the kernel's comes in between. Control characters become
/// question marks, since the names of a hostile step's files may be in a reason.
pub fn event(arguments: fmt::Arguments<'_>) {
    let mut words = Words::new();
    let _ = write!(words, "@ {arguments}");
    words.bytes[..words.length].iter_mut().filter(|byte| !is_plain(**byte)).for_each(|byte| *byte = b'?');
    words.length = words.length.min(words.bytes.len() - 1);
    words.bytes[words.length] = b'\n';
    Console.write(&words.bytes[..=words.length]);
    let _ = crate::sys::drain(stdout());
}

fn stdout() -> rustix::fd::BorrowedFd<'static> {
    // SAFETY: opened by `machine::mount`, and never closed; before that the write fails.
    unsafe { rustix::stdio::stdout() }
}

/// The sha256 of bytes, as it is printed.
pub fn hash(bytes: &[u8]) -> impl fmt::Display {
    digest(&sha2::Sha256::digest(bytes).into())
}

/// A digest, as it is printed.
pub fn digest(digest: &init::hex::Digest) -> impl fmt::Display + use<> {
    Ascii(init::hex::encode(digest))
}

struct Ascii([u8; 64]);

impl fmt::Display for Ascii {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Text(&self.0).fmt(f)
    }
}

/// Bytes of a name or a path as text; what is not ASCII becomes question marks.
pub struct Text<'a>(pub &'a [u8]);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&byte| f.write_char(if byte.is_ascii() { byte.into() } else { '?' }))
    }
}
