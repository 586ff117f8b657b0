//! Rows of the table of bad input: what is in the folder, what is asked for, how it must end.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Stdio};

/// A graph that is good but for its source.
pub const GRAPH: &str = r#"(
    seeds: {
        "sh": (from: [Hex("7f")], sha256: "620bfdaa346b088fb49998d92f19a7eaf6bfc2fb0aee015753966da1028cb731", executable: true),
    },
    sources: {
        "it": (SOURCE),
    },
    derivations: {
        "a": (builder: "/store/sh", inputs: ["sh", "it"]),
    },
    targets: ["a"],
)
"#;

/// What is in the place of a name.
enum Thing {
    File(Vec<u8>),
    Program(String),
    Link(String),
}

/// A row.
pub struct Row {
    name: String,
    things: Vec<(String, Thing)>,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    status: i32,
}

/// A row that asks for the plan of `graph.ron` and must end with status 2.
pub fn row(name: &str) -> Row {
    let arguments = ["plan", "graph.ron", "--cache", "cache"].map(str::to_owned).into();
    let things = vec![("hi".to_owned(), Thing::File(b"hi\n".into()))];
    Row { name: name.into(), things, arguments, environment: vec![], status: 2 }
}

impl Row {
    pub fn named(self, name: &str) -> Row {
        Row { name: name.into(), ..self }
    }

    pub fn graph(self, text: &str) -> Row {
        self.file("graph.ron", text)
    }

    pub fn file(self, name: &str, text: &str) -> Row {
        self.bytes(name, text.as_bytes())
    }

    pub fn bytes(mut self, name: &str, bytes: &[u8]) -> Row {
        self.things.push((name.into(), Thing::File(bytes.into())));
        self
    }

    pub fn link(mut self, name: &str, target: &str) -> Row {
        self.things.push((name.into(), Thing::Link(target.into())));
        self
    }

    pub fn program(mut self, name: &str, text: &str) -> Row {
        self.things.push((name.into(), Thing::Program(text.into())));
        self
    }

    pub fn args(self, arguments: &[&str]) -> Row {
        Row { arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(), ..self }
    }

    pub fn env(mut self, name: &str, value: &str) -> Row {
        self.environment.push((name.into(), value.into()));
        self
    }

    pub fn status(self, status: i32) -> Row {
        Row { status, ..self }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn expected(&self) -> i32 {
        self.status
    }

    /// Runs it with the server at this port as Debian's mirror and PyPI. What is different in every run is replaced by
    /// something of the same length.
    pub fn run(&self, port: u16) -> (Option<i32>, String) {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let server = format!("127.0.0.1:{port}");
        for (name, thing) in &self.things {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            match thing {
                Thing::File(bytes) => match std::str::from_utf8(bytes) {
                    Ok(text) => fs::write(path, text.replace("SERVER", &server)).unwrap(),
                    Err(_) => fs::write(path, bytes).unwrap(),
                },
                Thing::Program(text) => {
                    fs::write(&path, text).unwrap();
                    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
                }
                Thing::Link(target) => symlink(target, path).unwrap(),
            }
        }
        let apt = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let (list, conf) = (apt.path().join("list"), apt.path().join("conf"));
        fs::write(&list, format!("deb [trusted=yes] http://{server}/debian bookworm main\n")).unwrap();
        let set = format!(
            "Dir::Etc::sourcelist {list:?};\nDir::Etc::sourceparts \"-\";\nAcquire::Retries \"0\";\n"
        );
        fs::write(&conf, set).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_groundup"));
        command.args(&self.arguments).current_dir(folder.path()).stdin(Stdio::null()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", folder.path());
        command.env("APT_CONFIG", conf).env("PIP_INDEX_URL", format!("http://{server}/simple/"));
        command.env("PIP_CONFIG_FILE", "/dev/null").env("PIP_RETRIES", "0");
        let output = command.envs(self.environment.iter().cloned()).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{}", self.name);
        let said = String::from_utf8_lossy(&output.stderr).replace(&server, "127.0.0.1:PORT5");
        let said = said.replace(&format!("127.0.0.1 {port}"), "127.0.0.1 PORT5");
        (output.status.code(), without_sizes(&said.replace(folder.path().to_str().unwrap(), "[FOLDER]")))
    }
}

/// An image changes whenever PID 1 does, a plan whenever the world of a step does.
fn without_sizes(said: &str) -> String {
    let lines = said.lines().filter(|line| !line.starts_with("image ") && !line.starts_with("plan "));
    let words = |line: &str| {
        let mut words: Vec<&str> = line.split(' ').collect();
        (1..words.len())
            .filter(|&at| words[at] == "KiB")
            .collect::<Vec<_>>()
            .iter()
            .for_each(|at| words[at - 1] = "[SIZE]");
        words.join(" ") + "\n"
    };
    lines.map(words).collect()
}

/// An archive with a folder and a file that does not pack well.
pub fn tar_gz() -> Vec<u8> {
    let mut state = 1u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let content: Vec<u8> = std::iter::repeat_with(&mut noise).take(10_000).collect();
    let mut header = tar::Header::new_ustar();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    let mut archive =
        tar::Builder::new(flate2::write::GzEncoder::new(vec![], flate2::Compression::default()));
    archive.append_data(&mut header, "x/file", &content[..]).unwrap();
    let mut packed = archive.into_inner().unwrap();
    packed.flush().unwrap();
    packed.finish().unwrap()
}

/// What passes for a kernel until it is booted.
pub fn kernel() -> Vec<u8> {
    let mut bytes = vec![0xff; 1024];
    bytes[0x1fe..0x200].copy_from_slice(&[0x55, 0xaa]);
    bytes[0x202..0x206].copy_from_slice(b"HdrS");
    bytes
}
