//! A step: its fixed lines as values, its repeated ones as places in the plan that are read again when they are carried out.

use super::cursor::{Cursor, reread};
use super::output::{Output, output};
use super::text::{Field, Name, is_name, is_relative_path};
use super::vary::{VARIED, Vary};

/// The resources of `limit`, in the order of the kernel's numbers.
/// Source: `include/uapi/asm-generic/resource.h`, getrlimit(2).
pub const RESOURCES: [&str; 16] = [
    "cpu",
    "fsize",
    "data",
    "stack",
    "core",
    "rss",
    "nproc",
    "nofile",
    "memlock",
    "as",
    "locks",
    "sigpending",
    "msgqueue",
    "nice",
    "rtprio",
    "rttime",
];

/// A soft and a hard limit; `None` is unlimited.
pub type Limit = (Option<u64>, Option<u64>);

/// Who is process 1 of the step's PID namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PidOne {
    /// A process of ours that reaps what the builder leaves behind.
    Init,
    /// The builder itself.
    Builder,
}

/// Whose rules the outputs go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the grammar in the module's documentation says what each means")]
pub enum Rules {
    Groundup,
    Nix,
    Guix,
}

/// What a `bind` makes visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source<'a> {
    /// An input, or what lies below it: `NAME[/SUB]`.
    Input(Field<'a>),
    /// An output of an earlier step, or what lies below it: `STEP/BASE[/SUB]`.
    Output(Field<'a>),
}

/// One line of a step's world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the grammar in the module's documentation says what each field is")]
pub enum RootfsEntry<'a> {
    Dir { path: Field<'a>, mode: u32, builder: bool },
    File { path: Field<'a>, mode: u32, text: Field<'a> },
    Link { path: Field<'a>, target: Field<'a> },
    Device { path: Field<'a>, minor: u32, major: u32 },
    Proc { path: Field<'a> },
    Pts { path: Field<'a> },
    Shm { path: Field<'a> },
    Closure,
    Store { path: Field<'a>, mode: u32 },
    Bind { source: Source<'a>, path: Field<'a> },
}

/// One derivation, ready to be carried out. The grammar in the module's documentation says what each field is.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the grammar in the module's documentation says what each field is")]
pub struct Step<'a> {
    pub name: Name<'a>,
    pub uid: u32,
    pub gid: u32,
    pub umask: u32,
    pub host: Name<'a>,
    pub domain: Field<'a>,
    pub clock: u64,
    pub personality: u32,
    pub pid_one: PidOne,
    pub loopback: bool,
    pub terminal: bool,
    pub rules: Rules,
    pub time_limit: u64,
    pub log_limit: u64,
    pub space_limit: u64,
    pub limits: [Limit; 16],
    pub vary: Vary,
    /// Whether what is bound brings along what it refers to.
    pub closure: bool,
    /// The path of the store.
    pub store: Field<'a>,
    /// The mode of the store's root.
    pub store_mode: u32,
    pub cwd: Field<'a>,
    pub builder: Field<'a>,
    world: Cursor<'a>,
    args: Cursor<'a>,
    env: Cursor<'a>,
    outputs: Cursor<'a>,
}

impl<'a> Step<'a> {
    /// The lines of the world.
    pub fn world(&self) -> impl Iterator<Item = RootfsEntry<'a>> + use<'a> {
        reread(self.world, world)
    }

    /// At least one.
    pub fn args(&self) -> impl Iterator<Item = Field<'a>> + use<'a> {
        reread(self.args, |cursor| text(cursor, "arg"))
    }

    /// `NAME=VALUE`, ascending by name.
    pub fn env(&self) -> impl Iterator<Item = Field<'a>> + use<'a> {
        reread(self.env, |cursor| text(cursor, "env"))
    }

    /// At least one.
    pub fn outputs(&self) -> impl Iterator<Item = Output<'a>> + use<'a> {
        reread(self.outputs, |cursor| output(cursor).0)
    }
}

const WORLD: [&str; 10] = ["dir", "file", "link", "device", "proc", "pts", "shm", "store", "bind", "closure"];

pub(super) fn read<'a>(cursor: &mut Cursor<'a>) -> Step<'a> {
    let name = cursor.one("step", Cursor::name);
    let uid = cursor.one("uid", identity);
    let gid = cursor.one("gid", identity);
    let umask = cursor.one("umask", |cursor| {
        let mask = cursor.mode();
        if mask > 0o777 {
            cursor.fail("a mask of at most 0777");
        }
        mask
    });
    let host = cursor.one("host", Cursor::name);
    if host.as_bytes().len() > 64 {
        cursor.fail("at most 64 bytes");
    }
    let domain = cursor.one("domain", Cursor::field);
    if domain.bytes().count() > 64 {
        cursor.fail("at most 64 bytes");
    }
    let clock = cursor.one("clock", Cursor::number);
    let personality = cursor.one("personality", Cursor::hexadecimal);
    let pid_one = cursor.one("pid-one", |cursor| {
        let who = cursor.choice(&["init", "builder"], "`init` or `builder`");
        [PidOne::Init, PidOne::Builder][who]
    });
    let loopback = cursor.one("loopback", |cursor| cursor.choice(&["down", "up"], "`up` or `down`") == 1);
    let terminal =
        cursor.one("log", |cursor| cursor.choice(&["pipe", "terminal"], "`pipe` or `terminal`") == 1);
    let rules = cursor.one("rules", |cursor| {
        let rules = cursor.choice(&["groundup", "nix", "guix"], "`groundup`, `nix` or `guix`");
        [Rules::Groundup, Rules::Nix, Rules::Guix][rules]
    });
    let time_limit = cursor.one("time-limit", Cursor::number);
    let log_limit = cursor.one("log-limit", Cursor::number);
    let space_limit = cursor.one("space-limit", Cursor::number);
    // To tmpfs a size of 0 is no limit.
    if space_limit == 0 {
        cursor.fail("a number of bytes above 0");
    }
    let mut limits = [(None, None); 16];
    for (limit, resource) in limits.iter_mut().zip(RESOURCES) {
        *limit = cursor.one("limit", |cursor| {
            cursor.choice(&[resource], "the resources of `limit` in their order");
            (bound(cursor), bound(cursor))
        });
    }
    let vary = if cfg!(feature = "vary") { vary(cursor) } else { Vary::default() };
    let (mut store, mut closure) = (None, false);
    let world = cursor.lines(&WORLD, |cursor| match world(cursor) {
        RootfsEntry::Store { path, mode } if store.replace((path, mode)).is_some() => {
            cursor.fail("one `store` only")
        }
        RootfsEntry::Closure => closure = true,
        _ => {}
    });
    let cwd = cursor.one("cwd", Cursor::path);
    let (store_path, store_mode) = store.unwrap_or_else(|| {
        cursor.fail("a `store` above `cwd`");
        (cwd, 0)
    });
    let builder = cursor.one("builder", Cursor::program);
    some(cursor, "arg", "`arg`");
    let args = cursor.lines(&["arg"], |cursor| {
        text(cursor, "arg");
    });
    let mut before: Option<Field<'a>> = None;
    let env = cursor.lines(&["env"], |cursor| {
        let this = text(cursor, "env");
        let name = |field: Field<'a>| field.bytes().take_while(|&byte| byte != b'=');
        if !this.bytes().any(|byte| byte == b'=') || name(this).next().is_none() {
            cursor.fail("NAME=VALUE");
        }
        if before.is_some_and(|before| name(before).cmp(name(this)).is_ge()) {
            cursor.fail("variables in ascending order, each once");
        }
        before = Some(this);
    });
    some(cursor, "output", "`env` or `output`");
    let outputs = cursor.lines(&["output"], |cursor| {
        if output(cursor).1 != store_path.spelled() {
            cursor.fail("an output directly in the store");
        }
    });
    cursor.exactly("end", "`output` or `end`");
    Step {
        name,
        uid,
        gid,
        umask,
        host,
        domain,
        clock,
        personality,
        pid_one,
        loopback,
        terminal,
        rules,
        time_limit,
        log_limit,
        space_limit,
        limits,
        vary,
        closure,
        store: store_path,
        store_mode,
        cwd,
        builder,
        world,
        args,
        env,
        outputs,
    }
}

fn vary(cursor: &mut Cursor<'_>) -> Vary {
    let (mut vary, mut next) = (Vary::default(), 0);
    cursor.lines(&["vary"], |cursor| {
        let (number, value) =
            cursor.one("vary", |cursor| (cursor.choice(VARIED, "a name of VARIED"), cursor.number()));
        if number < next {
            cursor.fail("variations in their order, each once");
        }
        next = number + 1;
        if let Some(place) = vary.place(number) {
            *place = Some(value);
        }
    });
    vary
}

/// At least one line of this directive must follow.
fn some(cursor: &mut Cursor<'_>, name: &str, expected: &'static str) {
    if cursor.keyword() != name.as_bytes() {
        cursor.line();
        cursor.fail(expected);
    }
}

/// Root's own identity would let a step write to whatever root owns, capabilities or not.
fn identity(cursor: &mut Cursor<'_>) -> u32 {
    let id = cursor.number();
    if id == 0 || id >= u32::MAX.into() {
        cursor.fail("an id between 1 and 2^32-2: no step runs as root");
    }
    id as u32
}

fn bound(cursor: &mut Cursor<'_>) -> Option<u64> {
    if cursor.take("unlimited") { None } else { Some(cursor.number()) }
}

fn text<'a>(cursor: &mut Cursor<'a>, name: &'static str) -> Field<'a> {
    let text = cursor.one(name, Cursor::text);
    if text.bytes().any(|byte| byte == 0) {
        cursor.fail("text without NUL");
    }
    text
}

fn world<'a>(cursor: &mut Cursor<'a>) -> RootfsEntry<'a> {
    let keyword = cursor.keyword();
    let name = WORLD.into_iter().find(|name| name.as_bytes() == keyword).unwrap_or("bind");
    cursor.begin(name);
    let world = match keyword {
        b"dir" => RootfsEntry::Dir {
            path: cursor.path(),
            mode: cursor.mode(),
            builder: cursor.choice(&["root", "builder"], "`root` or `builder`") == 1,
        },
        b"file" => RootfsEntry::File { path: cursor.path(), mode: cursor.mode(), text: cursor.text() },
        b"link" => RootfsEntry::Link { path: cursor.path(), target: cursor.field() },
        b"device" => {
            let path = cursor.path();
            let device = cursor.choice(
                &["null", "zero", "full", "random", "urandom", "tty"],
                "`null`, `zero`, `full`, `random`, `urandom` or `tty`",
            );
            // Source: the kernel's Documentation/admin-guide/devices.txt.
            let (major, minor) = [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0)][device];
            RootfsEntry::Device { path, minor, major }
        }
        b"proc" => RootfsEntry::Proc { path: cursor.path() },
        b"pts" => RootfsEntry::Pts { path: cursor.path() },
        b"shm" => RootfsEntry::Shm { path: cursor.path() },
        b"closure" => RootfsEntry::Closure,
        b"store" => RootfsEntry::Store { path: cursor.path(), mode: cursor.mode() },
        _ => {
            let components = cursor.choice(&["input", "output"], "`input` or `output`") + 1;
            let source = cursor.field();
            let mut names = source.spelled().split(|&byte| byte == b'/');
            if !(0..components).all(|_| names.next().is_some_and(is_name))
                || !is_relative_path(source.bytes())
            {
                cursor.fail("NAME, STEP/NAME, or a normalised path below one");
            }
            let source = if components == 1 { Source::Input(source) } else { Source::Output(source) };
            RootfsEntry::Bind { source, path: cursor.path() }
        }
    };
    cursor.end();
    world
}
