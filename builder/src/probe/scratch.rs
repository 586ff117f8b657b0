//! Outputs of a probe while it runs, by hash: as NAR, and unpacked when somebody looks into one.

use super::outcome::BuildOutcome;
use crate::failure::Failure;
use formats::digest::Sha256;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// A folder that goes when the probe ends.
pub struct Scratch {
    folder: tempfile::TempDir,
    /// One thread at a time makes files.
    making: Mutex<()>,
}

impl Scratch {
    /// In this folder.
    pub fn new(folder: &Path) -> Result<Scratch, Failure> {
        let fail = |error| Failure::machine(format!("{}: {error}", folder.display()));
        let folder = tempfile::Builder::new().prefix("probe-").tempdir_in(folder).map_err(fail)?;
        Ok(Scratch { folder, making: Mutex::new(()) })
    }

    /// A file of this name, made once.
    pub fn file(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, Failure> {
        let _alone = self.making.lock().unwrap_or_else(|poison| poison.into_inner());
        let path = self.folder.path().join(name);
        if !path.exists() {
            fs::write(&path, bytes).map_err(|error| lost(&path, &error))?;
        }
        Ok(path)
    }

    /// Keeps an output, unless it is known.
    pub fn keep(&self, sha256: Sha256, mut nar: impl Read) -> Result<(), Failure> {
        if self.nar(sha256).exists() {
            return Ok(());
        }
        let mut bytes = Vec::new();
        nar.read_to_end(&mut bytes).map_err(Failure::machine)?;
        if Sha256::of(&bytes) != sha256 {
            return Err(Failure::machine(format!("an output is not what PID 1 printed: {sha256}")));
        }
        self.file(&format!("{sha256}.nar"), &bytes).map(drop)
    }

    fn nar(&self, sha256: Sha256) -> PathBuf {
        self.folder.path().join(format!("{sha256}.nar"))
    }

    /// Bytes of all that a step made.
    pub fn total(&self, came: &BuildOutcome) -> u64 {
        came.outputs().into_iter().flatten().map(|(_, sha256)| self.size(*sha256)).sum()
    }

    /// Bytes of an output's NAR, if it could be kept.
    pub fn size(&self, sha256: Sha256) -> u64 {
        fs::metadata(self.nar(sha256)).map_or(0, |meta| meta.len())
    }

    /// An output's NAR, if it could be kept.
    pub fn bytes(&self, sha256: Sha256) -> Option<Vec<u8>> {
        fs::read(self.nar(sha256)).ok()
    }

    /// An output, unpacked.
    pub fn tree(&self, sha256: Sha256) -> Result<PathBuf, Failure> {
        let bytes = self.bytes(sha256);
        let bytes =
            bytes.ok_or_else(|| Failure::machine(format!("the output {sha256} was too large to keep")))?;
        let _alone = self.making.lock().unwrap_or_else(|poison| poison.into_inner());
        let path = self.folder.path().join(sha256.to_string());
        if fs::symlink_metadata(&path).is_err() {
            inputs::restore(&bytes[..], &path, bytes.len() as u64).map_err(Failure::machine)?;
        }
        Ok(path)
    }
}

fn lost(path: &Path, error: &std::io::Error) -> Failure {
    Failure::machine(format!("{}: {error}", path.display()))
}
