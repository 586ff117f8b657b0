//! The plan: a linear build script with nothing left to decide. This is its one definition.
//!
//! # Encoding
//! Bytes. A line is a directive; a line feed ends each, the last one too. Fields are separated by one space; there are no
//! empty lines, no comments and no defaults: what is not written does not happen.
//!
//! In a field, `\\`, `\n`, `\t` and `\r` stand for themselves, and `\xHH` (lower case) for every other byte below 0x20 and
//! for 0x7f. `\x20` stands for a space, except in the last field of `arg`, `env` and `file`, which is the rest of the line
//! and holds spaces as they are. Every other byte stands as it is. So each plan has one spelling, and its sha256
//! identifies the build.
//!
//! # Grammar
//! ```text
//! plan    = "groundup plan 1"
//!           "entropy" SHA256            32 bytes credited to the kernel's random numbers before the first step
//!           "failure" ("stop"|"continue")   what happens to the steps that do not need a failed one
//!           { input | refers | step | drop }
//! input   = "input" NAME ("file"|"exec"|"tree"|"data") SHA256 ["unverified"]
//!                                       in the image at /inputs/NAME; verified here. file, exec: the sha256 of the bytes
//!                                       (exec is made executable); tree: of the NAR, which for an
//!                                       output of an earlier run may be that of a file or a symbolic link; data: a tree
//!                                       that is only read.
//!                                       unverified: nobody asks whether that is its hash; only `groundup probe`, which has
//!                                       just packed the image and asks whether builds differ, writes that
//! refers  = "refers" NAME BASE           the input NAME holds the name of what stands at BASE in the store, or of
//!                                       something that does
//! step    = "step" NAME
//!           "uid" N  "gid" N            not 0
//!           "umask" OCTAL  "host" NAME  "domain" FIELD
//!           "clock" SECONDS             the time of day when the builder starts, since 1970
//!           "personality" HEX           personality(2)
//!           "pid-one" ("init"|"builder")    who is process 1 of the step's PID namespace
//!           "loopback" ("up"|"down")
//!           "log" ("pipe"|"terminal")   what the builder's standard output is; a terminal is raw
//!           "rules" ("groundup"|"nix"|"guix")   set-id bits: groundup refuses outputs with them; nix lets no builder set them
//!                                       and takes them away, guix takes them away, and both refuse outputs that
//!                                       their group or others may write; nix shows no ids but the step's own, all others
//!                                       as nobody's, and a root that is 0750 and the step's group's
//!           "time-limit" SECONDS  "log-limit" BYTES
//!           "space-limit" BYTES         not 0; of each of the step's two file systems, its root and its store
//!           16 × "limit" RESOURCE SOFT HARD     in the order of RESOURCES; a number or "unlimited"
//!           { "vary" NAME NUMBER }      what the step sees otherwise, ascending in the order of VARIED, where each is explained;
//!                                       only `groundup probe` writes that, and only footing carries it out
//!           { "dir" PATH OCTAL ("root"|"builder")
//!           | "file" PATH OCTAL TEXT    owned by whoever owns the folder that it is in
//!           | "link" PATH FIELD
//!           | "device" PATH ("null"|"zero"|"full"|"random"|"urandom"|"tty")
//!           | "proc" PATH | "pts" PATH | "shm" PATH     file systems of the step's own: processes, terminals, memory
//!           | "store" PATH OCTAL        a fresh file system, owned by root and the step's group; exactly one
//!           | "bind" ("input" NAME["/"SUB] | "output" STEP"/"BASE["/"SUB]) PATH   read-only; a symbolic link is copied.
//!                                       By groundup's rules, what lies in an input of kind file or data is mounted noexec
//!           | "closure"                 also all that the binds directly in the store refer to, directly or not; what the
//!                                       step's outputs refer to is reported
//!           }                           the world, made in this order; parents first
//!           "cwd" PATH
//!           "builder" FIELD             an absolute path, handed to execve(2) as it is
//!           "arg" TEXT {"arg" TEXT}     argv, argv[0] included
//!           {"env" NAME"="VALUE}        envp, ascending by name, each name once
//!           { "output" NAME PATH (SHA256|"flat:"SHA256|"-")     at least one; PATH lies directly in the store; the sha256
//!                                       that is expected, if any, of the NAR or of a plain file's bytes (rules other
//!                                       than groundup's refuse an executable one)
//!             { "expect-file" SUB SHA256 }}   in this output, the plain file at SUB, through no link, has bytes of this sha256
//!           "end"
//! drop    = "drop" ("input" NAME | "output" STEP)   no later step uses it: its memory is freed
//! ```
//! Each directive of `input`, `step` and `drop` is a line of its own.
//!
//! # Restrictions
//! NAME is 1 to 244 bytes of `A-Z a-z 0-9 + . _ ? = -`, not starting with a dot. A PATH starts with `/`, has no empty, `.` or
//! `..` component, does not end in `/` and is at most 4095 bytes. OCTAL is four digits. Numbers are decimal,
//! without leading zeros, at most 2^63-1; ids are from 1 to 2^32-2, a personality is below 2^32, a umask at most 0777. Host and
//! domain are at most 64 bytes. A variable's name is not empty. No text holds a NUL but that of `file`. (The kernel takes no
//! clock that is less than the machine's uptime.)
//!
//! # Who enforces
//! This reader enforces encoding, grammar and restrictions, before the first step runs. The kernel enforces that paths can be
//! made, and PID 1 that nothing is varied. PID 1 enforces that an input was verified, and an output built, before it is bound. The plan's writer (crate
//! `graphs`) enforces that names are unique and that the order of steps is topological.
mod cursor;
mod output;
mod step;
mod text;
mod vary;

use cursor::Cursor;
pub use cursor::Error;
pub use output::{Expected, Output};
pub use step::{Limit, PidOne, RESOURCES, RootfsEntry, Rules, Source, Step};
pub use text::{Field, Name, is_name, is_path};
pub use vary::{VARIED, Vary};

use crate::hex::Digest;
use crate::nar::Hashed;

/// What happens after a step has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// Every later step is skipped.
    Stop,
    /// Only the steps that need it are.
    Continue,
}

/// What an input is in the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A plain file, pinned by its bytes.
    File,
    /// An executable file, pinned by its bytes.
    Exec,
    /// A directory, or what an earlier run has built, pinned by its NAR.
    Tree,
    /// A directory that is only read, pinned by its NAR.
    Data,
}

/// `input NAME KIND SHA256`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input<'a> {
    /// Its place in the image is `/inputs/` and this.
    pub name: Name<'a>,
    /// How it is hashed.
    pub kind: Kind,
    /// What its hash must be.
    pub sha256: Digest,
    /// Whether that is asked for.
    pub verified: bool,
}

impl Input<'_> {
    /// What its sha256 is of.
    pub fn hashed(&self) -> Hashed {
        match self.kind {
            _ if !self.verified => Hashed::Nothing,
            Kind::Tree | Kind::Data => Hashed::Archive,
            Kind::File | Kind::Exec => Hashed::Bytes,
        }
    }
}

/// One thing to do.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is no allocator to box the step with")]
pub enum Item<'a> {
    /// Verify an input.
    Input(Input<'a>),
    /// An input refers to something in the store.
    Refers(Name<'a>, Name<'a>),
    /// Build a step.
    Step(Step<'a>),
    /// Forget an input.
    DropInput(Name<'a>),
    /// Forget the outputs of a step.
    DropOutput(Name<'a>),
}

/// A plan that is being read: an iterator over its [`Item`]s that ends after the first error.
#[derive(Clone)]
pub struct Plan<'a> {
    /// 32 bytes for the kernel's random number generator.
    pub entropy: Digest,
    /// What happens after a step has failed.
    pub on_failure: OnFailure,
    cursor: Cursor<'a>,
}

impl<'a> Plan<'a> {
    /// Reads the three lines of the head.
    pub fn read(bytes: &'a [u8]) -> Result<Plan<'a>, Error> {
        let mut cursor = Cursor::new(bytes);
        cursor.exactly("groundup plan 1", "`groundup plan 1`");
        let entropy = cursor.one("entropy", Cursor::digest);
        let stop =
            cursor.one("failure", |cursor| cursor.choice(&["stop", "continue"], "`stop` or `continue`"));
        let on_failure = if stop == 0 { OnFailure::Stop } else { OnFailure::Continue };
        cursor.check(Plan { entropy, on_failure, cursor })
    }

    fn item(&mut self) -> Item<'a> {
        let cursor = &mut self.cursor;
        match cursor.keyword() {
            b"input" => cursor.one("input", |cursor| {
                let name = cursor.name();
                let kind =
                    cursor.choice(&["file", "exec", "tree", "data"], "`file`, `exec`, `tree` or `data`");
                let kind = [Kind::File, Kind::Exec, Kind::Tree, Kind::Data][kind];
                let sha256 = cursor.digest();
                Item::Input(Input { name, kind, sha256, verified: !cursor.take("unverified") })
            }),
            b"refers" => cursor.one("refers", |cursor| Item::Refers(cursor.name(), cursor.name())),
            b"step" => Item::Step(step::read(cursor)),
            b"drop" => cursor.one("drop", |cursor| {
                match cursor.choice(&["input", "output"], "`input` or `output`") {
                    0 => Item::DropInput(cursor.name()),
                    _ => Item::DropOutput(cursor.name()),
                }
            }),
            _ => {
                cursor.line();
                cursor.fail("`input`, `refers`, `step` or `drop`");
                Item::DropInput(Name::default())
            }
        }
    }
}

impl<'a> Iterator for Plan<'a> {
    type Item = Result<Item<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.cursor.is_done() {
            return None;
        }
        let item = self.item();
        Some(self.cursor.check(item))
    }
}

#[cfg(test)]
mod tests;
