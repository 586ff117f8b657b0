//! A step: its fixed lines as values, its repeated ones as places in the plan that are read again when they are carried out.

use super::cursor::{Cursor, Error, Fields};
use super::text::{Field, is_name, is_relative_path};
use crate::hex::Digest;

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
pub enum World<'a> {
    Dir { path: Field<'a>, mode: u32, builder: bool },
    File { path: Field<'a>, mode: u32, text: Field<'a> },
    Link { path: Field<'a>, target: Field<'a> },
    Device { path: Field<'a>, minor: u32, major: u32 },
    Proc { path: Field<'a> },
    Store { path: Field<'a>, mode: u32 },
    Bind { source: Source<'a>, path: Field<'a> },
}

/// `output NAME PATH EXPECTED`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output<'a> {
    /// Its name in events and records.
    pub name: &'a str,
    /// The last component of its path, which lies directly in the store.
    pub base: &'a str,
    /// What the sha256 of its NAR must be, if anything.
    pub expected: Option<Digest>,
}

/// One derivation, ready to be carried out. The grammar in the module's documentation says what each field is.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the grammar in the module's documentation says what each field is")]
pub struct Step<'a> {
    pub name: &'a str,
    pub uid: u32,
    pub gid: u32,
    pub umask: u32,
    pub host: &'a str,
    pub domain: Field<'a>,
    pub clock: u64,
    pub personality: u32,
    pub pid_one: PidOne,
    pub loopback: bool,
    pub time_limit: u64,
    pub log_limit: u64,
    pub space_limit: u64,
    pub limits: [Limit; 16],
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
    pub fn world(&self) -> impl Iterator<Item = World<'a>> + use<'a> {
        again(self.world, world)
    }

    /// At least one.
    pub fn args(&self) -> impl Iterator<Item = Field<'a>> + use<'a> {
        again(self.args, |cursor| text(cursor, "arg"))
    }

    /// `NAME=VALUE`, ascending by name.
    pub fn env(&self) -> impl Iterator<Item = Field<'a>> + use<'a> {
        again(self.env, |cursor| text(cursor, "env"))
    }

    /// At least one.
    pub fn outputs(&self) -> impl Iterator<Item = Output<'a>> + use<'a> {
        again(self.outputs, |cursor| output(cursor).map(|(output, _)| output))
    }
}

/// Reads lines again that were found right when the step was read.
fn again<'a, T>(
    mut cursor: Cursor<'a>,
    read: impl Fn(&mut Cursor<'a>) -> Result<T, Error>,
) -> impl Iterator<Item = T> {
    core::iter::from_fn(move || if cursor.is_done() { None } else { read(&mut cursor).ok() })
}

pub(super) fn read<'a>(cursor: &mut Cursor<'a>) -> Result<Step<'a>, Error> {
    let name = one(cursor, "step", Fields::name)?;
    let uid = one(cursor, "uid", identity)?;
    let gid = one(cursor, "gid", identity)?;
    let umask = one(cursor, "umask", |fields| {
        let mask = fields.mode()?;
        if mask <= 0o777 { Ok(mask) } else { Err(fields.error("a mask of at most 0777")) }
    })?;
    let host = one(cursor, "host", |fields| {
        let host = fields.name()?;
        if host.len() <= 64 { Ok(host) } else { Err(fields.error("at most 64 bytes")) }
    })?;
    let domain = one(cursor, "domain", |fields| {
        let domain = fields.field()?;
        if domain.bytes().count() <= 64 { Ok(domain) } else { Err(fields.error("at most 64 bytes")) }
    })?;
    let clock = one(cursor, "clock", Fields::number)?;
    let personality = one(cursor, "personality", Fields::hexadecimal)?;
    let pid_one = one(cursor, "pid-one", |fields| match fields.word()? {
        b"init" => Ok(PidOne::Init),
        b"builder" => Ok(PidOne::Builder),
        _ => Err(fields.error("`init` or `builder`")),
    })?;
    let loopback = one(cursor, "loopback", |fields| match fields.word()? {
        b"up" => Ok(true),
        b"down" => Ok(false),
        _ => Err(fields.error("`up` or `down`")),
    })?;
    let time_limit = one(cursor, "time-limit", Fields::number)?;
    let log_limit = one(cursor, "log-limit", Fields::number)?;
    // To tmpfs a size of 0 is no limit.
    let space_limit = one(cursor, "space-limit", |fields| match fields.number()? {
        0 => Err(fields.error("a number of bytes above 0")),
        limit => Ok(limit),
    })?;
    let mut limits = [(None, None); 16];
    for (limit, resource) in limits.iter_mut().zip(RESOURCES) {
        *limit = one(cursor, "limit", |fields| {
            if fields.word()? != resource.as_bytes() {
                return Err(fields.error("the resources of `limit` in their order"));
            }
            Ok((bound(fields)?, bound(fields)?))
        })?;
    }
    let mut store = None;
    let is_world =
        |word: &[u8]| matches!(word, b"dir" | b"file" | b"link" | b"device" | b"proc" | b"store" | b"bind");
    let world = cursor.lines(is_world, |cursor| {
        if let World::Store { path, mode } = world(cursor)?
            && store.replace((path, mode)).is_some()
        {
            return Err(cursor.error("one `store` only"));
        }
        Ok(())
    })?;
    let cwd = one(cursor, "cwd", Fields::path)?;
    let (store_path, store_mode) = store.ok_or(cursor.error("a `store` above `cwd`"))?;
    let builder = one(cursor, "builder", Fields::path)?;
    if cursor.keyword() != b"arg" {
        cursor.line()?;
        return Err(cursor.error("`arg`"));
    }
    let args = cursor.lines(|word| word == b"arg", |cursor| text(cursor, "arg").map(drop))?;
    let mut before: Option<Field<'a>> = None;
    let env = cursor.lines(
        |word| word == b"env",
        |cursor| {
            let this = text(cursor, "env")?;
            let name = |field: Field<'a>| field.bytes().take_while(|&byte| byte != b'=');
            if !this.bytes().any(|byte| byte == b'=') || name(this).next().is_none() {
                return Err(cursor.error("NAME=VALUE"));
            }
            if before.is_some_and(|before| name(before).cmp(name(this)).is_ge()) {
                return Err(cursor.error("variables in ascending order, each once"));
            }
            before = Some(this);
            Ok(())
        },
    )?;
    if cursor.keyword() != b"output" {
        cursor.line()?;
        return Err(cursor.error("`env` or `output`"));
    }
    let outputs = cursor.lines(
        |word| word == b"output",
        |cursor| {
            let (_, parent) = output(cursor)?;
            if parent == store_path.spelled() {
                Ok(())
            } else {
                Err(cursor.error("an output directly in the store"))
            }
        },
    )?;
    if cursor.line()? != b"end" {
        return Err(cursor.error("`output` or `end`"));
    }
    Ok(Step {
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
        time_limit,
        log_limit,
        space_limit,
        limits,
        store_mode,
        cwd,
        builder,
        world,
        args,
        env,
        outputs,
    })
}

/// A line with one value, or one that is read as a whole.
fn one<'a, T>(
    cursor: &mut Cursor<'a>,
    name: &'static str,
    read: impl FnOnce(&mut Fields<'a>) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut fields = cursor.directive(name)?;
    let value = read(&mut fields)?;
    fields.end()?;
    Ok(value)
}

/// Root's own identity would let a step write to whatever root owns, capabilities or not.
fn identity(fields: &mut Fields<'_>) -> Result<u32, Error> {
    let id = u32::try_from(fields.number()?).ok().filter(|&id| id != 0 && id != u32::MAX);
    id.ok_or(fields.error("an id between 1 and 2^32-2: no step runs as root"))
}

fn bound(fields: &mut Fields<'_>) -> Result<Option<u64>, Error> {
    if fields.peek() == b"unlimited" { fields.word().map(|_| None) } else { fields.number().map(Some) }
}

fn text<'a>(cursor: &mut Cursor<'a>, name: &'static str) -> Result<Field<'a>, Error> {
    one(cursor, name, |fields| {
        let text = fields.text()?;
        if text.bytes().any(|byte| byte == 0) { Err(fields.error("text without NUL")) } else { Ok(text) }
    })
}

fn world<'a>(cursor: &mut Cursor<'a>) -> Result<World<'a>, Error> {
    match cursor.keyword() {
        b"dir" => one(cursor, "dir", |fields| {
            let (path, mode) = (fields.path()?, fields.mode()?);
            let builder = match fields.word()? {
                b"root" => false,
                b"builder" => true,
                _ => return Err(fields.error("`root` or `builder`")),
            };
            Ok(World::Dir { path, mode, builder })
        }),
        b"file" => one(cursor, "file", |fields| {
            Ok(World::File { path: fields.path()?, mode: fields.mode()?, text: fields.text()? })
        }),
        b"link" => {
            one(cursor, "link", |fields| Ok(World::Link { path: fields.path()?, target: fields.field()? }))
        }
        b"device" => one(cursor, "device", |fields| {
            let path = fields.path()?;
            // Source: the kernel's Documentation/admin-guide/devices.txt.
            let (major, minor) = match fields.word()? {
                b"null" => (1, 3),
                b"zero" => (1, 5),
                b"full" => (1, 7),
                b"random" => (1, 8),
                b"urandom" => (1, 9),
                b"tty" => (5, 0),
                _ => return Err(fields.error("`null`, `zero`, `full`, `random`, `urandom` or `tty`")),
            };
            Ok(World::Device { path, minor, major })
        }),
        b"proc" => one(cursor, "proc", |fields| Ok(World::Proc { path: fields.path()? })),
        b"store" => {
            one(cursor, "store", |fields| Ok(World::Store { path: fields.path()?, mode: fields.mode()? }))
        }
        _ => one(cursor, "bind", |fields| {
            let (make, components): (fn(Field<'a>) -> Source<'a>, _) = match fields.word()? {
                b"input" => (Source::Input, 1),
                b"output" => (Source::Output, 2),
                _ => return Err(fields.error("`input` or `output`")),
            };
            let source = fields.field()?;
            let mut names = source.spelled().split(|&byte| byte == b'/');
            if !(0..components).all(|_| names.next().is_some_and(is_name))
                || !is_relative_path(source.bytes())
            {
                return Err(fields.error("NAME, STEP/NAME, or a normalised path below one"));
            }
            Ok(World::Bind { source: make(source), path: fields.path()? })
        }),
    }
}

/// An output and the folder that it lies in.
fn output<'a>(cursor: &mut Cursor<'a>) -> Result<(Output<'a>, &'a [u8]), Error> {
    one(cursor, "output", |fields| {
        let name = fields.name()?;
        let path = fields.path()?.spelled();
        let slash = path.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
        let base = core::str::from_utf8(&path[slash + 1..]).ok().filter(|base| is_name(base.as_bytes()));
        let base = base.ok_or(fields.error("an output path that ends in a name"))?;
        let expected =
            if fields.peek() == b"-" { fields.word().map(|_| None)? } else { Some(fields.digest()?) };
        Ok((Output { name, base, expected }, &path[..slash]))
    })
}
