//! Errors of rustix in the words of [`formats::errno`].

use core::fmt;
use formats::say;
use formats::say::{Display, LineBuf};
use rustix::io::Errno;

/// An error number as a person reads it. Source: errno(3).
pub struct Text(pub Errno);

impl Text {
    fn known(&self) -> Option<&'static str> {
        formats::errno::text(self.0.raw_os_error())
    }
}

impl Display for Text {
    fn say(self, words: &mut LineBuf) {
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
