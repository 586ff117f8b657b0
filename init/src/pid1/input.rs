//! Inputs: an image is data, not a promise. An input comes from the image or from `/inputs` to `/verified`, stays there if its hash
//! is found right, and only what is in `/verified` is ever bound into a step. A plan can say that nobody asks for a hash, which
//! is said in turn.

use crate::event;
use crate::folder;
use crate::host;
use crate::memory::{Memory, PathBuffer, join};
use crate::output::At;
use crate::references;
use crate::unpack::Image;
use formats::canonical::{Allowed, SetIdPolicy};
use formats::hex::Digest;
use formats::nar::Discard;
use formats::plan::{Input, Kind, Name};
use init::keep::Keeper;
use init::nar;
use init::walk::{Error, Path, at};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::Mode;

/// Verifies an input and says so.
pub fn verify(input: Input<'_>, image: &Option<Image>, memory: &mut Memory) {
    let name = input.name;
    let mut path = Path::new();
    match take(&input, image, memory, &mut path) {
        Ok(_) if !input.verified => event!("input ", name, " unverified"),
        Ok(found) if found == input.sha256 => event!("input ", name, " ", &found),
        result => {
            forget(name, memory);
            match result {
                Ok(found) => event!("bad-input ", name, " expected ", &input.sha256, ", found ", &found),
                Err(error) => event!("bad-input ", name, " ", At(&path), ": ", error),
            }
        }
    }
}

/// Moves it to `/verified` and returns its hash, of what it is there: the modes and times that a kernel gives it are not a part of it.
fn take(
    input: &Input<'_>,
    image: &Option<Image>,
    memory: &mut Memory,
    path: &mut Path,
) -> Result<Digest, Error> {
    if matches!(input.kind, Kind::File | Kind::Data) {
        // What is only read is marked by a folder of its name, so that it is mounted noexec.
        let mut mark: PathBuffer = [0; _];
        let mark = join(&[b"/noexec/", input.name.as_bytes()], &mut mark);
        rustix::fs::mkdir(mark.unwrap_or_default(), Mode::empty()).map_err(at("mkdir"))?;
    }
    let verified = folder::open(c"/verified")?;
    let allowed = Allowed { special: SetIdPolicy::Stripped, left: u64::MAX };
    let mut keeper = Keeper::new(folder::open(c"/verified")?, allowed);
    let (room, buffer) = memory.room();
    if let Some(result) = image.as_ref().and_then(|image| image.unpack(input, &mut keeper, buffer, path)) {
        return result;
    }
    let mut name: PathBuffer = [0; _];
    let name = join(&[input.name.as_bytes()], &mut name).ok_or(Error::Refused("a name too long"))?;
    let inputs = folder::open(c"/inputs")?;
    if matches!(input.kind, Kind::File | Kind::Exec) {
        let mode = Mode::from_raw_mode(if input.kind == Kind::Exec { 0o555 } else { 0o444 });
        rustix::fs::chmodat(&inputs, name, mode, rustix::fs::AtFlags::empty()).map_err(at("chmod"))?;
    }
    let (mut at_place, mut parts): (&OwnedFd, Option<&mut dyn nar::Parts>) = (&inputs, Some(&mut keeper));
    if host::is_shared() {
        // Whoever started us has unpacked it in canonical form, and in an order that may be wanted.
        rustix::fs::renameat(&inputs, name, &verified, name).map_err(at("rename"))?;
        (at_place, parts) = (&verified, None);
    }
    let sink = &mut Discard;
    Ok(nar::hash(input.hashed(), at_place.as_fd(), name, room, buffer, path, sink, parts)?.0)
}

/// Notes what an input refers to.
pub fn refers(name: Name<'_>, base: Name<'_>) -> Option<()> {
    let (mut from, mut to): (PathBuffer, PathBuffer) = ([0; _], [0; _]);
    references::add(join(&[name.as_bytes()], &mut from)?, join(&[base.as_bytes()], &mut to)?).ok()
}

/// Frees the memory that an input takes.
pub fn forget(name: Name<'_>, memory: &mut Memory) {
    folder::remove(c"/verified", name, memory);
}
