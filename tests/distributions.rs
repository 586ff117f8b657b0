//! Seeds of three releases of Debian as they are today, and a root file system by address and hash: the same compiler comes out.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use builder::args;
use builder::prepare::graph::Source;
use builder::prepare::{prepare, store};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use support::{folder, groundup};

fn graph() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../graphs/distributions.ron")
}

/// Takes the packages of today: those of the unstable suite soon go from the mirrors.
fn lock(graph: &Path) {
    let output = groundup().arg("lock").arg(graph).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Lanes on the host, which agree.
fn agreed(graph: &Path, lanes: &str) -> Value {
    lock(graph);
    let mut command = groundup();
    command.arg("ddc").arg(graph).args(["--over", "from", "--choices", lanes, "--machine", "host", "--json"]);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["agree"], true, "{said}");
    report
}

#[test]
fn releases_of_today_make_the_same_compiler() {
    let folder = folder();
    let copy = folder.path().join("distributions.ron");
    fs::copy(graph(), &copy).unwrap();
    let report = agreed(&copy, "bookworm,trixie,sid,trixie-gcc");
    // The twin: their seeds are not the same, and neither is all that they make.
    let lanes = report["lanes"].as_array().unwrap();
    assert!(lanes.iter().skip(1).all(|lane| lane["plan"] != lanes[0]["plan"]), "{report}");
    assert_eq!(report["outputs"][0]["verdict"], "expected to differ");
}

/// Serves these bytes under every path, for as long as the process lives.
fn serve(bytes: Vec<u8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            lines.map_while(Result::ok).take_while(|line| !line.is_empty()).for_each(drop);
            let length = bytes.len();
            let _ =
                write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
            let _ = stream.write_all(&bytes);
        }
    });
    port
}

#[test]
fn a_root_file_system_is_a_seed() {
    let folder = folder();
    let copy = folder.path().join("distributions.ron");
    fs::copy(graph(), &copy).unwrap();
    lock(&copy);
    let source = Source::open(Some(&copy)).unwrap();
    let choices = args::Choices { choose: vec![("from".into(), "trixie".into())], keep_going: false };
    let store = store(&args::Cache { cache: None }).unwrap();
    let prepared = prepare(&source, source.graph().unwrap(), &choices, &store).unwrap();
    let tarball = folder.path().join("rootfs.tar.gz");
    let root = &prepared.inputs["trixie-tcc"].obtained.path;
    assert!(
        Command::new("tar")
            .arg("-czf")
            .arg(&tarball)
            .arg("-C")
            .arg(root)
            .arg(".")
            .status()
            .unwrap()
            .success()
    );
    let bytes = fs::read(tarball).unwrap();
    let sha256 = builder::hash(&bytes);
    let port = serve(bytes);

    let from = r#"from: [Debian(packages: ["tcc", "libc6"], suite: "trixie")],"#;
    let url = format!(
        "from: [Url(\"http://127.0.0.1:{port}/rootfs.tar.gz\")], sha256: \"{sha256}\", unpack: true,"
    );
    assert!(source.text.contains(from));
    fs::write(&copy, source.text.replace(from, &url)).unwrap();
    let report = agreed(&copy, "bookworm,trixie");
    assert_eq!(report["outputs"][4]["groups"][0]["lanes"], json!(["bookworm", "trixie"]));
}
