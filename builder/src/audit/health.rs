//! What works on this host: each machine builds a step of the graph that is built in, and the rest is asked.

use crate::args::{self, Choices, MachineName, QEMU, Tools};
use crate::failure::Failure;
use crate::prepare::graph::Source;
use crate::prepare::{self, prepare, store};
use crate::run::executor::{Setting, unit};
use crate::run::kernel;
use crate::run::machinery::Machinery;
use crate::ui::running::Running;
use crate::ui::term;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// A step of the built-in graph: a program of a few hundred bytes.
const STEP: &str = "hex0-self";
/// A machine takes a second; on a busy host perhaps a minute.
const LIMIT: Duration = Duration::from_secs(120);
/// Debian's package lists, a kernel and the packages of a compiler take about so many bytes.
const ROOM: u64 = 2 << 30;

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It was tried, and works.
    Works,
    /// It was tried, and does not.
    Fails,
    /// It is there or not, and nothing hangs on it.
    Note,
}

impl State {
    /// As a person reads it.
    pub fn word(self) -> &'static str {
        match self {
            State::Works => "works",
            State::Fails => "fails",
            State::Note => "note",
        }
    }
}

/// One check.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// Of what.
    pub name: String,
    /// What came of it.
    pub state: State,
    /// What was seen.
    pub about: String,
    /// What to do.
    pub help: Option<String>,
}

impl Check {
    fn new(name: &str, state: State, about: impl Into<String>, help: Option<&str>) -> Check {
        Check { name: name.into(), state, about: about.into(), help: help.map(str::to_owned) }
    }
}

/// All checks, those of machines first.
pub fn checks(cache_args: &args::Cache) -> Vec<Check> {
    let cache = prepare::cache(cache_args);
    let minimal = kernel::kernel(&tools("minimal"), &cache, false).is_ok();
    let booted = if minimal { "minimal" } else { "footing" };
    let mut checks = vec![
        machine(
            MachineName::Native,
            "footing",
            cache_args,
            "where this is forbidden, strict builds the same",
        ),
        machine(
            MachineName::Host,
            "footing",
            cache_args,
            "let this user make user namespaces, or run as root",
        ),
        machine(MachineName::Strict, booted, cache_args, "apt-get install qemu-system-x86"),
    ];
    let apt = apt();
    checks.push(match (minimal, apt.state) {
        (true, _) => Check::new("kernel", State::Works, "the minimal kernel is built, and was booted", None),
        (false, State::Works) => Check::new(
            "kernel",
            State::Note,
            "none was booted but footing: Debian's is fetched by apt at the first run in strict",
            Some("groundup kernel minimal, which boots in a fifth of the time"),
        ),
        (false, _) => Check::new(
            "kernel",
            State::Fails,
            "there is none but footing, and apt can't fetch Debian's",
            Some("name one with --kernel, or take --kernel footing"),
        ),
    });
    checks.push(apt);
    checks.push(disk(&cache));
    let kvm = if Path::new("/dev/kvm").exists() { "/dev/kvm is there" } else { "there is no /dev/kvm" };
    checks.push(Check::new("kvm", State::Note, format!("{kvm}; only the machine fast gains by it"), None));
    checks
}

/// Whether the default machine works, with a kernel.
pub fn works(checks: &[Check]) -> bool {
    let fails = |check: &&Check| check.state == State::Fails;
    !checks.iter().filter(fails).any(|check| ["strict", "kernel", "disk"].contains(&check.name.as_str()))
}

fn tools(kernel: &str) -> Tools {
    Tools { kernel: Some(kernel.into()), qemu: QEMU.into(), built: BTreeMap::new() }
}

/// Builds the step there.
fn machine(machine: MachineName, kernel: &str, cache: &args::Cache, help: &str) -> Check {
    let begun = Instant::now();
    match build(machine, kernel, cache) {
        Ok(hash) => {
            let with = if machine == MachineName::Strict { format!(" on {kernel}") } else { String::new() };
            let (time, short) = (begun.elapsed().as_secs_f32(), &hash[..16]);
            Check::new(
                machine.word(),
                State::Works,
                format!("built a step{with} in {time:.1} s: {short}…"),
                None,
            )
        }
        Err(failure) => {
            let text = failure.to_string();
            let first = text.lines().next().unwrap_or_default().to_owned();
            Check::new(machine.word(), State::Fails, first, Some(help))
        }
    }
}

fn build(machine: MachineName, kernel: &str, cache_args: &args::Cache) -> Result<String, Failure> {
    let source = Source::open(None)?;
    let mut graph = source.graph()?;
    graph.targets = vec![STEP.into()];
    let choices = Choices { choose: vec![], keep_going: false };
    let prepared = prepare(&source, graph, &choices, &store(cache_args)?)?;
    let (tools, cache) = (tools(kernel), prepare::cache(cache_args));
    let setting = Setting {
        machine,
        tools: &tools,
        machinery: &Machinery::obtain(&[machine], &tools, &cache)?,
        cpus: 1,
        memory: None,
        time_limit: LIMIT,
        console: None,
        out: None,
        record: None,
        logs: None,
        cache: &cache,
    };
    let ended = unit(&source, &prepared, &setting, &mut Running::quiet(), &AtomicBool::new(false))?;
    ended.verdict?;
    let made = ended.results.good().next().map(|output| output.sha256.to_string());
    made.ok_or_else(|| Failure::machine("the step made nothing"))
}

/// Whether packages can be fetched by name.
fn apt() -> Check {
    let output = Command::new("apt-cache").args(["policy", "libc6"]).stderr(Stdio::null()).output();
    let help = "other places of inputs need no apt; on Debian: apt-get update";
    match output {
        Err(_) => Check::new(
            "apt",
            State::Fails,
            "there is no apt-cache: inputs from Debian can't be had",
            Some(help),
        ),
        Ok(output)
            if String::from_utf8_lossy(&output.stdout).contains("Candidate: (none)")
                || output.stdout.is_empty() =>
        {
            Check::new("apt", State::Fails, "apt has no package lists", Some("apt-get update"))
        }
        Ok(_) => Check::new("apt", State::Works, "it has package lists; no package was fetched now", None),
    }
}

/// The room in the cache folder.
fn disk(cache: &Path) -> Check {
    let there = cache.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    let free = match rustix::fs::statvfs(there) {
        Ok(stat) => stat.f_bavail.saturating_mul(stat.f_frsize),
        Err(error) => return Check::new("disk", State::Fails, format!("{}: {error}", there.display()), None),
    };
    let about = format!("{} free in {}", term::size(free), cache.display());
    let help = "make room, or name another cache folder with --cache DIR";
    match free < ROOM {
        true => {
            Check::new("disk", State::Fails, format!("{about}, less than {}", term::size(ROOM)), Some(help))
        }
        false => Check::new("disk", State::Works, about, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_machine_needs_qemu_a_kernel_and_room_alone() {
        let of = |name: &str| vec![Check::new(name, State::Fails, "", None)];
        assert!(["native", "host", "apt", "kvm"].iter().all(|name| works(&of(name))));
        assert!(["strict", "kernel", "disk"].iter().all(|name| !works(&of(name))));
    }
}
