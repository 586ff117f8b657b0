//! Events: lines that start with `@`, written by nobody but the runner. Their grammar stands in `qemu/src/event.rs`.

use super::home::Home;
use formats::nar::Sink;

/// Prints an event. Control characters in it become question marks.
macro_rules! event {
    ($home:expr, $($part:expr),+) => {{
        let mut words = formats::say::LineBuf::new();
        formats::say!(&mut words, "@ ", $($part),+);
        $home.console(words.line());
    }};
}
pub(super) use event;

/// The console as a sink for what a builder prints.
pub(super) struct Console<'a>(pub &'a mut dyn Home);

impl Sink for Console<'_> {
    fn write(&mut self, bytes: &[u8]) {
        self.0.console(bytes);
    }
}
