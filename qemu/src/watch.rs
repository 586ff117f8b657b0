//! A QEMU process that is ours: started with files for its console and its messages, and gone when its guard is.

use host::end_with_parent;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

/// How much of QEMU's messages is kept.
const STDERR_LIMIT: usize = 16 << 10;

/// How much of the console is read before its room on disk is given back.
const FREE: u64 = 16 << 20;

/// What every file system takes at least for more of a file.
const BLOCK: u64 = 4096;

/// A running QEMU. Dropping it kills exactly this process and waits for it, so no path leaves one behind.
#[derive(Debug)]
pub(crate) struct Watched {
    child: Child,
    console: File,
    stderr: File,
    position: u64,
    freed: u64,
    buffer: Vec<u8>,
}

impl Watched {
    /// Starts `program`. Its standard output is the console, its standard input `region`.
    ///
    /// # Errors
    /// The inner error is that of starting the program, the outer one of making the files.
    pub(crate) fn start(
        program: &Path,
        arguments: &[OsString],
        region: Option<&File>,
    ) -> io::Result<io::Result<Self>> {
        let (console, stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
        let mut command = Command::new(program);
        command.args(arguments).stdout(console.try_clone()?).stderr(stderr.try_clone()?);
        command.stdin(match region {
            Some(file) => Stdio::from(file.try_clone()?),
            None => Stdio::null(),
        });
        end_with_parent(&mut command);
        let buffer = vec![0; 64 << 10];
        Ok(command.spawn().map(|child| Self { child, console, stderr, position: 0, freed: 0, buffer }))
    }

    /// What came to the console since the last call, in parts; empty when there is no more for now.
    pub(crate) fn console(&mut self) -> io::Result<&[u8]> {
        let length = self.console.read_at(&mut self.buffer, self.position)?;
        self.position += length as u64;
        if self.position - self.freed >= FREE {
            // Where the file system can not, a long console takes its room on disk until the end.
            let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            let _ = fallocate(&self.console, flags, self.freed, self.position - self.freed);
            self.freed = self.position;
        }
        Ok(&self.buffer[..length])
    }

    /// Whether there is no room for more of the console: QEMU says nothing of it and goes on. Costs a block where there is.
    pub(crate) fn is_full(&self) -> bool {
        let behind = self.console.metadata().map_or(0, |data| data.len());
        let more = fallocate(&self.console, FallocateFlags::KEEP_SIZE, behind, BLOCK);
        matches!(more, Err(Errno::NOSPC | Errno::DQUOT))
    }

    /// Whether QEMU is gone, and how.
    pub(crate) fn exited(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// What QEMU said on its standard error.
    pub(crate) fn stderr(&self) -> String {
        // Not by seeking: QEMU writes through the same file position.
        let mut bytes = vec![0; STDERR_LIMIT];
        // A message that can not be read is only less help.
        let length = self.stderr.read_at(&mut bytes, 0).unwrap_or(0);
        String::from_utf8_lossy(&bytes[..length]).trim().to_owned()
    }

    /// Ends QEMU now.
    pub(crate) fn kill(&mut self) {
        // Both fail only if it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.kill();
    }
}
