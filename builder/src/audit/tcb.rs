//! What runs a build and is trusted for it, beside the seeds: PID 1, kernel, QEMU and its firmware.

use crate::args;
use crate::failure::Failure;
use crate::prepare::runner::Script;
use crate::run::kernel::{self, Kernel};
use crate::run::kernel_output;
use formats::digest::Sha256;
use graphs::Role;
use records::record::{self, About, BuiltFrom, Digest};
use std::path::{Path, PathBuf};

/// One trusted thing.
#[derive(Clone, Debug)]
pub struct Component {
    /// What it is.
    pub name: String,
    /// More about it, such as its version.
    pub about: String,
    /// Of its bytes.
    pub sha256: Sha256,
    /// Bytes.
    pub size: u64,
    /// The graph that built it, if one did.
    pub origin: Option<BuiltFrom>,
}

/// What is wrong with the tools that were asked for, as far as it costs nothing to know.
pub fn probe(tools: &args::Tools) -> Result<(), Failure> {
    let version = qemu::version(&tools.qemu).map_err(Failure::of_machine)?;
    if !version.starts_with("QEMU ") {
        let text =
            format!("`{}` is no QEMU: asked for its version, it says {version:?}", tools.qemu.display());
        return Err(Failure::machine(text));
    }
    kernel::probe(tools.kernel.as_deref())
}

/// The same where there is no QEMU.
pub fn probe_kernel(tools: &args::Tools) -> Result<(), Failure> {
    kernel::probe(tools.kernel.as_deref())
}

/// Everything that a disk which boots brings along: its loaders, its kernel, and PID 1, unless the kernel does without.
pub fn disk(kernel: &Kernel) -> Result<Vec<Component>, Failure> {
    let loader = |(name, bytes): (&str, Vec<u8>)| {
        let (about, size) = ("loader of the disk".into(), bytes.len() as u64);
        Component { name: name.into(), about, sha256: Sha256::of(&bytes), size, origin: None }
    };
    let mut parts: Vec<_> = images::disk::loaders().into_iter().map(loader).collect();
    parts.extend(own(kernel)?);
    Ok(parts)
}

/// The kernel, and PID 1 before it, unless it does without.
fn own(kernel: &Kernel) -> Result<Vec<Component>, Failure> {
    if kernel.is_footing() {
        return Ok(vec![part("footing", &kernel.about, &kernel.path)?]);
    }
    let about = kernel.origin.as_ref().map_or_else(|| kernel.about.clone(), kernel_output::about);
    let part = part("kernel", &about, &kernel.path)?;
    Ok(vec![init(), Component { origin: kernel.origin.clone(), ..part }])
}

/// What every machine has.
pub fn init() -> Component {
    let (about, size) = ("PID 1".into(), images::INIT.len() as u64);
    Component { name: "init".into(), about, sha256: Sha256::of(images::INIT), size, origin: None }
}

/// The machine that is this program itself, with footing in it.
pub fn this_program() -> Result<Component, Failure> {
    part("footing", "groundup itself, with its own kernel in it", &footing_native::machine::program())
}

/// Everything that a machine of QEMU's is made of: PID 1 first, unless the kernel does without.
pub fn parts(tools: &args::Tools, kernel: &Kernel) -> Result<Vec<Component>, Failure> {
    let version = qemu::version(&tools.qemu).map_err(Failure::of_machine)?;
    let program = find(&tools.qemu);
    let mut parts = own(kernel)?;
    parts.push(part("qemu", &version, &program)?);
    for firmware in qemu::machine::firmware(&tools.qemu, &kernel.path).map_err(Failure::of_machine)? {
        let name = firmware.file_name().unwrap_or_default().to_string_lossy().into_owned();
        parts.push(part(&name, "firmware", &firmware)?);
    }
    Ok(parts)
}

/// What carries the plan out in the place of our own PID 1, in the list of parts.
pub fn with_script(parts: &[Component], script: &Script) -> Result<Vec<Component>, Failure> {
    let sha256 = Sha256::of(&script.text);
    let about = "the plan as a shell script".to_owned();
    let mut all =
        vec![Component { name: "init".into(), about, sha256, size: script.text.len() as u64, origin: None }];
    all.push(part("busybox", "the shell of the script", &script.busybox)?);
    all.extend(parts.iter().filter(|part| part.name != "init").cloned());
    Ok(all)
}

/// A program for the image: nothing in there could load a library for it.
pub fn static_program(option: &str, path: &Path) -> Result<PathBuf, Failure> {
    let wrong = |what: &dyn std::fmt::Display| {
        let help = "name a static busybox: Debian's is /bin/busybox of the package busybox-static";
        Failure::help(format!("{option} {}: {what}", path.display()), help)
    };
    let bytes = std::fs::read(path).map_err(|error| wrong(&error))?;
    let file = object::read::elf::ElfFile64::<object::Endianness>::parse(&bytes[..])
        .map_err(|_| wrong(&"this is no ELF program of 64 bits"))?;
    let interpreted = file
        .elf_program_headers()
        .iter()
        .any(|header| header.p_type.get(object::Endianness::Little) == object::elf::PT_INTERP);
    if interpreted { Err(wrong(&"it is linked dynamically")) } else { Ok(path.into()) }
}

fn part(name: &str, about: &str, path: &Path) -> Result<Component, Failure> {
    let bytes =
        std::fs::read(path).map_err(|error| Failure::machine(format!("{}: {error}", path.display())))?;
    Ok(Component {
        name: name.into(),
        about: about.into(),
        sha256: Sha256::of(&bytes),
        size: bytes.len() as u64,
        origin: None,
    })
}

/// The file that a program's name stands for.
fn find(program: &Path) -> PathBuf {
    if program.components().count() > 1 {
        return program.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.is_file());
    found.unwrap_or_else(|| program.into())
}

/// The parts as in-toto resource descriptors.
pub fn descriptors(parts: &[Component]) -> Vec<record::Component> {
    let one = |part: &Component| record::Component {
        name: part.name.clone(),
        digest: Digest { sha256: part.sha256 },
        annotations: About { about: part.about.clone(), size: part.size, built_from: part.origin.clone() },
    };
    parts.iter().map(one).collect()
}

/// A role in a word.
pub fn role(role: Role) -> &'static str {
    match role {
        Role::Seed => "seed",
        Role::Source => "source",
    }
}
