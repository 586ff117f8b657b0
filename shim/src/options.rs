//! The probe's arguments.
#![allow(unsafe_code)]

use core::ffi::CStr;

/// The order of a directory's entries.
#[derive(Clone, Copy)]
pub enum Order {
    /// The kernel's, backwards.
    Reversed,
    /// Drawn from this seed and the names.
    Shuffled(u64),
}

/// What is to be changed.
#[derive(Default)]
pub struct Options {
    pub random: u64,
    pub dents: Option<Order>,
    pub stack: usize,
    pub heap: usize,
    pub fill: Option<u8>,
    pub mtime: Option<u64>,
    pub owner: Option<u32>,
    pub mode: Option<u32>,
    pub cpus: Option<u32>,
    pub schedule: Option<u64>,
    pub clock: u64,
    pub tick: u64,
    pub pid: usize,
    pub inodes: u64,
    pub sizes: bool,
}

/// The builder: its path, its arguments and its environment, as the kernel wants them.
#[derive(Clone, Copy)]
pub struct Command {
    pub path: *const u8,
    pub argv: *const *const u8,
    pub envp: *const *const u8,
}

impl Options {
    /// The words before `--`, and what comes after it.
    pub fn read(arguments: &[*const u8]) -> Option<(Options, Command)> {
        // SAFETY: the kernel's arguments end in a NUL each, and stay where they are.
        let word =
            |at: usize| arguments.get(at).map(|&word| unsafe { CStr::from_ptr(word.cast()) }.to_bytes());
        let mut options = Options::default();
        let mut at = 1;
        loop {
            let word = word(at)?;
            at += 1;
            if word == b"--" {
                break;
            }
            options.take(word)?;
        }
        let path = *arguments.get(at)?;
        arguments.get(at + 1)?;
        let base = arguments.as_ptr();
        // The environment follows the null pointer behind the arguments.
        let (argv, envp) = (base.wrapping_add(at + 1), base.wrapping_add(arguments.len() + 1));
        Some((options, Command { path, argv, envp }))
    }

    fn take(&mut self, word: &[u8]) -> Option<()> {
        let split = word.iter().position(|&byte| byte == b'=')?;
        let (name, value) = (&word[..split], &word[split + 1..]);
        if (name, value) == (b"dents", b"reversed") {
            self.dents = Some(Order::Reversed);
            return Some(());
        }
        let number = value.iter().try_fold(0_u64, |number, &digit| {
            let digit = char::from(digit).to_digit(16)?;
            Some(number << 4 | u64::from(digit))
        })?;
        match name {
            b"random" => self.random = number,
            b"dents" => self.dents = Some(Order::Shuffled(number)),
            b"stack" => self.stack = number as usize & !15,
            b"heap" => self.heap = number as usize,
            b"fill" => self.fill = Some(number as u8),
            b"mtime" => self.mtime = Some(number),
            b"owner" => self.owner = Some(number as u32),
            b"mode" => self.mode = Some(number as u32),
            b"cpus" => self.cpus = Some((number as u32).clamp(1, 64)),
            b"clock" => self.clock = number,
            b"tick" => self.tick = number,
            b"pid" => self.pid = number as usize & 0x7fff,
            b"inodes" => self.inodes = number,
            b"sizes" => self.sizes = number != 0,
            b"schedule" => self.schedule = Some(number),
            _ => return None,
        }
        Some(())
    }
}
