//! A step: all that a plan says of one build.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The resources that can be limited, in the order of the kernel's numbers for them.
pub use formats::plan::RESOURCES;

/// One build, ready to be written into a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The derivation's name.
    pub name: String,
    /// The builder's user.
    pub uid: u32,
    /// The builder's group.
    pub gid: u32,
    /// File modes that its files don't get.
    pub umask: u32,
    /// Host name.
    pub host: Cow<'static, str>,
    /// NIS domain name.
    pub domain: Cow<'static, str>,
    /// The time at which it starts, in seconds since 1970.
    pub clock: u64,
    /// personality(2).
    pub personality: u32,
    /// Who is process 1.
    pub pid_one: PidOne,
    /// Whether the loopback interface is up.
    pub loopback: bool,
    /// Whether the builder prints to a terminal, and not to a pipe.
    pub terminal: bool,
    /// Whose rules its outputs go by.
    pub rules: Rules,
    /// In seconds.
    pub time_limit: u64,
    /// In bytes.
    pub log_limit: u64,
    /// In bytes, for each of its two file systems.
    pub space_limit: u64,
    /// Soft and hard limit of each of [`RESOURCES`]; `None` is unlimited.
    pub limits: [(Option<u64>, Option<u64>); 16],
    /// What it sees otherwise than as usual, by the names of the plan's `vary`.
    pub vary: BTreeMap<&'static str, u64>,
    /// What its file system is made of, in this order.
    pub world: Vec<RootfsEntry>,
    /// The working directory.
    pub cwd: String,
    /// The program.
    pub builder: String,
    /// Its arguments, `argv[0]` included.
    pub args: Vec<String>,
    /// Its environment.
    pub env: BTreeMap<String, String>,
    /// What it makes.
    pub outputs: Vec<Output>,
}

/// Who is process 1 of the step's PID namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PidOne {
    /// A process of ours that reaps.
    Init,
    /// The builder itself.
    Builder,
}

/// Whose rules outputs go by: what becomes of set-id bits, and of outputs that others may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the plan's grammar says what each means")]
pub enum Rules {
    Groundup,
    Nix,
    Guix,
}

/// Who owns a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Root.
    Root,
    /// The step's user and group.
    Builder,
}

/// A device that a step may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the file of its name in /dev")]
pub enum Device {
    Null,
    Zero,
    Full,
    Random,
    Urandom,
    Tty,
}

/// One thing of which a step's file system is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootfsEntry {
    /// A directory: path, mode, owner.
    Dir(Cow<'static, str>, u32, Owner),
    /// A file: path, mode, content.
    File(Cow<'static, str>, u32, Cow<'static, str>),
    /// A symbolic link: path, target.
    Link(Cow<'static, str>, Cow<'static, str>),
    /// A device: path, which.
    Device(Cow<'static, str>, Device),
    /// The proc file system: path.
    Proc(Cow<'static, str>),
    /// The file system of terminals: path.
    Pts(Cow<'static, str>),
    /// The file system of shared memory: path.
    Shm(Cow<'static, str>),
    /// What the binds directly in the store refer to, directly or not.
    Closure,
    /// The file system in which outputs are made: path, mode.
    Store(Cow<'static, str>, u32),
    /// An input or an output of an earlier step.
    Bind(Bind),
}

/// What is to be seen at a path, read-only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bind {
    /// The path.
    pub path: String,
    /// What is seen there.
    pub from: From,
    /// Not all of it, but what lies at this path in it.
    pub inside: Option<String>,
}

/// What can be bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// An input of the image.
    Input(String),
    /// An output of an earlier step.
    Output {
        /// The step.
        step: String,
        /// The output's base name in the store.
        base: String,
    },
}

/// What a step makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its base name in the store.
    pub name: String,
    /// Its path, directly below the store.
    pub path: String,
    /// What it must be, if anything.
    pub expect: Option<Expected>,
}

/// What an output must be. Every sha256 is in hex.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// The whole of it.
    pub whole: Option<Whole>,
    /// Files inside it by their paths: the sha256 of the bytes of each.
    pub files: BTreeMap<String, String>,
}

/// A sha256 of a whole output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whole {
    /// Of its NAR.
    Nar(String),
    /// Of its bytes: it is a plain file.
    Flat(String),
}

impl Step {
    /// The inputs of the image that the step uses.
    pub fn inputs(&self) -> BTreeSet<&str> {
        let input = |world| match world {
            &RootfsEntry::Bind(Bind { from: From::Input(ref name), .. }) => Some(name.as_str()),
            _ => None,
        };
        self.world.iter().filter_map(input).collect()
    }

    /// The earlier steps whose outputs it sees.
    pub fn steps(&self) -> BTreeSet<&str> {
        let step = |world| match world {
            &RootfsEntry::Bind(Bind { from: From::Output { ref step, .. }, .. }) => Some(step.as_str()),
            _ => None,
        };
        self.world.iter().filter_map(step).collect()
    }
}
