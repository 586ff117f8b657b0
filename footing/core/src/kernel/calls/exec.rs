//! execve(2) and its like.

use crate::errno::{E2BIG, EACCES, EINVAL, Errno};
use crate::kernel::lookup::AT_FDCWD;
use crate::kernel::{Done, Kernel, Object, Stop};
use crate::platform::Platform;
use alloc::vec::Vec;

const AT_EMPTY_PATH: u64 = 0x1000;
const AT_SYMLINK_NOFOLLOW: u64 = 0x100;

impl<P: Platform> Kernel<P> {
    /// Strings of a vector that a null pointer ends. EFAULT, E2BIG.
    fn strings(&mut self, at: u64) -> Result<Vec<Vec<u8>>, Errno> {
        let mut all = Vec::new();
        let mut sum = 0_usize;
        if at == 0 {
            return Ok(all);
        }
        loop {
            let place = self.get_long(at, all.len() as u64)?;
            if place == 0 {
                return Ok(all);
            }
            let text = self.text(place, 128 << 10, E2BIG)?;
            sum = sum.saturating_add(text.len() + 9);
            if sum > 6 << 20 {
                return Err(E2BIG);
            }
            all.push(text);
        }
    }

    /// execve(2).
    pub(crate) fn sys_execve(&mut self, a: [u64; 6]) -> Done {
        let path = self.path(a[0])?;
        let node = self.node_at(AT_FDCWD, &path, true)?;
        self.execute_program(node, path, a[1], a[2])
    }

    /// execveat(2) with AT_EMPTY_PATH and AT_SYMLINK_NOFOLLOW.
    pub(crate) fn sys_execveat(&mut self, a: [u64; 6]) -> Done {
        if a[4] & !(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0 {
            return Err(EINVAL.into());
        }
        let path = self.path(a[1])?;
        let fd = a[0] as i32;
        if path.is_empty() && a[4] & AT_EMPTY_PATH != 0 {
            let open = self.open_of(fd)?;
            let Object::Node(node) = open.object else { return Err(EACCES.into()) };
            let mut shown = b"/dev/fd/".to_vec();
            for digit in decimal(fd as u64) {
                shown.push(digit);
            }
            return self.execute_program(node, shown, a[2], a[3]);
        }
        let node = self.node_at(fd, &path, a[4] & AT_SYMLINK_NOFOLLOW == 0)?;
        self.execute_program(node, path, a[2], a[3])
    }

    fn execute_program(&mut self, node: crate::tree::NodeId, path: Vec<u8>, argv: u64, envp: u64) -> Done {
        self.executable(node)?;
        let (argv, envp) = (self.strings(argv)?, self.strings(envp)?);
        let image = self.image(node, path, argv, envp)?;
        self.replace(image)?;
        Err(Stop::RESUME)
    }
}

fn decimal(mut value: u64) -> Vec<u8> {
    let mut digits = Vec::new();
    loop {
        digits.insert(0, b'0' + (value % 10) as u8);
        value /= 10;
        if value == 0 {
            return digits;
        }
    }
}
