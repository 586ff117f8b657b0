//! What a long fetch tells while it goes on, so that the program can draw bars.

/// One message about one input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// Its name.
    pub input: &'a str,
    /// What is being done, for people.
    pub text: &'a str,
    /// Bytes so far.
    pub done: u64,
    /// Bytes in all, where known.
    pub total: Option<u64>,
}

/// Takes messages, from several threads at once.
pub trait Progress: Sync {
    /// One message.
    fn report(&self, event: &Event);
}

impl<F: Fn(&Event) + Sync> Progress for F {
    fn report(&self, event: &Event) {
        self(event);
    }
}

/// Says nothing.
pub struct Silent;

impl Progress for Silent {
    fn report(&self, _: &Event) {}
}

/// A [`Progress`] for one input.
#[derive(Clone, Copy)]
pub struct Reporter<'a> {
    pub input: &'a str,
    pub to: &'a dyn Progress,
}

impl Reporter<'_> {
    pub fn say(&self, text: &str) {
        self.bytes(text, 0, None);
    }

    pub fn bytes(&self, text: &str, done: u64, total: Option<u64>) {
        self.to.report(&Event { input: self.input, text, done, total });
    }
}
