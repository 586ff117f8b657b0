//! The step's root: a fresh file system with what the plan says, and nothing else reachable.

use crate::memory::{PathBuffer, c_string};
use crate::{host, references, sys};
use core::ffi::CStr;
use formats::plan::{Field, RootfsEntry, Rules, Source, Step};
use formats::say;
use formats::say::{Display, LineBuf, Text};
use init::errno;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, OFlags, ResolveFlags, Uid};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MountPropagationFlags, MoveMountFlags,
    OpenTreeFlags,
};

/// What could not be made, and why.
pub struct Failure<'a> {
    what: &'static str,
    path: Option<Field<'a>>,
    errno: Errno,
}

impl<'a> Failure<'a> {
    /// With no path of the plan to name.
    pub fn new(what: &'static str, errno: Errno) -> Failure<'a> {
        Failure { what, path: None, errno }
    }

    /// `result.map_err(Failure::of("what was tried"))`
    pub fn of(what: &'static str) -> impl FnOnce(Errno) -> Failure<'a> {
        move |errno| Failure::new(what, errno)
    }

    /// The same, for a line of the plan with a path.
    pub fn on(what: &'static str, path: Field<'a>) -> impl FnOnce(Errno) -> Failure<'a> {
        move |errno| Failure { what, path: Some(path), errno }
    }
}

impl Display for Failure<'_> {
    fn say(self, words: &mut LineBuf) {
        self.what.say(words);
        if let Some(path) = self.path {
            say!(words, " ", Text(path.spelled()));
        }
        say!(words, ": ", errno::Text(self.errno));
    }
}

/// Mounts a new tmpfs of the step's size. An inode costs the kernel memory that is not counted as space, so there is one for
/// each 4096 bytes and no more.
pub fn file_system(
    step: &Step<'_>,
    mode: u32,
    gid: Option<u32>,
    target: &CStr,
    flags: MountFlags,
) -> Result<(), Errno> {
    let mut options = LineBuf::new();
    let inodes = (step.space_limit / 4096).max(16);
    let gid = gid.filter(|_| !host::is_one_id()).unwrap_or(0);
    say!(&mut options, "size=", step.space_limit, ",nr_inodes=", inodes, ",gid=", gid, ",mode=");
    options.number(mode.into(), 8);
    options.push(b"\0");
    let options = c_str(options.as_bytes())?;
    rustix::mount::mount(c"tmpfs", target, c"tmpfs", flags | MountFlags::NOSUID, options)
}

/// Makes the world at `/step` and makes it the root. Returns what the builder is to have as its input: a null device of its
/// own, since the times and locks of a shared one would tell of other steps.
pub fn make<'a>(step: &Step<'a>) -> Result<OwnedFd, Failure<'a>> {
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    rustix::mount::mount_change(c"/", private).map_err(Failure::of("make mounts private"))?;
    let (mode, gid) = match step.rules {
        Rules::Groundup => (0o755, None),
        Rules::Nix => (0o750, Some(step.gid)),
        Rules::Guix => (0o555, Some(step.gid)),
    };
    file_system(step, mode, gid, c"/step", MountFlags::empty()).map_err(Failure::of("make the root"))?;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::open(c"/step", flags, Mode::empty()).map_err(Failure::of("open the root"))?;
    let null = null(&root).map_err(Failure::of("make the builder's input"))?;
    let root = Root { root, null };
    step.world().try_for_each(|line| match line {
        RootfsEntry::Dir { path, mode, builder } => {
            root.dir(step, path, mode, builder).map_err(Failure::on("dir", path))
        }
        RootfsEntry::File { path, mode, text } => {
            root.file(path, mode, text).map_err(Failure::on("file", path))
        }
        RootfsEntry::Link { path, target } => root.link(path, target).map_err(Failure::on("link", path)),
        RootfsEntry::Device { path, major, minor } => {
            root.device(path, major, minor).map_err(Failure::on("device", path))
        }
        RootfsEntry::Proc { path } => root.proc(step, path).map_err(Failure::on("proc", path)),
        RootfsEntry::Pts { path } => root.mount(path, Kind::Pts).map_err(Failure::on("pts", path)),
        RootfsEntry::Shm { path } => root.mount(path, Kind::Shm).map_err(Failure::on("shm", path)),
        RootfsEntry::Closure => root.closure(step).map_err(Failure::of("bind what is referred to")),
        RootfsEntry::Store { path, .. } => root.store(path).map_err(Failure::on("store", path)),
        RootfsEntry::Bind { source, path } => {
            root.bind(step, source, path).map_err(Failure::on("bind", path))
        }
    })?;
    // Its file system, which nobody sees, has a number too: after those of the step's, which thus are the same in every step.
    sys::unshare(sys::NEW_IPC).map_err(Failure::of("make an IPC namespace"))?;
    crate::supervisor::limit_ipc()?;
    // A root of the initial file system can't be pivoted away from; it is covered instead, and left by chroot.
    // Source: the kernel's Documentation/filesystems/ramfs-rootfs-initramfs.rst.
    rustix::process::fchdir(&root.root).map_err(Failure::of("enter the root"))?;
    rustix::mount::mount_move(c".", c"/").map_err(Failure::of("move the root"))?;
    rustix::process::chroot(c".").map_err(Failure::of("chroot"))?;
    rustix::process::chdir(c"/").map_err(Failure::of("chdir"))?;
    if step.rules == Rules::Groundup {
        return Ok(root.null);
    }
    // Builders of Nix and Guix can see that theirs is called /dev/null, and write to it.
    rustix::fs::open(c"/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
        .map_err(Failure::of("open the builder's input"))
}

fn null(root: &OwnedFd) -> Result<OwnedFd, Errno> {
    if host::is_shared() {
        return host::device(1, 3, OFlags::RDONLY);
    }
    let (name, mode) = (c"null", Mode::from_raw_mode(0o444));
    rustix::fs::mknodat(root, name, FileType::CharacterDevice, mode, rustix::fs::makedev(1, 3))?;
    let null = rustix::fs::openat(root, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::fs::unlinkat(root, name, AtFlags::empty())?;
    Ok(null)
}

/// Paths are resolved below the root and never through a symbolic link: what an input or an output holds can't lead out.
pub struct Root {
    pub root: OwnedFd,
    /// A null device, which nobody else has.
    pub null: OwnedFd,
}

/// An open folder and a name in it.
pub struct Place<'b> {
    pub folder: OwnedFd,
    pub name: &'b CStr,
}

impl Root {
    fn place<'b>(&self, path: Field<'_>, buffer: &'b mut PathBuffer) -> Result<Place<'b>, Errno> {
        let length = c_string(path, buffer).ok_or(Errno::NAMETOOLONG)?.count_bytes();
        let slash = buffer[..length].iter().rposition(|&byte| byte == b'/').ok_or(Errno::INVAL)?;
        buffer[slash] = 0;
        let (folder, name) = buffer.split_at(slash + 1);
        // Without the leading slash; the root itself is the empty path.
        let folder = if slash == 0 { c"." } else { c_str(&folder[1..])? };
        Ok(Place { folder: below(&self.root, folder, OFlags::DIRECTORY)?, name: c_str(name)? })
    }

    fn dir(&self, step: &Step<'_>, path: Field<'_>, mode: u32, builder: bool) -> Result<(), Errno> {
        let mut buffer: PathBuffer = [0; _];
        let place = self.place(path, &mut buffer)?;
        rustix::fs::mkdirat(&place.folder, place.name, Mode::from_raw_mode(mode))?;
        if builder && !host::is_one_id() {
            let (uid, gid) = (Uid::from_raw(step.uid), Gid::from_raw(step.gid));
            let flags = AtFlags::SYMLINK_NOFOLLOW;
            rustix::fs::chownat(&place.folder, place.name, Some(uid), Some(gid), flags)?;
        }
        if builder && step.rules != Rules::Groundup {
            // Daemons mount the build directory: there is no link and no move between it and what is around it.
            attach(&clone(&below(&place.folder, place.name, OFlags::DIRECTORY)?)?, &place)?;
        }
        Ok(())
    }

    fn file(&self, path: Field<'_>, mode: u32, text: Field<'_>) -> Result<(), Errno> {
        let mut buffer: PathBuffer = [0; _];
        let place = self.place(path, &mut buffer)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&place.folder, place.name, flags, Mode::from_raw_mode(mode))?;
        let stat = rustix::fs::fstat(&place.folder)?;
        rustix::fs::fchown(&file, Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid)))?;
        let mut chunk = [0; 1024];
        let mut bytes = text.bytes();
        loop {
            let mut length = 0;
            for (slot, byte) in chunk.iter_mut().zip(&mut bytes) {
                *slot = byte;
                length += 1;
            }
            if length == 0 {
                return Ok(());
            }
            let mut rest = &chunk[..length];
            while !rest.is_empty() {
                rest = &rest[rustix::io::write(&file, rest)?..];
            }
        }
    }

    fn link(&self, path: Field<'_>, target: Field<'_>) -> Result<(), Errno> {
        let (mut buffer, mut room): (PathBuffer, PathBuffer) = ([0; _], [0; _]);
        let place = self.place(path, &mut buffer)?;
        let target = c_string(target, &mut room).ok_or(Errno::NAMETOOLONG)?;
        rustix::fs::symlinkat(target, &place.folder, place.name)
    }

    fn device(&self, path: Field<'_>, major: u32, minor: u32) -> Result<(), Errno> {
        let mut buffer: PathBuffer = [0; _];
        let place = self.place(path, &mut buffer)?;
        if host::is_shared() {
            let device = clone(&host::device(major, minor, OFlags::PATH)?)?;
            // Written to it can be all the same; its times, by which one step could speak to another, stay.
            sys::make_read_only(device.as_fd(), 0)?;
            empty(&place)?;
            return attach(&device, &place);
        }
        let (mode, device) = (Mode::from_raw_mode(0o666), rustix::fs::makedev(major, minor));
        rustix::fs::mknodat(&place.folder, place.name, FileType::CharacterDevice, mode, device)
    }

    /// A file system of the step's own. Processes: the PID namespace is that of the process which mounts.
    pub(crate) fn mount(&self, path: Field<'_>, kind: Kind) -> Result<(), Errno> {
        let mut buffer: PathBuffer = [0; _];
        let place = self.place(path, &mut buffer)?;
        rustix::fs::mkdirat(&place.folder, place.name, Mode::from_raw_mode(0o555))?;
        let name = [c"proc", c"devpts", c"tmpfs"][kind as usize];
        let context = rustix::mount::fsopen(name, FsOpenFlags::FSOPEN_CLOEXEC)?;
        if let Kind::Pts = kind {
            rustix::mount::fsconfig_set_string(&context, c"ptmxmode", c"0666")?;
        }
        rustix::mount::fsconfig_create(&context)?;
        let mut attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NOEXEC;
        match kind {
            Kind::Pts => {}
            Kind::Proc => attributes |= MountAttrFlags::MOUNT_ATTR_NODEV,
            Kind::Shm => attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV,
        }
        let mount = rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)?;
        attach(&mount, &place)
    }

    fn store(&self, path: Field<'_>) -> Result<(), Errno> {
        let mut buffer: PathBuffer = [0; _];
        let place = self.place(path, &mut buffer)?;
        rustix::fs::mkdirat(&place.folder, place.name, Mode::from_raw_mode(0o755))?;
        let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
        attach(&rustix::mount::open_tree(CWD, crate::folder::STORE, flags)?, &place)
    }

    fn bind(&self, step: &Step<'_>, source: Source<'_>, path: Field<'_>) -> Result<(), Errno> {
        let (mut buffer, mut room): (PathBuffer, PathBuffer) = ([0; _], [0; _]);
        let place = self.place(path, &mut buffer)?;
        let (folder, field) = match source {
            Source::Input(field) => (c"/verified", field),
            Source::Output(field) => (c"/stores", field),
        };
        let inside = c_string(field, &mut room).ok_or(Errno::NAMETOOLONG)?;
        let is_input = matches!(source, Source::Input(_)) && step.rules == Rules::Groundup;
        bind(&place, folder, inside, is_input && is_only_read(inside)?)
    }

    /// All that the binds directly in the store refer to and that is not there yet.
    fn closure(&self, step: &Step<'_>) -> Result<(), Errno> {
        let (mut buffer, mut room, mut from): (PathBuffer, PathBuffer, PathBuffer) = ([0; _], [0; _], [0; _]);
        let path = c_string(step.store, &mut buffer).ok_or(Errno::NAMETOOLONG)?;
        // Without the leading slash.
        let store = c_str(&path.to_bytes_with_nul()[1..])?;
        for world in step.world() {
            let Some(base) = references::in_store(step, world, &mut room) else { continue };
            references::each(base, &mut |name| {
                let folder = below(&self.root, store, OFlags::DIRECTORY)?;
                if rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW).is_ok() {
                    return Ok(());
                }
                // What was given counts, also where a step makes it once more.
                let verified = rustix::fs::open(c"/verified", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
                let is_given = rustix::fs::statat(&verified, name, AtFlags::SYMLINK_NOFOLLOW).is_ok();
                let length = if is_given { 0 } else { references::maker(name, &mut from).unwrap_or(0) };
                let origin = if length == 0 { c"/verified" } else { c"/stores" };
                let inside = [b"/".as_slice(), name.to_bytes_with_nul()].into_iter().flatten();
                for (at, byte) in (length..).zip(inside) {
                    *from.get_mut(at).ok_or(Errno::NAMETOOLONG)? = *byte;
                }
                let inside = c_str(from.strip_prefix(b"/").unwrap_or(&from))?;
                bind(&Place { folder, name }, origin, inside, false)
            })?;
        }
        Ok(())
    }
}

/// What a step's own file system is for.
#[derive(Clone, Copy)]
pub enum Kind {
    Proc,
    Pts,
    Shm,
}

/// Whether the input that this lies in is one that is only read.
fn is_only_read(inside: &CStr) -> Result<bool, Errno> {
    let mut room: PathBuffer = [0; _];
    let name = inside.to_bytes().split(|&byte| byte == b'/').next().unwrap_or_default();
    let name = references::base_name(name, &mut room).ok_or(Errno::NAMETOOLONG)?;
    let marks = rustix::fs::open(c"/noexec", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    Ok(rustix::fs::statat(&marks, name, AtFlags::SYMLINK_NOFOLLOW).is_ok())
}

/// Makes visible at a place what is at `inside` in a folder of PID 1's.
fn bind(place: &Place<'_>, folder: &CStr, inside: &CStr, noexec: bool) -> Result<(), Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::open(folder, flags, Mode::empty())?;
    let source = below(&folder, inside, OFlags::NOFOLLOW)?;
    match FileType::from_raw_mode(rustix::fs::fstat(&source)?.st_mode) {
        FileType::Symlink => {
            // A target is at most 4095 bytes, so that a zero behind it ends it.
            let mut target: PathBuffer = [0; _];
            rustix::fs::readlinkat_raw(&source, c"", &mut target)?;
            return rustix::fs::symlinkat(c_str(&target)?, &place.folder, place.name);
        }
        FileType::Directory => rustix::fs::mkdirat(&place.folder, place.name, Mode::from_raw_mode(0o555))?,
        _ => empty(place)?,
    }
    let mount = clone(&source)?;
    sys::make_read_only(mount.as_fd(), sys::NODEV | if noexec { sys::NOEXEC } else { 0 })?;
    attach(&mount, place)
}

/// Opens what lies below a folder, through no symbolic link; the last component may be one itself.
pub(crate) fn below(folder: &OwnedFd, path: &CStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::PATH | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    rustix::fs::openat2(folder, path, flags, Mode::empty(), resolve)
}

/// An empty file, to put a mount on.
fn empty(place: &Place<'_>) -> Result<(), Errno> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
    rustix::fs::openat(&place.folder, place.name, flags, Mode::from_raw_mode(0o444)).map(drop)
}

/// A mount of what is open.
pub(crate) fn clone(source: &OwnedFd) -> Result<OwnedFd, Errno> {
    let flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    rustix::mount::open_tree(source, c"", flags)
}

/// Puts a mount on what stands at a place.
pub(crate) fn attach(mount: &OwnedFd, place: &Place<'_>) -> Result<(), Errno> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    rustix::mount::move_mount(mount, c"", &place.folder, place.name, flags)
}

pub(crate) fn c_str(bytes: &[u8]) -> Result<&CStr, Errno> {
    CStr::from_bytes_until_nul(bytes).map_err(|_| Errno::INVAL)
}
