//! What units came to, by their keys, so that a unit that was built once can be taken. Nothing is believed: an output is hashed when it is
//! taken, and PID 1 hashes it again.
//!
//! Below the cache folder, `units/KEY.json` says the outputs of a unit, and `units/nar/SHA256.nar` holds each.

use crate::failure::Failure;
use crate::prepare::Prepared;
use crate::run::executor::Setting;
use crate::run::prebuilt::{self, Prebuilt};
use crate::run::results::{Outcome, Output, Results, Step};
use formats::digest::Sha256;
use qemu::Place;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What the keys of all units of a run have in common.
pub struct Key {
    machine: String,
}

impl Key {
    /// Of what a machine is made, this program among it: it says with which flags QEMU starts.
    pub fn new(setting: &Setting<'_>) -> Result<Key, Failure> {
        let mut parts = setting.machinery.parts(setting.machine)?;
        parts.push(setting.machinery.program()?);
        let mut machine = format!("groundup unit 1\nmachine {}\n", setting.machine.word());
        machine.push_str(&format!("cpus {}\nmemory {:?}\n", setting.cpus, setting.memory));
        for part in parts {
            machine.push_str(&format!("{} {}\n", part.name, part.sha256));
        }
        Ok(Key { machine })
    }

    /// The key of a unit: SHA-256 of all that its outputs follow from.
    pub fn of(&self, unit: &Prepared) -> Sha256 {
        Sha256::of(format!("{}{}", self.machine, unit.plan))
    }
}

/// The folder of units.
pub struct UnitCache {
    folder: PathBuf,
}

/// One output of a unit.
#[derive(Serialize, Deserialize)]
struct Kept {
    name: String,
    sha256: Sha256,
    size: u64,
    machine: String,
    references: Vec<String>,
}

impl UnitCache {
    /// Makes the folder if it is not there.
    pub fn open(cache: &Path) -> Result<UnitCache, Failure> {
        let folder = cache.join("units");
        fs::create_dir_all(folder.join("nar")).map_err(|error| fail(&folder, &error))?;
        Ok(UnitCache { folder })
    }

    /// Where the NAR of this hash is.
    pub fn archive(&self, sha256: Sha256) -> PathBuf {
        self.folder.join("nar").join(format!("{sha256}.nar"))
    }

    /// The outputs of a unit that was built earlier, unpacked below `scratch`. None if it was not, or if one of them is not what it was.
    pub fn find(&self, key: Sha256, step: &str, scratch: &Path) -> Option<(Results, prebuilt::All)> {
        let text = fs::read_to_string(self.entry(key)).ok()?;
        let kept: Vec<Kept> = serde_json::from_str(&text).ok()?;
        let (mut results, mut made) = (Results::default(), prebuilt::All::new());
        results.steps.push(Step { name: step.to_owned(), outcome: Outcome::Taken, milliseconds: None });
        for Kept { name, sha256, size, machine, references } in kept {
            let path = prebuilt::unpack(&self.archive(sha256), &name, sha256, scratch).ok()?;
            results.outputs.push(Output {
                name: name.clone(),
                sha256,
                size,
                place: Place::None,
                step: step.to_owned(),
                machine: Some(machine.clone()),
                references: references.clone(),
            });
            let step = step.to_owned();
            made.insert(name, Prebuilt { sha256, size, step, machine, trace: None, references, path });
        }
        Some((results, made))
    }

    /// Keeps the outputs of a unit, whose archives are in `folder`. The entry comes last, so that what it says is there.
    pub fn put(&self, key: Sha256, made: &prebuilt::All, folder: &Path) -> Result<(), Failure> {
        let mut kept = Vec::new();
        for (name, output) in made {
            let to = self.archive(output.sha256);
            let from = prebuilt::archive(folder, name, output.sha256);
            fs::rename(&from, &to).map_err(|error| fail(&to, &error))?;
            let Prebuilt { sha256, size, machine, references, .. } = output;
            let (machine, references) = (machine.clone(), references.clone());
            kept.push(Kept { name: name.clone(), sha256: *sha256, size: *size, machine, references });
        }
        let text = serde_json::to_string(&kept).map_err(Failure::machine)?;
        let to = self.entry(key);
        let file = folder.join("entry");
        fs::write(&file, text).and_then(|()| fs::rename(&file, &to)).map_err(|error| fail(&to, &error))
    }

    fn entry(&self, key: Sha256) -> PathBuf {
        self.folder.join(format!("{key}.json"))
    }
}

fn fail(path: &Path, error: &io::Error) -> Failure {
    Failure::written(path, "a unit that was built", error)
}
