//! Whether this host's KVM really works.
//!
//! `/dev/kvm` may be there, open and make a machine, and then every guest stops with an internal error or hangs: on
//! nested hosts this is common. The only proof is a guest that speaks. The `strict` machine never uses KVM.

use std::ffi::OsString;
use std::fs::File;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::watch::Watched;

/// How long a kernel may take to say its first word: with a working KVM it takes a quarter of a second.
const LIMIT: Duration = Duration::from_secs(5);

/// Boots `kernel` under KVM until it speaks. The error says in one line why KVM can not be used.
pub fn probe(program: &Path, kernel: &Path) -> Result<(), String> {
    probe_device(Path::new("/dev/kvm"), program, kernel)
}

fn probe_device(device: &Path, program: &Path, kernel: &Path) -> Result<(), String> {
    match File::options().read(true).write(true).open(device) {
        Err(error) => return Err(format!("{}: {error}", device.display())),
        Ok(file) => drop(file),
    }
    let flags = "-no-user-config -nodefaults -display none -M pc -accel kvm -cpu host -m 256M -no-reboot \
                 -chardev file,id=console,path=/dev/stdout -serial chardev:console";
    let mut arguments: Vec<OsString> = flags.split_whitespace().map(Into::into).collect();
    // Early for those that can; the minimal kernel has but the one console.
    arguments.extend(["-append".into(), "console=ttyS0 earlyprintk=ttyS0".into()]);
    arguments.extend(["-kernel".into(), kernel.into()]);
    let begun = Instant::now();
    let started = Watched::start(program, &arguments, None).and_then(|inner| inner);
    let mut qemu = started.map_err(|error| format!("{}: {error}", program.display()))?;
    let mut text = Vec::new();
    loop {
        let exited = qemu.exited().map_err(|error| error.to_string())?;
        let bytes = qemu.console().map_err(|error| error.to_string())?;
        text.extend_from_slice(bytes);
        if text.windows(13).any(|word| word == b"Linux version") {
            return Ok(());
        }
        let stderr = qemu.stderr();
        let complaint = stderr.lines().next().unwrap_or_default();
        // QEMU stops the guest after an internal error and waits for a debugger.
        if exited.is_some() || complaint.contains("internal error") {
            let said = if complaint.is_empty() { "QEMU ended without a word" } else { complaint };
            return Err(format!("KVM is there but broken: {said}"));
        }
        if begun.elapsed() > LIMIT || text.len() > 1 << 20 {
            return Err(format!("KVM is there but broken: the kernel said nothing in {} s", LIMIT.as_secs()));
        }
        thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_closed_device_is_named() {
        let error = probe_device(Path::new("/no/kvm"), Path::new("q"), Path::new("k")).unwrap_err();
        assert!(error.starts_with("/no/kvm: No such file"), "{error}");
    }

    #[test]
    fn a_qemu_that_refuses_is_quoted() {
        let error = probe_device(Path::new("/dev/null"), Path::new("false"), Path::new("k")).unwrap_err();
        assert_eq!(error, "KVM is there but broken: QEMU ended without a word");
    }
}
