//! What each machine is: pure but for [`version`] and [`firmware`], which ask QEMU.
//!
//! # `strict`
//! Every instruction of it is counted and nothing of the host can be seen in it, so two runs of one image print the
//! same console, time stamps included. The flags, each for its one purpose:
//!
//! | QEMU flag | what it is for |
//! |---|---|
//! | `-no-user-config`, `-nodefaults` | no device and no setting that is not written here: no network, disk, screen, monitor |
//! | `-display none` | no window, no input |
//! | `-M pc,vmport=off` | the machine that stock kernels boot fastest on and whose PCI bus takes the export region; VMware's port would tell the guest the host's time |
//! | `-bios qboot.rom` | for a kernel that is an ELF file: firmware that only starts it, through PVH; SeaBIOS takes 0.2 of 0.55 s |
//! | `-accel tcg` | the guest's instructions are translated, so they can be counted; KVM runs them in host time |
//! | `-icount shift=N,sleep=off` | virtual time: each instruction takes 2^N ns; idle time is skipped at once |
//! | `-rtc base=…,clock=vm` | the clock chip starts at a fixed date and follows virtual time |
//! | `-seed 1` | what QEMU itself draws at random, such as the seed that it hands to the kernel (QEMU 8.1 and later) |
//! | `-smp 1` | one CPU: nothing races |
//! | `-cpu Nehalem-v1` | a model that TCG of QEMU 7.2 and later has in full (no warnings), x86-64-v2, and no RDRAND or RDSEED, the two instructions that would tell runs apart |
//! | `-m` | memory: an input, since the kernel sizes its tables by it |
//! | `-no-reboot` | a reset ends QEMU: the way out without ACPI |
//! | `-chardev file,path=/dev/stdout`, `-serial` | the console goes to a file that never makes the port wait (see the crate) |
//! | `memory-backend-file,mem-path=/dev/stdin,share=on`, `ivshmem-plain` | the export region, a file that QEMU inherits |
//! | the same with `mem-path=IMAGE,readonly=on` | the image, from which PID 1 unpacks inputs: a kernel holds an initrd until it is unpacked, all of it twice |
//!
//! | kernel flag | what it is for |
//! |---|---|
//! | `console=ttyS0` | the kernel's messages and PID 1's on the serial port |
//! | `norandmaps` | same addresses in every process: translated code is found again, the largest lever on speed |
//! | `acpi=off` | no interpreter of the firmware's tables, and with it no APIC: 2.5 of 5.1 s of a boot |
//! | `cryptomgr.notests` | no self-tests of algorithms that nothing uses: 70 % of the instructions of what is left |
//! | `nolapic_timer`, `no_timer_check` | the same for kernels that find an APIC without ACPI: no calibration against it |
//! | `reboot=t` | reset by triple fault: works everywhere, waits for nothing |
//! | `panic=-1`, `oops=panic` | a kernel that is not sound any more ends at once |
//! | `random.trust_cpu=off`, `random.trust_bootloader=off` | PID 1 alone credits entropy, from the plan |
//! | `mitigations=off` | there is nobody to spy: faster system calls |
//! | `rootfstype=ramfs` | an image may fill more than half of memory, tmpfs's limit |
//! | `-- reboot` | PID 1's argument: end by a reset, which `-no-reboot` turns into QEMU's end |
//!
//! # `fast`
//! The same without `-icount`, with the host's clock and as many CPUs as asked for: KVM where a guest really boots with it
//! ([`crate::kvm`]), else one translating thread for each CPU. The CPU's model stays the same, so that no build can tell by its
//! features where it runs.
//!
//! Left out on purpose: `nokaslr` (the kernel hands it to PID 1 as its first argument; the layout is fixed anyway,
//! as it comes from the counted clock), `quiet` (the time stamps are the evidence).
//!
//! Sources: QEMU's `qemu-options.hx`, the kernel's `Documentation/admin-guide/kernel-parameters.txt`; measured with
//! Debian's 6.1 cloud kernel on QEMU 7.2.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::error::Error;
use crate::region::Region;

/// The program that is run if no other is named.
pub const PROGRAM: &str = "qemu-system-x86_64";

/// Firmware for a kernel that is started directly; it comes with QEMU.
const DIRECT: &str = "qboot.rom";

/// The kernel's command line, `-- reboot` included.
pub const COMMAND_LINE: &str = "console=ttyS0 norandmaps acpi=off cryptomgr.notests nolapic_timer no_timer_check \
    reboot=t panic=-1 oops=panic random.trust_cpu=off random.trust_bootloader=off mitigations=off \
    rootfstype=ramfs -- reboot";

/// What a step can see of what ran before it in the same boot, for the record. Everything else starts anew for each step.
pub const CARRIED_OVER: [&str; 5] = [
    "how long things take, and the phase of the machine's timer",
    "physical addresses, free memory and other statistics of the whole machine",
    "inode numbers of pipes, sockets, /proc, inputs and earlier outputs; numbers of namespaces",
    "times of last change of inputs and earlier outputs",
    "the local ports of outgoing connections",
];
/// All that footing carries over.
pub const CARRIED_OVER_FOOTING: &str = "when a thread that makes no call for a second is interrupted";
/// The same with a kernel whose random numbers PID 1 can't pin: all but the minimal one.
pub const CARRIED_OVER_RANDOM: &str = "random numbers: this kernel mixes what it knows of the past into them";

/// Which machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Every instruction is deterministic.
    Strict,
    /// As fast as QEMU goes: with KVM, or translated in one thread for each CPU. The clock is the host's.
    Fast {
        /// Whether to use KVM.
        kvm: bool,
        /// How many CPUs the machine has.
        cpus: u32,
    },
    /// No QEMU: see [`host`].
    Host {
        /// Whether what a step can see of the host is varied: see [`host`].
        perturbed: bool,
        /// Whether it has to be held to its memory, so that it is not made where no control group can do that.
        held: bool,
    },
    /// No QEMU: see [`footing_native::machine`].
    Native,
}

impl Profile {
    /// Whether this program is the machine itself, started anew.
    #[must_use]
    pub fn is_this_program(self) -> bool {
        matches!(self, Profile::Host { .. } | Profile::Native)
    }
}

/// What a probe has otherwise in a machine of QEMU's, to see whether builds depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Altered {
    /// Another model of CPU, with more features.
    pub cpu: bool,
    /// Another board and chip set.
    pub board: bool,
    /// Addresses are drawn at random.
    pub layout: bool,
}

/// An image whose inputs are not in the initrd: the memory of a device, from which PID 1 unpacks them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inputs {
    /// The file, an archive with as many zeros behind it as make up its size.
    pub image: PathBuf,
    /// Its size in bytes: a power of two of at least 4096.
    pub size: u64,
}

/// A machine.
#[derive(Debug)]
pub struct Machine {
    /// Which.
    pub profile: Profile,
    /// QEMU: a path, or a name that is looked up in PATH. For a machine that has none, this program.
    pub program: PathBuf,
    /// The kernel; only machines of QEMU's have one.
    pub kernel: PathBuf,
    /// Whether it is an ELF file, which is started directly through PVH, and not a bzImage.
    pub direct: bool,
    /// The image, or as much of it as the kernel is to unpack.
    pub initrd: PathBuf,
    /// Where the rest of it is.
    pub inputs: Option<Inputs>,
    /// Memory in MiB.
    pub memory: u64,
    /// An instruction takes 2^shift ns.
    pub shift: u8,
    /// What is not as in any other machine of its profile.
    pub altered: Altered,
    /// Where outputs leave.
    pub region: Option<Region>,
    /// How long the whole run may take on the host's clock.
    pub time_limit: Duration,
    /// Where the console's bytes are kept as they came.
    pub transcript: Option<PathBuf>,
}

impl Machine {
    /// A `strict` machine that boots `kernel` with `initrd`: 1 GiB of memory, shift 1, no export region, one hour.
    pub fn new(kernel: impl Into<PathBuf>, initrd: impl Into<PathBuf>) -> Self {
        let kernel = kernel.into();
        Self {
            profile: Profile::Strict,
            program: PROGRAM.into(),
            direct: is_elf(&kernel),
            kernel,
            initrd: initrd.into(),
            inputs: None,
            memory: 1024,
            shift: 1,
            altered: Altered::default(),
            region: None,
            time_limit: Duration::from_secs(3600),
            transcript: None,
        }
    }

    /// The arguments of QEMU, or of this program as a machine.
    pub fn arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = Vec::new();
        let (accelerator, base, cpus) = match self.profile {
            Profile::Host { perturbed, held } => {
                return host::arguments(&self.initrd, perturbed, self.memory, held);
            }
            Profile::Native => return footing_native::machine::arguments(&self.initrd, self.memory),
            Profile::Strict => ("tcg", "base=2020-01-01T00:00:00,clock=vm", 1),
            Profile::Fast { kvm: true, cpus } => ("kvm", "base=utc", cpus),
            Profile::Fast { kvm: false, cpus } => ("tcg,thread=multi", "base=utc", cpus),
        };
        let mut add = |words: &[&str]| arguments.extend(words.iter().map(Into::into));
        add(&["-no-user-config", "-nodefaults", "-display", "none"]);
        let Altered { cpu, board, .. } = self.altered;
        let board = if board { "q35,vmport=off" } else { "pc,vmport=off" };
        add(&["-M", board, "-accel", accelerator]);
        if self.direct {
            add(&["-bios", DIRECT]);
        }
        if self.profile == Profile::Strict {
            add(&["-icount", &format!("shift={},sleep=off", self.shift)]);
        }
        add(&["-rtc", base, "-seed", "1"]);
        add(&[
            "-smp",
            &cpus.to_string(),
            "-cpu",
            if cpu { "max,-rdrand,-rdseed" } else { "Nehalem-v1" },
            "-m",
            &format!("{}M", self.memory),
            "-no-reboot",
        ]);
        add(&["-chardev", "file,id=console,path=/dev/stdout", "-serial", "chardev:console"]);
        if let Some(region) = &self.region {
            let size = region.size();
            let backend = format!("memory-backend-file,id=region,mem-path=/dev/stdin,size={size},share=on");
            add(&["-object", &backend, "-device", "ivshmem-plain,memdev=region"]);
        }
        if let Some(Inputs { image, size }) = &self.inputs {
            // In QEMU's lists of options a comma is doubled.
            let words = image.as_os_str().as_bytes().split_inclusive(|&byte| byte == b',');
            let path: Vec<&[u8]> = words.collect();
            let mut backend = OsString::from("memory-backend-file,id=image,mem-path=");
            backend.push(OsStr::from_bytes(&path.join(&b","[..])));
            backend.push(format!(",size={size},share=on,readonly=on"));
            arguments.extend([
                "-object".into(),
                backend,
                "-device".into(),
                "ivshmem-plain,memdev=image".into(),
            ]);
        }
        let mut add = |words: &[&str]| arguments.extend(words.iter().map(Into::into));
        let line =
            if self.altered.layout { COMMAND_LINE.replace(" norandmaps", "") } else { COMMAND_LINE.into() };
        add(&["-append", &line]);
        arguments.extend(["-kernel".into(), self.kernel.clone().into()]);
        arguments.extend(["-initrd".into(), self.initrd.clone().into()]);
        arguments
    }
}

/// The version that a QEMU says it is, such as `QEMU emulator version 7.2.22 (Debian …)`.
pub fn version(program: &Path) -> Result<String, Error> {
    let text = ask(program, &["--version"])?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// The firmware files that a `strict` machine runs before this kernel, for the record.
pub fn firmware(program: &Path, kernel: &Path) -> Result<Vec<PathBuf>, Error> {
    let text = ask(program, &["-L", "help"])?;
    let find =
        |name: &&str| text.lines().map(|folder| Path::new(folder).join(name)).find(|path| path.is_file());
    let names: &[_] = if is_elf(kernel) { &[DIRECT] } else { &["bios-256k.bin", "linuxboot_dma.bin"] };
    Ok(names.iter().filter_map(find).collect())
}

/// A kernel that can't be read is none, which QEMU will say.
fn is_elf(kernel: &Path) -> bool {
    let mut magic = [0; 4];
    File::open(kernel).and_then(|mut file| file.read_exact(&mut magic)).is_ok_and(|()| magic == *b"\x7fELF")
}

fn ask(program: &Path, arguments: &[&str]) -> Result<String, Error> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|source| Error::start(program, source))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Error::Broken { program: program.to_owned(), status: output.status, stderr });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_argument_lets_the_host_in() {
        let mut machine = Machine::new("k,1", "i");
        machine.region = Some(Region::create(&std::env::temp_dir(), 1 << 20).unwrap());
        let arguments: Vec<_> =
            machine.arguments().iter().map(|a| a.to_string_lossy().into_owned()).collect();
        let line = arguments.join(" ");
        for part in ["-nodefaults", "-accel tcg", "sleep=off", "clock=vm", "-seed 1", "-smp 1", "-no-reboot"]
        {
            assert!(line.contains(part), "{line}");
        }
        assert!(line.contains("size=1048576,share=on -device ivshmem-plain"), "{line}");
        assert!(line.ends_with("-- reboot -kernel k,1 -initrd i"), "{line}");
    }
}
