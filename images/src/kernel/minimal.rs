//! The minimal kernel: built from source with [`CONFIG`] by [`SCRIPT`], on this machine and with its compiler.
//!
//! What comes of one compiler is the same bytes in every folder, for every user, at any time; so the result is kept under
//! the hash of all that goes into it: the source, the configuration, the script, and the compiler's, assembler's and
//! linker's own bytes. `CACHE/kernels/recipe-…` names the last one that was built or asked for of a
//! source, a configuration and a script: versions of this program that differ in these share a cache.
//!
//! That key says what the kernel should be made of, and nothing but another build can say that it is: a kernel that is taken
//! from the cache is hashed, but whoever can write there can change it and its hash. [`Kernel::about`] says so of every
//! kernel that was not built in the same run. Whoever does not trust the cache builds it in another: `--cache DIR`.
//!
//! ```text
//! kernels/recipe-RECIPE   BUILD
//! kernels/minimal-BUILD   SHA256-OF-VMLINUX SHA256-OF-BZIMAGE OPTIONS ABOUT…
//! ```

use super::{Error, Kernel, at, folder, keep, output};
use formats::digest::Sha256;
use rustix::process::{Pid, Signal, kill_process_group};
use std::fs;
use std::io::{self, Read, Seek};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The configuration: options over `allnoconfig`, each with its reason.
pub const CONFIG: &str = include_str!("../../minimal.config");
/// What builds it.
pub const SCRIPT: &str = include_str!("../../build-kernel.sh");

/// Programs that the build calls, and Debian's packages that have them. What every Debian system has is not here.
const TOOLS: [(&str, &str); 8] = [
    ("gcc", "gcc"),
    ("ld", "binutils"),
    ("make", "make"),
    ("flex", "flex"),
    ("bison", "bison"),
    ("bc", "bc"),
    ("awk", "mawk"),
    ("xz", "xz-utils"),
];
/// The same for headers: what the build compiles programs for itself with.
const HEADERS: [(&str, &str); 2] = [("stdio.h", "libc6-dev"), ("gelf.h", "libelf-dev")];

/// How much of what a failed build said is shown, in bytes.
const SAID: u64 = 2000;

/// A minimal kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minimal {
    /// As an ELF file, which QEMU boots directly.
    pub elf: Kernel,
    /// As a bzImage, for everything else.
    pub bzimage: Kernel,
    /// How many options are on in it, those that others need included.
    pub options: usize,
}

/// What a kernel is built from. `identity` stands for the source: two that differ have different ones.
fn recipe(identity: &str) -> String {
    Sha256::of([identity, CONFIG, SCRIPT].map(|part| Sha256::of(part).to_string()).concat()).to_string()
}

/// The kernel that was built last in this cache of this source, if it is there and intact.
pub fn built(cache: &Path, identity: &str) -> Option<Minimal> {
    let folder = cache.join("kernels");
    let build = fs::read_to_string(folder.join(last(&recipe(identity)))).ok()?;
    kept(&folder, build.trim_end()).map(unverified)
}

/// The file that names the last build of a recipe.
fn last(recipe: &str) -> String {
    format!("recipe-{recipe}")
}

/// The same, and it is said that it was built before.
fn unverified(minimal: Minimal) -> Minimal {
    let of = |kernel: Kernel| Kernel { about: format!("{}{UNVERIFIED}", kernel.about), ..kernel };
    Minimal { elf: of(minimal.elf), bzimage: of(minimal.bzimage), ..minimal }
}

/// What is said of a kernel that was not built now.
const UNVERIFIED: &str = ", from the cache and not built again";

fn kept(folder: &Path, build: &str) -> Option<Minimal> {
    let text = fs::read_to_string(folder.join(format!("minimal-{build}"))).ok()?;
    let [elf, bzimage, options, about] =
        text.trim_end().splitn(4, ' ').collect::<Vec<_>>().try_into().ok()?;
    Some(Minimal {
        elf: Kernel::kept(folder, elf, about)?,
        bzimage: Kernel::kept(folder, bzimage, about)?,
        options: options.parse().ok()?,
    })
}

/// The minimal kernel of the source that `obtain` gives, which is asked for only if there is something to build. `version` is
/// the source's, for people. `say` is called with what takes its time; `cancel` ends it.
pub fn build<E: From<Error>>(
    cache: &Path,
    identity: &str,
    version: &str,
    obtain: impl FnOnce() -> Result<PathBuf, E>,
    say: impl FnOnce(&str),
    cancel: &AtomicBool,
) -> Result<Minimal, E> {
    let folder = folder(cache)?;
    check_tools()?;
    let compiler = Compiler::find()?;
    let recipe = recipe(identity);
    let build = Sha256::of(format!("{recipe} {}", compiler.sha256)).to_string();
    let minimal = match kept(&folder, &build) {
        Some(minimal) => unverified(minimal),
        None => {
            let path = folder.canonicalize().map_err(at(&folder))?;
            if path.to_string_lossy().contains([' ', '\t', '\n', ':']) {
                return Err(Error::Folder(path).into());
            }
            let source = obtain()?;
            say("building the minimal kernel, which takes some minutes");
            make(&folder, &source, &build, &format!("linux {version} minimal, {}", compiler.name), cancel)?
        }
    };
    keep(&folder.join(last(&recipe)), format!("{build}\n").as_bytes())?;
    Ok(minimal)
}

/// Runs the script and keeps what it makes.
fn make(
    folder: &Path,
    source: &Path,
    build: &str,
    about: &str,
    cancel: &AtomicBool,
) -> Result<Minimal, Error> {
    let work = tempfile::Builder::new().prefix("build-").tempdir_in(folder).map_err(at(folder))?;
    let file = |name: &str| work.path().join(name);
    for (name, text) in [("minimal.config", CONFIG), ("build.sh", SCRIPT)] {
        fs::write(file(name), text).map_err(at(&file(name)))?;
    }
    let source = source.canonicalize().map_err(at(source))?;
    let jobs = std::thread::available_parallelism().map_or(1, usize::from).to_string();
    let log = tempfile::tempfile_in(work.path()).map_err(at(work.path()))?;
    let clone = || log.try_clone().map_err(at(work.path()));
    let mut command = Command::new("sh");
    command.arg(file("build.sh")).arg(source).arg(file("minimal.config")).arg(file("out")).arg(jobs);
    // Nothing of the caller's environment but where programs are: make and the kernel's makefiles would heed it.
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.current_dir(work.path()).stdin(Stdio::null()).stdout(clone()?).stderr(clone()?);
    let status = run(&mut command, cancel)?;
    if !status.success() {
        let said = tail(log).map_err(at(work.path()))?;
        return Err(Error::Build { status: status.to_string(), said });
    }
    let read = |name: &str| {
        let path = file("out").join(name);
        fs::read(&path).map_err(at(&path))
    };
    let config = String::from_utf8_lossy(&read("config")?).into_owned();
    let minimal = Minimal {
        elf: Kernel::keep(folder, &read("vmlinux")?, about)?,
        bzimage: Kernel::keep(folder, &read("bzImage")?, about)?,
        options: config.lines().filter(|line| line.ends_with("=y")).count(),
    };
    let line = format!("{} {} {} {about}\n", minimal.elf.sha256, minimal.bzimage.sha256, minimal.options);
    keep(&folder.join(format!("minimal-{build}")), line.as_bytes())?;
    Ok(minimal)
}

/// Runs a build to its end, or ends it with all that it started.
fn run(command: &mut Command, cancel: &AtomicBool) -> Result<std::process::ExitStatus, Error> {
    let mut child = command.process_group(0).spawn().map_err(|_| Error::NoProgram("sh"))?;
    loop {
        if let Some(status) = child.try_wait().map_err(at(Path::new("sh")))? {
            return Ok(status);
        }
        if cancel.load(Ordering::Relaxed) {
            // make ends its own children when it is asked to end; those that heed nobody end with their own work.
            let _ = kill_process_group(Pid::from_child(&child), Signal::TERM);
            let _ = child.wait();
            return Err(Error::Cancelled);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn tail(mut log: fs::File) -> io::Result<String> {
    let length = log.metadata()?.len();
    log.seek(io::SeekFrom::Start(length.saturating_sub(SAID)))?;
    let mut bytes = Vec::new();
    log.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
}

/// The compiler, assembler and linker of this machine.
struct Compiler {
    name: String,
    sha256: Sha256,
}

impl Compiler {
    fn find() -> Result<Compiler, Error> {
        let ask = |argument: &str| {
            let output = output(Command::new("gcc").arg(argument), "gcc")?;
            Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned())
        };
        let mut hashes = String::new();
        for part in ["cc1", "as", "ld"] {
            let path = PathBuf::from(ask(&format!("-print-prog-name={part}"))?);
            // A bare name is one that the shell would look for.
            let path = if path.components().count() == 1 { find(&path).unwrap_or(path) } else { path };
            hashes += &Sha256::of(fs::read(&path).map_err(at(&path))?).to_string();
        }
        Ok(Compiler { name: ask("--version")?, sha256: Sha256::of(hashes) })
    }
}

/// Names all that is missing at once.
fn check_tools() -> Result<(), Error> {
    let program = |(name, _): &&(&str, &str)| find(Path::new(name)).is_none();
    let mut lacking: Vec<_> = TOOLS.iter().filter(program).collect();
    if !lacking.iter().any(|(name, _)| *name == "gcc") {
        lacking.extend(HEADERS.iter().filter(|(name, _)| !has_header(name)));
    }
    if lacking.is_empty() {
        return Ok(());
    }
    let (missing, packages) = lacking.into_iter().copied().unzip();
    Err(Error::NoTools { missing, packages })
}

fn has_header(name: &str) -> bool {
    let mut command = Command::new("gcc");
    command.args(["-fsyntax-only", "-x", "c", "-include", name, "/dev/null"]);
    output(&mut command, "gcc").is_ok_and(|output| output.status.success())
}

/// A program in PATH.
fn find(name: &Path) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_stands_below_its_reason() {
        let mut reason = false;
        for line in CONFIG.lines() {
            assert!(line.is_empty() || line.starts_with("# ") || line.starts_with("CONFIG_"), "{line}");
            reason = line.starts_with("# ") || (reason && !line.is_empty());
            assert!(reason || line.is_empty(), "{line}");
        }
        let mut options: Vec<_> = CONFIG.lines().filter(|line| line.starts_with("CONFIG_")).collect();
        let count = options.len();
        options.sort_unstable();
        options.dedup();
        assert_eq!(options.len(), count);
    }

    #[test]
    fn what_is_kept_is_used_only_for_the_same_recipe_and_while_it_is_intact() {
        let cache = tempfile::tempdir().unwrap();
        let folder = folder(cache.path()).unwrap();
        let (elf, bzimage) =
            (Kernel::keep(&folder, b"elf", "a b").unwrap(), Kernel::keep(&folder, b"bz", "a b").unwrap());
        assert_eq!(built(cache.path(), "x"), None);
        fs::write(folder.join(last(&recipe("x"))), "7\n").unwrap();
        fs::write(folder.join("minimal-7"), format!("{} {} 400 a b\n", elf.sha256, bzimage.sha256)).unwrap();
        assert_eq!(built(cache.path(), "y"), None);
        let found = built(cache.path(), "x").unwrap();
        let said = |kernel: &Kernel| Kernel { about: format!("a b{UNVERIFIED}"), ..kernel.clone() };
        assert_eq!((found.elf, found.bzimage, found.options), (said(&elf), said(&bzimage), 400));
        fs::write(elf.path, "other").unwrap();
        assert_eq!(built(cache.path(), "x"), None);
    }
}
