//! The kernel that was asked for: Debian's, the minimal one, footing, an output of a graph, or a file.

use crate::args;
use crate::failure::Failure;
use crate::run::kernel_output::{self, is_kernel};
use crate::ui::fetching::Fetching;
use crate::ui::term;
use graphs::Input;
use images::kernel::minimal::{self, Minimal};
use inputs::{InputCache, InputSpec};
use records::record::BuiltFrom;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// The graph of the minimal kernel, which says what its source is.
const GRAPH: &str = include_str!("../../../graphs/kernel.ron");
/// The source's name in it.
const SOURCE: &str = "linux";

/// A kernel that is there.
pub struct Kernel {
    /// The file.
    pub path: PathBuf,
    /// What it is.
    pub about: String,
    /// The graph that built it, if one was asked to.
    pub origin: Option<BuiltFrom>,
}

impl Kernel {
    /// Whether it is footing, which carries out the plan itself: nothing starts PID 1.
    pub fn is_footing(&self) -> bool {
        self.about == images::kernel::FOOTING
    }
}

impl From<images::kernel::Kernel> for Kernel {
    fn from(kernel: images::kernel::Kernel) -> Kernel {
        Kernel { path: kernel.path, about: kernel.about, origin: None }
    }
}

/// The kernel that was asked for; nothing is built for it. Without a wish it is the minimal one if there is one; but that has
/// one CPU, so not for `several`.
pub fn kernel(tools: &args::Tools, cache: &Path, several: bool) -> Result<Kernel, Failure> {
    let built = || Ok::<_, Failure>(minimal::built(cache, &identity(&source()?)));
    let debian = || Ok(Kernel::from(images::kernel::debian(cache).map_err(Failure::machine)?));
    let kernel = match tools.kernel.as_deref() {
        Some("debian") => return debian(),
        Some("minimal") => match built()? {
            Some(minimal) => return Ok(minimal.elf.into()),
            None => {
                let help = "build it with `groundup kernel minimal`; --kernel debian needs no build";
                return Err(Failure::help("--kernel minimal: there is none in this cache", help));
            }
        },
        Some("footing") => return Ok(images::kernel::footing(cache).map_err(Failure::machine)?.into()),
        Some(name) => {
            let (path, origin) = tools.built.get(name).cloned().unzip();
            let path = path.unwrap_or_else(|| name.into());
            return Ok(Kernel { path, about: String::new(), origin });
        }
        None if several => debian()?,
        None => match built()? {
            Some(minimal) => minimal.elf.into(),
            None => debian()?,
        },
    };
    term::note(&format!("kernel {}", kernel.about));
    Ok(kernel)
}

/// Whether a kernel that was named can be one, as far as it costs nothing to know.
pub fn probe(wish: Option<&str>) -> Result<(), Failure> {
    let Some(name) = wish.filter(|name| !["minimal", "debian", "footing"].contains(name)) else {
        return Ok(());
    };
    if kernel_output::is_meant(name) {
        return kernel_output::probe(name);
    }
    let mut start = Vec::new();
    File::open(name).and_then(|file| file.take(1024).read_to_end(&mut start)).map_err(|error| {
        let help = "name a kernel that can be read, or `debian` for Debian's by package name";
        Failure::help(format!("--kernel {name}: {error}"), help)
    })?;
    if !is_kernel(&start) {
        let text = format!(
            "--kernel {name}: this is no kernel for x86 (a bzImage such as /boot/vmlinuz-*, or an ELF file)"
        );
        return Err(Failure::machine(text));
    }
    Ok(())
}

/// Builds the minimal kernel, unless the cache has what this machine's compiler makes.
pub fn minimal(store: &InputCache, cache: &Path, cancel: &AtomicBool) -> Result<Minimal, Failure> {
    let source = source()?;
    let obtain = || {
        let spec = InputSpec::new(SOURCE, &source, Path::new("."));
        let fetching = Fetching::start();
        let obtained = store.obtain(&spec, None, &fetching);
        fetching.finish();
        obtained.map(|obtained| obtained.path).map_err(|error| Error::Other(Failure::machine(error)))
    };
    minimal::build(cache, &identity(&source), &version(&source), obtain, term::note, cancel).map_err(
        |error| match error {
            Error::Other(failure) => failure,
            Error::Build(images::kernel::Error::Cancelled) => Failure::machine(crate::failure::CANCELLED),
            Error::Build(error) => Failure::machine(error),
        },
    )
}

/// Why there is no minimal kernel.
enum Error {
    Build(images::kernel::Error),
    Other(Failure),
}

impl From<images::kernel::Error> for Error {
    fn from(error: images::kernel::Error) -> Error {
        Error::Build(error)
    }
}

fn source() -> Result<Input, Failure> {
    let (mut graph, _) = graphs::load("kernel.ron", GRAPH).map_err(Failure::Problems)?;
    graph.sources.remove(SOURCE).ok_or_else(|| Failure::input("kernel.ron has no source of that name"))
}

/// What the graph says of the source, but not where it may be had.
fn identity(source: &Input) -> String {
    let Input { from: _, sha256, executable, unpack, strip, pick, exec: _ } = source;
    crate::hash(format!("{sha256:?} {executable} {unpack} {strip} {pick:?}").as_bytes())
}

fn version(source: &Input) -> String {
    let versions = source.from.iter().find_map(|place| match place {
        graphs::Place::DebianSource { version, .. } => Some(version.clone()),
        _ => None,
    });
    versions.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_graph_builds_what_is_built_on_the_host() {
        let (graph, _) = graphs::load("kernel.ron", GRAPH).unwrap();
        let pinned = |name: &str| graph.sources[name].sha256.clone();
        assert_eq!(pinned("minimal.config"), Some(crate::hash(minimal::CONFIG.as_bytes())));
        assert_eq!(pinned("build.sh"), Some(crate::hash(minimal::SCRIPT.as_bytes())));
        assert_eq!(version(&source().unwrap()), "6.1.176-1");
    }
}
