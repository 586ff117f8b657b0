//! What a tree that a step made may hold. What is allowed is made canonical: modes 0444 and 0555, no owners, modification time 1.
//!
//! Source: Nix, `src/libstore/posix-fs-canonicalise.cc`, for what is canonical.

/// Directories deeper than this are refused.
pub const MAX_DEPTH: usize = 256;

/// What becomes of set-user-id and set-group-id bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetIdPolicy {
    /// A tree with them is refused.
    Refused,
    /// They are taken away.
    Stripped,
}

/// What something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A plain file of so many bytes, holes included.
    File(u64),
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// Anything else.
    Device,
}

/// Asks for each thing of a tree whether that may be.
#[derive(Clone, Copy, Debug)]
pub struct Allowed {
    /// Set-id bits.
    pub special: SetIdPolicy,
    /// How many bytes files may still hold in all: holes and links take no space where they come from, and a petabyte of them would be
    /// hashed for years.
    pub left: u64,
}

impl Allowed {
    /// What is wrong with something of this mode. Special files are refused, not repaired: whoever made them wanted something that
    /// an output can't be.
    pub fn ask(&mut self, what: What, mode: u32) -> Result<(), &'static str> {
        let special = self.special == SetIdPolicy::Refused && mode & 0o6000 != 0;
        Err(match what {
            What::File(_) if special => "a set-user-id or set-group-id file",
            What::Directory if special => "a set-group-id directory",
            What::File(size) => match self.left.checked_sub(size) {
                None => "more to read than the step's space limit",
                Some(left) => {
                    self.left = left;
                    return Ok(());
                }
            },
            What::Directory | What::Symlink => return Ok(()),
            What::Fifo => "a FIFO",
            What::Socket => "a socket",
            What::Device => "a device",
        })
    }
}
