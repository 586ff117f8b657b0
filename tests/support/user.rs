//! An ordinary user who runs the program: `nobody`, which takes root to become.
#![allow(dead_code, reason = "each test file is a crate of its own and uses a part of this")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder where `nobody` can get at all that is in it, and write to `cache`.
pub fn folder(name: &str) -> tempfile::TempDir {
    assert!(rustix::process::getuid().is_root(), "this test needs root, to become somebody else");
    let folder = tempfile::Builder::new().prefix(&format!("{name}-")).tempdir_in("/var/tmp").unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let cache = folder.path().join("cache");
    fs::create_dir(&cache).unwrap();
    chown(&cache, Some(65534), Some(65534)).unwrap();
    folder
}

/// Starts a copy of the program as `nobody`; what follows is its arguments.
pub fn as_nobody(folder: &Path) -> Command {
    let program = folder.join("groundup");
    fs::copy(env!("CARGO_BIN_EXE_groundup"), &program).unwrap();
    // A test beside this one may have forked while the copy was open for writing, and nothing executes it until that has closed it.
    let busy = || Command::new(&program).arg("--version").stdout(Stdio::null()).status();
    while busy().is_err_and(|error| error.kind() == std::io::ErrorKind::ExecutableFileBusy) {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program).stdin(Stdio::null());
    command.env("XDG_CACHE_HOME", folder.join("cache"));
    command
}

/// A copy of a graph of the tests', its lock and the files that it names.
pub fn copied(graph: &str, folder: &Path) -> PathBuf {
    let from = super::graph(graph);
    for name in [format!("{graph}.ron"), format!("{graph}.lock.ron"), "attack.c".into(), "hog.c".into()] {
        fs::copy(from.with_file_name(&name), folder.join(&name)).unwrap();
    }
    folder.join(format!("{graph}.ron"))
}
