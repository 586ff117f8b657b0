//! The results of a plan by its console's lines: for each output of a step that was built `HASH  NAME`, as `groundup run` prints them.
//!
//! No builder can forge a line of the runner's: what a step prints is in lines that start with another character.

use alloc::vec::Vec;
use formats::nar::Sha256;

/// What was said so far.
#[derive(Default)]
pub struct Results {
    /// The line that is not yet whole.
    line: Vec<u8>,
    /// Outputs of the step that is not yet at its end.
    pending: Vec<u8>,
    /// Lines of outputs that stand.
    lines: Vec<u8>,
}

impl Results {
    /// Takes in what goes to the console.
    pub fn add(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.end_line();
                self.line.clear();
            }
        }
    }

    fn end_line(&mut self) {
        let line = self.line.trim_ascii_end();
        if let Some(output) = line.strip_prefix(b"@ output ") {
            let mut words = output.split(|&byte| byte == b' ');
            if let (Some(name), Some(hash)) = (words.next(), words.next()) {
                for part in [hash, b"  ", name, b"\n"] {
                    self.pending.extend_from_slice(part);
                }
            }
        } else if line.starts_with(b"@ built ") {
            self.lines.append(&mut self.pending);
        } else if line.starts_with(b"@ failed ") {
            self.pending.clear();
        }
    }

    /// The lines.
    pub fn lines(&self) -> &[u8] {
        &self.lines
    }

    /// The sha256 of the lines, in digits.
    pub fn hash(&self) -> [u8; 64] {
        let mut hash = Sha256::new();
        hash.update(&self.lines);
        formats::hex::encode(&hash.finalize())
    }
}
