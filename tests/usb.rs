//! Disks that boot: the same bytes for the same graph, the same hashes as any other machine's, under BIOS and under UEFI.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use support::{folder, groundup};

const SEED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../graphs/seed.ron");

fn image(arguments: &[&str]) -> Output {
    groundup().args(["image", SEED]).args(arguments).output().unwrap()
}

/// Writes a disk and says where it is.
fn disk(folder: &Path, name: &str, arguments: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let output = image(&[&["--usb", path.to_str().unwrap()], arguments].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    path
}

/// What SeaBIOS, QEMU's own firmware, needs.
const BIOS: &[&str] = &[];

/// Debian's firmware for UEFI.
fn uefi() -> [&'static str; 2] {
    const FIRMWARE: &str = "/usr/share/ovmf/OVMF.fd";
    assert!(Path::new(FIRMWARE).exists(), "this test needs {FIRMWARE}: apt-get install ovmf");
    ["-bios", FIRMWARE]
}

/// A machine with a disk on USB and nothing else.
struct Boot {
    console: Vec<String>,
    /// What was on its screen at the end.
    screen: Vec<u8>,
}

/// Boots a disk and waits for its last word.
fn boot(disk: &Path, firmware: &[&str]) -> Boot {
    support::need("qemu-system-x86_64", "qemu-system-x86");
    let folder = folder();
    let (serial, screen) = (folder.path().join("serial"), folder.path().join("screen"));
    let drive = format!("if=none,id=stick,format=raw,readonly=on,file={}", disk.display());
    let mut machine = Command::new("qemu-system-x86_64")
        .args([
            "-nodefaults",
            "-display",
            "none",
            "-vga",
            "std",
            "-m",
            "512",
            "-no-reboot",
            "-monitor",
            "stdio",
        ])
        .args(["-drive", &drive, "-device", "qemu-xhci", "-device", "usb-storage,drive=stick"])
        .args(["-serial", &format!("file:{}", serial.display())])
        .args(firmware)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    let mut text = String::new();
    while start.elapsed() < Duration::from_secs(180) && machine.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(100));
        text = String::from_utf8_lossy(&fs::read(&serial).unwrap_or_default()).into_owned();
        let over = |line: &str| ["@ end", "@ fatal", "groundup: "].iter().any(|word| line.starts_with(word));
        let loading = "groundup: loading";
        if text
            .split_inclusive('\n')
            .any(|line| line.ends_with('\n') && over(line) && !line.starts_with(loading))
        {
            break;
        }
    }
    // The screen comes after the serial port.
    std::thread::sleep(Duration::from_secs(2));
    let asked = write!(machine.stdin.take().unwrap(), "screendump {}\nquit\n", screen.display());
    let ended = machine.wait().unwrap();
    assert!(asked.is_ok() && ended.success(), "{ended}: {text}");
    let console = text.lines().map(|line| line.trim_end().to_owned()).collect();
    Boot { console, screen: fs::read(&screen).unwrap() }
}

impl Boot {
    /// Hash and name of each output, as `run` prints them.
    fn results(&self) -> String {
        let outputs = self.console.iter().filter_map(|line| line.strip_prefix("@ output "));
        let line = |output: &str| {
            let words: Vec<_> = output.split(' ').collect();
            format!("{}  {}\n", words[1], words[0])
        };
        outputs.map(line).collect()
    }
}

/// What a machine that needs no disk finds.
fn expected() -> String {
    let output = groundup().args(["run", SEED, "--machine", "native"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The console, and the code on the screen, as a program of others' reads it.
fn same_results(boot: &Boot) {
    support::need("zbarimg", "zbar-tools");
    let expected = expected();
    assert_eq!(boot.results(), expected, "{:#?}", boot.console);
    assert!(boot.console.contains(&"@ end 7 0 0".into()), "{:#?}", boot.console);
    let hash = formats::digest::Sha256::of(&expected).to_string();
    assert_eq!(boot.console.last(), Some(&hash));
    let folder = folder();
    let screen = folder.path().join("screen.ppm");
    fs::write(&screen, &boot.screen).unwrap();
    let read = Command::new("zbarimg").args(["--quiet", "--raw"]).arg(&screen).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&read.stdout).trim(), hash);
}

#[test]
fn a_bios_boots_a_disk() {
    let folder = folder();
    same_results(&boot(&disk(folder.path(), "disk", &[]), BIOS));
}

#[test]
fn uefi_boots_a_disk() {
    let folder = folder();
    same_results(&boot(&disk(folder.path(), "disk", &[]), &uefi()));
}

/// Another kernel that boots by PVH: Linux.
#[test]
fn linux_boots_from_a_disk() {
    support::minimal();
    let folder = folder();
    let Boot { console, .. } = boot(&disk(folder.path(), "disk", &["--kernel", "minimal"]), BIOS);
    let hash = "c5b019275d0a40c06492ccbf2e961fdd9482d966be40d4ed29fb2ad93dcc35f9";
    assert!(console.iter().any(|line| line.contains(&format!("@ output greeting {hash} "))), "{console:#?}");
}

#[test]
fn two_disks_of_a_graph_are_the_same() {
    let folder = folder();
    let [one, two] = ["one", "two"].map(|name| fs::read(disk(folder.path(), name, &[])).unwrap());
    assert!(one == two);
    let initrd = folder.path().join("initrd");
    assert!(image(&["--output", initrd.to_str().unwrap()]).status.success());
    let other = disk(folder.path(), "one", &["--keep-going"]);
    assert!(fs::read(other).unwrap() != one, "the twin: another plan");
}

#[test]
fn a_disk_is_verified() {
    let folder = folder();
    let path = disk(folder.path(), "disk", &[]);
    let verify = || groundup().arg("verify-image").arg(&path).output().unwrap();
    let good = verify();
    assert!(good.status.success(), "{good:?}");
    assert!(String::from_utf8_lossy(&good.stdout).contains("footing, as this groundup has it"), "{good:?}");
    let mut bytes = fs::read(&path).unwrap();
    bytes[2 * 512 + 100] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let bad = verify();
    assert!(String::from_utf8_lossy(&bad.stdout).contains("the disk's loaders"), "{bad:?}");
    assert!(!bad.status.success());
}

/// The file system is read by others' programs, and holds the very image.
#[test]
fn the_file_system_is_one() {
    support::need("mcopy", "mtools");
    support::need("/sbin/fsck.fat", "dosfstools");
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let disk = disk(folder.path(), "disk", &[]);
    fs::write(at("partition"), &fs::read(&disk).unwrap()[1 << 20..]).unwrap();
    let output = Command::new("/sbin/fsck.fat").arg("-n").arg(at("partition")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(image(&["--output", at("initrd").to_str().unwrap()]).status.success());
    let offset = format!("{}@@1M", disk.display());
    let copied = Command::new("mcopy").args(["-i", &offset, "::GROUNDUP/IMAGE"]).arg(at("copy")).status();
    assert!(copied.unwrap().success());
    assert!(fs::read(at("copy")).unwrap() == fs::read(at("initrd")).unwrap());
}

/// One byte of an input changes on the disk: the step that needs it does not run.
#[test]
fn a_disk_that_reads_wrongly_is_found_out() {
    let folder = folder();
    let path = disk(folder.path(), "disk", &[]);
    let mut bytes = fs::read(&path).unwrap();
    let place = bytes.windows(16).position(|text| text.starts_with(b"The primes below")).unwrap();
    bytes[place] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let Boot { console, .. } = boot(&path, BIOS);
    assert!(console.iter().any(|line| line.starts_with("@ bad-input hello.sprout ")), "{console:#?}");
    assert!(console.contains(&"@ end 5 0 2".into()), "{console:#?}");
}

#[test]
fn a_cpu_of_32_bits_is_refused() {
    let folder = folder();
    let Boot { console, .. } = boot(&disk(folder.path(), "disk", &[]), &["-cpu", "qemu32"]);
    assert_eq!(console, ["groundup: this CPU has no 64-bit mode, which the kernel needs"]);
}
