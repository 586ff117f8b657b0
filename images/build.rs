//! Builds PID 1 and footing, which the crate embeds.
//!
//! Each must have the same bytes wherever it is built, so nothing of the surroundings reaches it: flags are set here and
//! only here, paths are replaced, the linker is the one that comes with the compiler, and the packages are those of Cargo.lock.
use std::env::{self, var_os};
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    let manifest = PathBuf::from(var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let workspace = manifest.parent().expect("the crate is a room of the workspace");
    for path in ["formats", "footing", "init", "shim", "Cargo.toml", "Cargo.lock", "rust-toolchain.toml"] {
        println!("cargo::rerun-if-changed={}", workspace.join(path).display());
    }
    let out = PathBuf::from(var_os("OUT_DIR").expect("cargo sets it"));
    build(&INIT, workspace, &out);
    build(&FOOTING, workspace, &out.join("footing"));
    let init = out.join("x86_64-unknown-linux-gnu/release/init");
    println!("cargo::rustc-env=GROUNDUP_INIT={}", init.display());
    println!("cargo::rustc-env=GROUNDUP_PROBE={}", init.with_file_name("shim").display());
    let footing = out.join("footing/x86_64-unknown-linux-gnu/release/footing");
    println!("cargo::rustc-env=GROUNDUP_FOOTING={}", footing.display());
    build(&BIOS, workspace, &out.join("bios"));
    let bios = out.join("bios/x86_64-unknown-linux-gnu/release/bios");
    println!("cargo::rustc-env=GROUNDUP_BIOS={}", bios.display());
    build(&UEFI, workspace, &out.join("uefi"));
    let uefi = out.join("uefi/x86_64-unknown-linux-gnu/release/uefi");
    println!("cargo::rustc-env=GROUNDUP_UEFI={}", uefi.display());
    println!("cargo::rustc-env=GROUNDUP_TRIAL={}", footing.with_file_name("trial").display());
}

/// Programs that are built by the same flags.
struct Programs {
    packages: &'static [&'static str],
    programs: &'static [&'static str],
    features: &'static str,
    /// The linker's script, in the workspace.
    script: &'static str,
    flags: &'static [&'static str],
    /// How addresses in it are spelled, for the compiler and for the linker.
    model: [&'static str; 2],
}

/// Linked for one place.
const FIXED: [&str; 2] = ["-Crelocation-model=static", "-Clink-args=-static --no-pie"];

const INIT: Programs = Programs {
    packages: &["init", "shim"],
    programs: &["init", "shim"],
    features: "init/pid1,shim/program",
    script: "init/link.ld",
    // What is smaller than a call is not called.
    flags: &["-Clink-arg=--entry=_start", "-Cllvm-args=-inline-threshold=22"],
    model: FIXED,
};

const FOOTING: Programs = Programs {
    packages: &["footing-vm"],
    programs: &["footing", "trial"],
    features: "footing-vm/kernel",
    script: "footing/vm/link.ld",
    // Linked at the top of the address space; loaders copy its segments, so that these need no pages of the file's own.
    flags: &["-Ccode-model=kernel", "-Clink-arg=-zmax-page-size=16", "-Cllvm-args=-inline-threshold=10"],
    model: FIXED,
};

const BIOS: Programs = Programs {
    packages: &["footing-boot"],
    programs: &["bios"],
    features: "footing-boot/program",
    script: "footing/boot/link-bios.ld",
    flags: &[],
    model: FIXED,
};

const UEFI: Programs = Programs {
    programs: &["uefi"],
    script: "footing/boot/link-uefi.ld",
    // The firmware moves it.
    model: ["-Crelocation-model=pic", "-Clink-args=-static -pie --no-dynamic-linker"],
    ..BIOS
};

fn build(programs: &Programs, workspace: &Path, out: &Path) {
    let status = command(programs, workspace, out).status().expect("cargo runs, since it runs this");
    assert!(status.success(), "{:?}: not built: cargo ended with {status}", programs.programs);
}

fn command(programs: &Programs, workspace: &Path, out: &Path) -> Command {
    let home = var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo"))).unwrap_or_default();
    let mut flags: Vec<String> = [
        "-Cpanic=abort",
        "-Cforce-unwind-tables=no",
        // Comparisons take less room than tables of where to jump.
        "-Cjump-tables=no",
        "-Cstrip=symbols",
        // What is found several times is called.
        "-Cllvm-args=-enable-machine-outliner=always",
        // The compiler's own linker: a distribution's would leave its mark.
        "-Clinker=rust-lld",
        "-Clinker-flavor=ld.lld",
        "-Clink-args=--build-id=none --no-eh-frame-hdr --icf=all -z noseparate-code -z norelro -z nosectionheader",
    ]
    .map(str::to_owned)
    .into();
    flags.extend(programs.flags.iter().chain(&programs.model).map(|&flag| flag.to_owned()));
    flags.push(format!("-Clink-arg=-T{}", workspace.join(programs.script).display()));
    for folder in registries(&home) {
        flags.push(format!("--remap-path-prefix={}=/registry", folder.display()));
    }
    flags.push(format!("--remap-path-prefix={}=/groundup", workspace.display()));

    let mut command = Command::new(var_os("CARGO").unwrap_or("cargo".into()));
    // Variables of the outer build steer the inner one: none may pass.
    let steers = |name: &str| {
        ["CARGO_", "RUST", "DEP_"].iter().any(|start| name.starts_with(start))
            && !["CARGO_HOME", "CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTRIES_", "RUSTUP_"]
                .iter()
                .any(|start| name.starts_with(start))
    };
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(steers)) {
        command.env_remove(name);
    }
    command.current_dir(workspace).env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f")).args([
        "build",
        "--release",
        "--locked",
        "--target=x86_64-unknown-linux-gnu",
    ]);
    command.args(programs.packages.iter().map(|package| format!("--package={package}")));
    command.args(programs.programs.iter().map(|program| format!("--bin={program}")));
    command.arg(format!("--features={}", programs.features));
    let small = ["lto=\"fat\"", "codegen-units=1", "opt-level=\"z\""];
    // A configuration file in the user's home may say otherwise of these.
    let usual = ["overflow-checks=false", "debug-assertions=false", "debug=false", "incremental=false"];
    for setting in small.into_iter().chain(usual) {
        command.arg(format!("--config=profile.release.{setting}"));
    }
    command.arg("--target-dir").arg(out);
    command
}

/// The folders that packages were unpacked to: their names hold the registry's.
fn registries(home: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(home.join("registry/src"))
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .collect();
    folders.sort();
    folders
}
