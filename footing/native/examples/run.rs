//! Runs a program of a directory under footing: `run DIRECTORY PROGRAM [ARGUMENT]...`. What the program writes stays in memory; `OUT=PATH` writes
//! that file or directory of the tree, as it is in the end, into the directory `OUT_DIR`.

#![allow(unsafe_code, reason = "files are mapped for good")]

use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use footing_core::kernel::{End, Kernel, Settings, StepSettings};
use footing_core::tree::{Data, File, Folder, Kind, Meta, NodeId, Tree};

fn load(tree: &mut Tree, parent: NodeId, from: &Path) {
    let mut entries: Vec<_> =
        fs::read_dir(from).expect("a directory").map(|entry| entry.expect("an entry")).collect();
    entries.sort_by_key(|entry| entry.file_name());
    for entry in entries {
        let path = entry.path();
        let status = fs::symlink_metadata(&path).expect("a file");
        let meta =
            Meta { mode: status.permissions().mode() & 0o7777, uid: 1000, gid: 1000, time: 1_000_000_000 };
        let name = entry.file_name();
        let kind = if status.is_dir() {
            Kind::Folder(Folder::default())
        } else if status.is_symlink() {
            Kind::Link(fs::read_link(&path).expect("a link").into_os_string().into_vec().into())
        } else if status.is_file() {
            Kind::File(File::new(Data::Fixed(map(&path))))
        } else {
            continue;
        };
        let node = tree.add(parent, name.as_bytes(), kind, meta).expect("room");
        if status.is_dir() {
            load(tree, node, &path);
        }
    }
}

/// The bytes of a file, mapped for good.
fn map(path: &Path) -> &'static [u8] {
    let file = fs::File::open(path).expect("a readable file");
    let size = file.metadata().expect("a size").size() as usize;
    if size == 0 {
        return &[];
    }
    // SAFETY: the mapping is private, never unmapped, and nothing writes the file while this example runs.
    unsafe {
        use std::os::fd::AsRawFd;
        let at =
            libc::mmap(std::ptr::null_mut(), size, libc::PROT_READ, libc::MAP_PRIVATE, file.as_raw_fd(), 0);
        assert!(at != libc::MAP_FAILED);
        std::slice::from_raw_parts(at.cast(), size)
    }
}

fn main() {
    let mut arguments = std::env::args_os().skip(1);
    let directory = arguments.next().expect("a directory");
    let argv: Vec<Vec<u8>> = arguments.map(OsStringExt::into_vec).collect();
    let native = footing_native::Native::new(None).expect("the host allows it");
    let mut kernel = Kernel::new(native, Settings::default());
    let volume = kernel.tree.volume(4 << 30, false, 1);
    let root_meta = Meta { mode: 0o755, uid: 1000, gid: 1000, time: 0 };
    let root = kernel.tree.root(volume, root_meta).expect("room");
    load(&mut kernel.tree, root, Path::new(&directory));
    for (name, mode) in [(&b"dev"[..], 0o755), (b"proc", 0o555), (b"tmp", 0o1777)] {
        if kernel.tree.folder(root).expect("a root").get(name).is_none() {
            let kind = Kind::Folder(Folder::default());
            kernel.tree.add(root, name, kind, Meta { mode, ..root_meta }).expect("room");
        }
    }
    let folder = |tree: &Tree, name: &[u8]| tree.folder(root).expect("a root").get(name).expect("made");
    let dev = folder(&kernel.tree, b"dev");
    for (name, number) in
        [(&b"null"[..], 3), (b"zero", 5), (b"full", 7), (b"random", 8), (b"urandom", 9), (b"tty", 0)]
    {
        let major = if number == 0 { 5 } else { 1 };
        let meta = Meta { mode: 0o666, ..root_meta };
        let _ = kernel.tree.add(dev, name, Kind::Device(major, number), meta);
    }
    let link = |text: &[u8]| Kind::Link(text.into());
    for (name, to) in [
        (&b"fd"[..], &b"/proc/self/fd"[..]),
        (b"stdin", b"/proc/self/fd/0"),
        (b"stdout", b"/proc/self/fd/1"),
        (b"stderr", b"/proc/self/fd/2"),
    ] {
        let _ = kernel.tree.add(dev, name, link(to), root_meta);
    }
    let proc = folder(&kernel.tree, b"proc");
    kernel.make_proc(proc).expect("room");
    let envp = std::env::vars().filter_map(|(name, value)| {
        name.strip_prefix("G_").map(|name| format!("{name}={value}").into_bytes())
    });
    let step = StepSettings {
        builder: argv[0].clone(),
        argv: argv.clone(),
        envp: envp.collect(),
        cwd: b"/".to_vec(),
        uid: 1000,
        gid: 1000,
        umask: 0o22,
        clock: 1_577_836_800,
        hostname: b"groundup".to_vec(),
        limits: {
            let mut limits = [(u64::MAX, u64::MAX); 16];
            limits[3].0 = 8 << 20;
            limits[7] = (1024, 4096);
            limits
        },
        process_limit: 4096,
        ..StepSettings::default()
    };
    let outcome = kernel.run_step(root, step, &mut |bytes| {
        use std::io::Write;
        let _ = std::io::stdout().write_all(bytes);
    });
    eprintln!(
        "{:?} calls {} time {} ms unknown {:?}",
        outcome.end,
        outcome.calls,
        outcome.time / 1_000_000,
        outcome.unknown
    );
    eprintln!("{:?} own calls {}", kernel.platform.counts, kernel.platform.own_calls());
    std::process::exit(i32::from(outcome.end != End::Exited(0)));
}
