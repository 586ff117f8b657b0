//! Files of `/proc` that describe the machine, which is the same everywhere.

use super::digits::{decimal, hex, padded};
use super::kind::Proc;
use crate::kernel::Kernel;
use crate::platform::Platform;
use alloc::vec::Vec;

/// The release that uname(2) shows.
pub(crate) const RELEASE: &[u8] = b"6.12.0";
/// The version that uname(2) shows.
pub(crate) const VERSION: &[u8] = b"#1 footing";
const KIB: u64 = 1024;
/// What `/proc/cpuinfo` says of a processor behind its number, and behind that of its package.
const PROCESSOR: (&[u8], &[u8]) = (
    b"\nvendor_id\t: AuthenticAMD\ncpu family\t: 15\nmodel\t\t: 107\n\
    model name\t: footing\nstepping\t: 1\ncpu MHz\t\t: 1000.000\ncache size\t: 512 KB\nphysical id\t: ",
    b"\nsiblings\t: 1\ncore id\t\t: 0\ncpu cores\t: 1\nfpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: 13\n\
    wp\t\t: yes\nflags\t\t: fpu de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr \
    sse sse2 ht syscall nx lm rep_good nopl cpuid\nbogomips\t: 2000.00\nclflush size\t: 64\n\
    cache_alignment\t: 64\naddress sizes\t: 40 bits physical, 48 bits virtual\n\n",
);

fn line(text: &mut Vec<u8>, name: &[u8], kib: u64) {
    text.extend_from_slice(name);
    text.push(b':');
    let width = 24_usize.saturating_sub(name.len() + 1);
    padded(text, kib, width);
    text.extend_from_slice(b" kB\n");
}

impl<P: Platform> Kernel<P> {
    pub(super) fn system_text(&mut self, kind: Proc) -> Vec<u8> {
        let fixed: &[u8] = match kind {
            Proc::FileSystems => b"nodev\tproc\nnodev\ttmpfs\n",
            Proc::LoadAverage => b"0.00 0.00 0.00 1/1 1\n",
            Proc::SystemCommand => b"\n",
            Proc::Swaps => b"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n",
            Proc::OsType => b"Linux\n",
            Proc::PidMax => b"32768\n",
            Proc::Overcommit => b"0\n",
            Proc::PipeSize => b"1048576\n",
            Proc::MapCount => b"65530\n",
            _ => b"",
        };
        let mut text = fixed.to_vec();
        match kind {
            Proc::CpuInfo => {
                for number in 0..self.cpus() {
                    text.extend_from_slice(b"processor\t: ");
                    decimal(&mut text, number);
                    text.extend_from_slice(PROCESSOR.0);
                    decimal(&mut text, number);
                    text.extend_from_slice(PROCESSOR.1);
                }
            }
            Proc::OsRelease => {
                text.extend_from_slice(RELEASE);
                text.push(b'\n');
            }
            Proc::DomainName => {
                text.extend_from_slice(&self.step.domainname);
                text.push(b'\n');
            }
            Proc::HostName => {
                text.extend_from_slice(&self.step.hostname);
                text.push(b'\n');
            }
            Proc::Version => {
                text.extend_from_slice(b"Linux version ");
                text.extend_from_slice(RELEASE);
                text.extend_from_slice(b" (groundup) ");
                text.extend_from_slice(VERSION);
                text.push(b'\n');
            }
            Proc::Uptime => {
                for _ in 0..2 {
                    decimal(&mut text, self.shown_now() / 1_000_000_000);
                    text.push(b'.');
                    padded_zero(&mut text, self.shown_now() / 10_000_000 % 100);
                    text.push(b' ');
                }
                text.pop();
                text.push(b'\n');
            }
            Proc::SystemStat => {
                let ticks = self.shown_now() / 10_000_000;
                for number in 0..=self.cpus() {
                    text.extend_from_slice(b"cpu");
                    match number.checked_sub(1) {
                        None => text.push(b' '),
                        Some(number) => decimal(&mut text, number),
                    }
                    text.push(b' ');
                    decimal(&mut text, ticks);
                    text.extend_from_slice(b" 0 0 0 0 0 0 0 0 0\n");
                }
                text.extend_from_slice(b"intr 0\nctxt 0\nbtime ");
                decimal(&mut text, self.step.clock);
                text.extend_from_slice(b"\nprocesses 1\nprocs_running 1\nprocs_blocked 0\nsoftirq 0\n");
            }
            Proc::MemInfo => {
                let total = self.shown_memory() / KIB;
                for (name, kib) in [
                    (&b"MemTotal"[..], total),
                    (b"MemFree", total),
                    (b"MemAvailable", total),
                    (b"Buffers", 0),
                    (b"Cached", 0),
                    (b"SwapCached", 0),
                    (b"Active", 0),
                    (b"Inactive", 0),
                    (b"SwapTotal", 0),
                    (b"SwapFree", 0),
                    (b"Shmem", 0),
                    (b"Slab", 0),
                    (b"CommitLimit", total),
                    (b"Committed_AS", 0),
                ] {
                    line(&mut text, name, kib);
                }
            }
            Proc::BootId | Proc::Uuid => {
                let mut bytes = [0; 16];
                self.random.fill(&mut bytes);
                bytes[6] = bytes[6] & 0x0f | 0x40;
                bytes[8] = bytes[8] & 0x3f | 0x80;
                for (at, byte) in bytes.iter().enumerate() {
                    if matches!(at, 4 | 6 | 8 | 10) {
                        text.push(b'-');
                    }
                    hex(&mut text, u64::from(*byte), 2);
                }
                text.push(b'\n');
            }
            _ => {}
        }
        text
    }
}

fn padded_zero(text: &mut Vec<u8>, value: u64) {
    if value < 10 {
        text.push(b'0');
    }
    decimal(text, value);
}
