//! Memory that the machine shares with its host: the image, from which inputs are unpacked, and the export region, in which
//! the NARs of outputs are left.
//!
//! Each is BAR 2 of one of QEMU's ivshmem-plain devices, mapped through sysfs: no driver, no interrupt, nothing
//! asynchronous. On the `host` machine the export region is a file of the host.
//! Source: QEMU's `docs/specs/ivshmem-spec.rst`; the kernel's `Documentation/PCI/sysfs-pci.rst`.
#![allow(unsafe_code)]

use crate::host;
use crate::memory::{PathBuffer, join};
use formats::nar::Sink;
use formats::say::{Display, LineBuf};
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, RawDir};

/// Each NAR starts at a multiple of this.
const ALIGNMENT: usize = 4096;

/// The region and how much of it is taken.
pub struct Region {
    bytes: &'static mut [u8],
    used: usize,
}

/// Where an output's NAR is.
#[derive(Clone, Copy)]
pub enum Place {
    /// At this offset.
    At(usize),
    /// It did not fit.
    Full,
    /// There is no region.
    Nowhere,
}

impl Display for Place {
    fn say(self, words: &mut LineBuf) {
        match self {
            Place::At(offset) => (offset as u64).say(words),
            Place::Full => "full".say(words),
            Place::Nowhere => "-".say(words),
        }
    }
}

/// A NAR on its way into the region.
pub struct Export<'a> {
    region: Option<&'a mut Region>,
    written: usize,
}

impl Export<'_> {
    /// Starts a NAR behind the last one that was kept.
    pub fn new(region: Option<&mut Region>) -> Export<'_> {
        Export { region, written: 0 }
    }

    /// Keeps the NAR if all of it is there.
    pub fn keep(self) -> Place {
        let Some(region) = self.region else { return Place::Nowhere };
        let start = region.used;
        if self.written > region.bytes.len() - start {
            return Place::Full;
        }
        let end = start + self.written;
        region.used = end.next_multiple_of(ALIGNMENT).min(region.bytes.len());
        Place::At(start)
    }
}

impl Sink for Export<'_> {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(region) = &mut self.region {
            let start = region.used + self.written;
            if let Some(place) = region.bytes.get_mut(start..start + bytes.len()) {
                place.copy_from_slice(bytes);
            }
            self.written += bytes.len();
        }
    }
}

/// What a machine shares with its host.
#[derive(Default)]
pub struct Shared {
    /// The image, where the kernel did not get all of it.
    pub image: Option<&'static [u8]>,
    /// The export region; a machine without one exports nothing.
    pub export: Option<Region>,
}

/// Looks for the devices. On the host, the export region is what descriptor 0 stands for.
pub fn find() -> Shared {
    let mut shared = Shared::default();
    if host::is_shared() {
        // SAFETY: open from the start, and nothing else is done with it.
        shared.export = map(unsafe { rustix::stdio::take_stdin() });
        // Descriptor 0 is free, so that this takes it.
        core::mem::forget(host::device(1, 3, OFlags::RDONLY));
        return shared;
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(devices) = rustix::fs::open(c"/sys/bus/pci/devices", flags, Mode::empty()) else { return shared };
    let mut buffer = [core::mem::MaybeUninit::uninit(); 2048];
    let mut entries = RawDir::new(&devices, &mut buffer);
    while let Some(Ok(entry)) = entries.next() {
        match pci(entry.file_name().to_bytes()) {
            // The export region is all zeros.
            Some(region) if region.bytes.starts_with(formats::archive::MAGIC) => {
                shared.image = Some(region.bytes)
            }
            Some(region) => shared.export = Some(region),
            None => {}
        }
    }
    shared
}

fn open(device: &[u8], file: &str, flags: OFlags) -> Option<OwnedFd> {
    let mut path: PathBuffer = [0; _];
    let path = join(&[b"/sys/bus/pci/devices/", device, b"/", file.as_bytes()], &mut path)?;
    rustix::fs::open(path, flags | OFlags::CLOEXEC, Mode::empty()).ok()
}

fn has(device: &[u8], file: &str, value: &[u8]) -> bool {
    let mut found = [0; 16];
    open(device, file, OFlags::RDONLY)
        .and_then(|file| rustix::io::read(&file, &mut found).ok())
        .is_some_and(|length| &found[..length] == value)
}

fn pci(device: &[u8]) -> Option<Region> {
    if !has(device, "vendor", b"0x1af4\n") || !has(device, "device", b"0x1110\n") {
        return None;
    }
    rustix::io::write(open(device, "enable", OFlags::WRONLY)?, b"1").ok()?;
    map(open(device, "resource2", OFlags::RDWR)?)
}

fn map(file: OwnedFd) -> Option<Region> {
    let size = usize::try_from(rustix::fs::fstat(&file).ok()?.st_size).ok()?;
    let access = rustix::mm::ProtFlags::READ | rustix::mm::ProtFlags::WRITE;
    // SAFETY: a new mapping of the device's memory or the host's file, which is never unmapped and which nobody else in the machine maps. The
    // processes of a step, which start as copies of this one, do not even inherit it.
    let bytes = unsafe {
        let shared = rustix::mm::MapFlags::SHARED;
        let address = rustix::mm::mmap(core::ptr::null_mut(), size, access, shared, &file, 0).ok()?;
        rustix::mm::madvise(address, size, rustix::mm::Advice::LinuxDontFork).ok()?;
        core::slice::from_raw_parts_mut(address.cast(), size)
    };
    Some(Region { bytes, used: 0 })
}
