//! What the errors say that a step's set-up can really meet; the others keep their numbers.

use core::fmt;
use formats::say;
use formats::say::{Say, Words};
use rustix::io::Errno;

/// An error number as a person reads it. Source: errno(3).
pub struct Text(pub Errno);

impl Text {
    fn known(&self) -> Option<&'static str> {
        Some(match self.0 {
            Errno::PERM => "operation not permitted",
            Errno::NOENT => "no such file or directory",
            Errno::TOOBIG => "too long",
            Errno::NOEXEC => "not a program that this kernel can run",
            Errno::AGAIN => "resource temporarily unavailable",
            Errno::NOMEM => "out of memory",
            Errno::ACCESS => "permission denied",
            Errno::EXIST => "exists already",
            Errno::NOTDIR => "not a directory",
            Errno::INVAL => "invalid argument",
            Errno::NOSPC => "no space left",
            Errno::ROFS => "read-only file system",
            Errno::NAMETOOLONG => "name too long",
            Errno::LOOP => "a symbolic link on the way",
            _ => return None,
        })
    }
}

impl Say for Text {
    fn say(self, words: &mut Words) {
        match self.known() {
            Some(text) => text.say(words),
            None => say!(words, "error ", self.0.raw_os_error() as u32),
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.known() {
            Some(text) => f.write_str(text),
            None => write!(f, "error {}", self.0.raw_os_error()),
        }
    }
}
