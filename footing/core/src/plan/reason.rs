//! Why something failed, in the words that PID 1 has for it.

use crate::errno::Errno;
use crate::kernel::{End, Limit};
use formats::plan::{Field, Step};
use formats::say;
use formats::say::{Display, LineBuf, Text};

/// An error number as a person reads it.
pub(super) struct Number(pub Errno);

impl Display for Number {
    fn say(self, words: &mut LineBuf) {
        match formats::errno::text(self.0.0 as i32) {
            Some(text) => text.say(words),
            None => say!(words, "error ", self.0.0),
        }
    }
}

/// Why the plan can't be carried out.
pub(super) enum Fatal {
    /// There is no `/plan`.
    NoPlan,
    /// `/plan` is not a plan.
    Plan(formats::plan::Error),
    /// The image is no archive at this offset.
    Image(usize),
}

impl Display for Fatal {
    fn say(self, words: &mut LineBuf) {
        match self {
            Fatal::NoPlan => say!(words, "open /plan: ", Number(crate::errno::ENOENT)),
            Fatal::Plan(error) => say!(words, "/plan, ", error),
            Fatal::Image(offset) => say!(words, "the image has no entry at byte ", offset as u64),
        }
    }
}

impl From<formats::plan::Error> for Fatal {
    fn from(error: formats::plan::Error) -> Fatal {
        Fatal::Plan(error)
    }
}

/// What is wrong with a tree. PID 1 meets the first kind as a system call of its own that fails, so that it is named like one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// This could not be done.
    System(&'static str, Errno),
    /// The tree is not one that an input or an output may be.
    Refused(&'static str),
}

impl Display for Fault {
    fn say(self, words: &mut LineBuf) {
        match self {
            Fault::System(what, errno) => say!(words, what, ": ", Number(errno)),
            Fault::Refused(what) => what.say(words),
        }
    }
}

/// `result.map_err(at("what was tried"))`
pub(super) fn at(what: &'static str) -> impl FnOnce(Errno) -> Fault {
    move |errno| Fault::System(what, errno)
}

/// A place in a tree; `.` is its root.
pub(super) struct Place<'a>(pub &'a [u8]);

impl Display for Place<'_> {
    fn say(self, words: &mut LineBuf) {
        // As much of it as PID 1 keeps.
        let path = self.0.get(..1024).unwrap_or(self.0);
        Text(if path.is_empty() { b"." } else { path }).say(words);
    }
}

/// What of a step's world could not be made, and why.
#[derive(Debug)]
pub(super) struct Failure<'a> {
    what: &'static str,
    path: Option<Field<'a>>,
    errno: Errno,
}

impl<'a> Failure<'a> {
    /// With no path of the plan to name.
    pub(super) fn of(what: &'static str) -> impl FnOnce(Errno) -> Failure<'a> {
        move |errno| Failure { what, path: None, errno }
    }

    /// For a line of the plan with a path.
    pub(super) fn on(what: &'static str, path: Field<'a>) -> impl FnOnce(Errno) -> Failure<'a> {
        move |errno| Failure { what, path: Some(path), errno }
    }
}

impl Display for Failure<'_> {
    fn say(self, words: &mut LineBuf) {
        self.what.say(words);
        if let Some(path) = self.path {
            say!(words, " ", Text(path.spelled()));
        }
        say!(words, ": ", Number(self.errno));
    }
}

/// Why a step failed.
pub(super) enum Reason<'a> {
    /// Its world could not be made, or its builder not be started.
    RootfsEntry(Failure<'a>),
    /// An output is not as it must be.
    Output(&'a LineBuf),
    /// It printed more than this many bytes.
    Log(u64),
    /// Its processes ended like this.
    End(End, u64),
}

impl<'a> Reason<'a> {
    /// Why a step failed whose processes came to this end; nothing if its builder succeeded.
    pub(super) fn of(end: End, step: &Step<'a>) -> Option<Reason<'a>> {
        match end {
            End::Exited(0) => None,
            End::NotStarted(errno) => Some(Reason::RootfsEntry(Failure::on("builder", step.builder)(errno))),
            End::Limit(Limit::Log) => Some(Reason::Log(step.log_limit)),
            end => Some(Reason::End(end, step.time_limit)),
        }
    }
}

impl Display for Reason<'_> {
    fn say(self, words: &mut LineBuf) {
        let end = match self {
            Reason::RootfsEntry(failure) => return failure.say(words),
            Reason::Output(text) => return words.push(text.as_bytes()),
            Reason::Log(limit) => {
                return say!(words, "printed more than its log limit of ", limit, " bytes");
            }
            Reason::End(end, limit) => (end, limit),
        };
        match end {
            (End::Exited(status), _) => say!(words, "exit status ", u32::from(status)),
            (End::Killed(signal), _) => say!(words, "killed by signal ", u32::from(signal)),
            (End::Limit(Limit::Time), limit) => {
                say!(words, "ran longer than its time limit of ", limit, " s");
            }
            (End::Limit(Limit::Deadlock), _) => "all its threads wait, and nothing can wake them".say(words),
            (End::Limit(_), _) => "ran out of the machine's memory".say(words),
            (End::Refused(what), _) => say!(words, "needs what footing does not have: ", what),
            (End::NotStarted(errno), _) => say!(words, "builder: ", Number(errno)),
        }
    }
}
