//! `apt`, as the machine has it set up: its mirrors, proxies, keys and sandbox, read by `apt`'s own programs.
//!
//! Every call gets a configuration file of ours after the machine's (`-c`, apt.conf(5)): a dpkg status of nothing, so
//! that what is installed here has no say; caches of ours, so that no root is needed; and none of the machine's hooks.
//! Mirrors are read from `apt-get update --print-uris` with empty lists, which prints
//! `'MIRROR/dists/SUITE/InRelease' …` for list and deb822 styles alike, also where no list was ever fetched (where
//! `apt-get indextargets` prints nothing).

mod text;

use super::{child, error::Reason, pace::Pace};
use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, SystemTime},
};
use text::{errors, received, repositories, sources};

pub use text::Repository;

const HELPER: &str = "/usr/lib/apt/apt-helper";
/// A download has to bring so many bytes a second on average,
const RATE: u64 = 1 << 10;
/// in every span of this length; `apt` itself waits that long for a connection.
const WINDOW: Duration = Duration::from_secs(120);
/// Which lists a state looks into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lists {
    /// The machine's, as they are.
    Machine,
    /// The machine's sources, fetched into our own folder.
    Own,
    /// The machine's mirrors with a suite of Debian's, binary or source, fetched into our own folder.
    Suite { suite: String, source: bool },
}

/// One configuration of `apt`.
#[derive(Debug)]
pub struct State {
    lists: Lists,
    folder: PathBuf,
}

impl State {
    /// Writes what `apt` needs below `parent`. Whoever calls holds a lock on the state's folder name.
    pub fn open(parent: &Path, lists: Lists, repositories: &[Repository]) -> Result<Self, Reason> {
        let folder = parent.join(name(&lists));
        let state = State { lists, folder };
        state.prepare(repositories).map_err(|source| Reason::Read { path: state.folder.clone(), source })?;
        Ok(state)
    }

    fn prepare(&self, repositories: &[Repository]) -> io::Result<()> {
        fs::create_dir_all(self.folder.join("lists/partial"))?;
        fs::create_dir_all(self.folder.join("cache/archives/partial"))?;
        replace(&self.folder.join("status"), "")?;
        let mut conf = CLEAR.to_owned();
        let at = |path: &str| self.folder.join(path).display().to_string();
        let mut set = |key: &str, value: &str| conf.push_str(&format!("{key} \"{value}\";\n"));
        set("Dir::State::status", &at("status"));
        set("Dir::Cache", &at("cache/"));
        set("Dir::Cache::pkgcache", "pkgcache.bin");
        set("Dir::Cache::srcpkgcache", "");
        if self.lists != Lists::Machine {
            set("Dir::State::lists", &at("lists/"));
            set("Acquire::Languages", "none");
        }
        if let Lists::Suite { suite, source } = &self.lists {
            replace(&self.folder.join("sources.list"), &sources(suite, *source, repositories))?;
            set("Dir::Etc::sourcelist", &at("sources.list"));
            set("Dir::Etc::sourceparts", "-");
            set("Dir::Etc::preferences", "/dev/null");
            set("Dir::Etc::preferencesparts", "/dev/null");
            set("APT::Default-Release", "");
        }
        replace(&self.conf(), &conf)
    }

    fn conf(&self) -> PathBuf {
        self.folder.join("apt.conf")
    }

    /// Since when our lists are as they are; the machine's are not ours to judge.
    pub fn age(&self) -> Option<Duration> {
        let stamp = fs::metadata(self.folder.join("stamp")).ok()?.modified().ok()?;
        Some(SystemTime::now().duration_since(stamp).unwrap_or_default())
    }

    /// Fetches the lists. A suite that a mirror doesn't have is no failure as long as another has it.
    pub fn refresh(&self) -> Result<(), Reason> {
        let (_, said) = run("apt-get", "apt", &["-c", &self.conf().to_string_lossy(), "update", "-q"])?;
        let created = match self.lists {
            Lists::Suite { source: true, .. } => "Created-By: Sources",
            _ => "Created-By: Packages",
        };
        let listed =
            self.query("apt-get", &["indextargets", "--format", "$(RELEASE) $(FILENAME)", created])?;
        let main = |line: &str| match (&self.lists, line.split_once(' ')) {
            (Lists::Suite { suite, .. }, Some((release, file))) => {
                release == suite && Path::new(file).exists()
            }
            (_, Some((_, file))) => Path::new(file).exists(),
            _ => false,
        };
        if !listed.lines().any(main) {
            return Err(Reason::Program { program: "apt-get update", what: errors(&said) });
        }
        fs::write(self.folder.join("stamp"), "")
            .map_err(|source| Reason::Read { path: self.folder.clone(), source })
    }

    /// What a program of `apt` prints under this configuration.
    pub fn query(&self, program: &'static str, args: &[&str]) -> Result<String, Reason> {
        let conf = self.conf();
        let conf = conf.to_string_lossy();
        let all: Vec<&str> = ["-c", &conf].into_iter().chain(args.iter().copied()).collect();
        Ok(run(program, "apt", &all)?.0)
    }

    /// What `apt` would install to have these packages, `NAME=VERSION` each.
    pub fn simulate(&self, packages: &[String]) -> Result<Vec<String>, Reason> {
        let conf = self.conf();
        let conf = conf.to_string_lossy();
        let fixed = ["-c", &conf, "install", "-s", "-q", "--no-install-recommends", "--"];
        let args: Vec<&str> = fixed.into_iter().chain(packages.iter().map(String::as_str)).collect();
        let (printed, said) = run("apt-get", "apt", &args)?;
        if said.lines().any(|line| line.starts_with("E: ")) {
            return Err(Reason::Program { program: "apt-get install", what: text::unmet(&printed, &said) });
        }
        Ok(text::installed(&printed))
    }

    /// The mirrors that the machine's sources name, with their suites; this state's lists must be empty.
    pub fn repositories(&self) -> Result<Vec<Repository>, Reason> {
        Ok(repositories(&self.query("apt-get", &["update", "--print-uris"])?))
    }

    /// Downloads with `apt`'s own methods; tells the size of the file as it grows.
    pub fn download(
        &self,
        uri: &str,
        to: &Path,
        sha256: &str,
        grown: &mut dyn FnMut(u64),
    ) -> Result<(), Reason> {
        let mut command = Command::new(HELPER);
        command
            .arg("-c")
            .arg(self.conf())
            .args(["-q", "download-file", uri])
            .arg(to)
            .arg(format!("SHA256:{sha256}"));
        command.env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let program = |what: String| Reason::Program { program: "apt-helper", what };
        let mut child = command.spawn().map_err(|error| missing(error, "apt-helper", "apt"))?;
        let mut pipe = child.stderr.take();
        let said = std::thread::spawn(move || {
            let mut said = String::new();
            pipe.as_mut().map(|pipe| pipe.read_to_string(&mut said));
            said
        });
        let mut pace = Pace::new(WINDOW, RATE, fs::metadata(to).map(|meta| meta.len()).unwrap_or(0));
        let status = loop {
            if let Some(status) = child.try_wait().map_err(|error| program(error.to_string()))? {
                break status;
            }
            let done = fs::metadata(to).map(|meta| meta.len()).unwrap_or(0);
            grown(done);
            if let Some((bytes, window)) = pace.slow(done) {
                let _ = child.kill();
                let _ = child.wait();
                return Err(Reason::Slow { bytes, seconds: window.as_secs(), rate: RATE });
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        let said = said.join().unwrap_or_default();
        let _ = fs::remove_file(with_ending(to, ".FAILED"));
        match received(&said) {
            _ if status.success() => Ok(()),
            Some((found, size)) => Err(Reason::WrongHash { expected: sha256.into(), found, size }),
            None => Err(Reason::Mirror { code: text::status(&said), what: errors(&said) }),
        }
    }
}

/// No hook of the machine's runs for lists of ours, and nothing is fetched but what resolves packages.
const CLEAR: &str = "\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear Acquire::IndexTargets::deb::DEP-11;
#clear Acquire::IndexTargets::deb::DEP-11-icons-small;
#clear Acquire::IndexTargets::deb::DEP-11-icons;
#clear Acquire::IndexTargets::deb::DEP-11-icons-hidpi;
#clear Acquire::IndexTargets::deb::DEP-11-icons-large;
#clear Acquire::IndexTargets::deb::DEP-11-icons-large-hidpi;
#clear Acquire::IndexTargets::deb::Contents-deb;
APT::Sandbox::User \"root\";
Debug::NoLocking \"1\";
";

pub fn name(lists: &Lists) -> String {
    match lists {
        Lists::Machine => "machine".into(),
        Lists::Own => "own".into(),
        Lists::Suite { suite, source } => {
            format!("{suite}{}", if *source { ".source" } else { "" }).replace('/', "_")
        }
    }
}

fn run(program: &'static str, package: &'static str, args: &[&str]) -> Result<(String, String), Reason> {
    let mut command = Command::new(program);
    command.args(args).env("LC_ALL", "C").stdin(Stdio::null());
    let output = child::output(&mut command, child::LIMIT);
    let output = output.map_err(|error| missing(error, program, package))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((text(&output.stdout), text(&output.stderr)))
}

fn missing(error: io::Error, program: &'static str, package: &'static str) -> Reason {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => {
            Reason::MissingProgram { program, package }
        }
        _ => Reason::Program { program, what: error.to_string() },
    }
}

/// Writes a file that another process may be reading, unless it is so already.
fn replace(path: &Path, content: &str) -> io::Result<()> {
    if fs::read_to_string(path).is_ok_and(|present| present == content) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(content.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
