//! The world that Guix makes for a builder. Source: `nix/libstore/build.cc` of guix 1.5.

use std::borrow::Cow;

use super::world::{self, dir, file};
use super::{Refusal, Source, attributes, environment, platform};
use crate::plan::step::{Owner, PidOne, Rules, Step};
use formats::store_path::{base, name};

/// The build user's, which are the host's on a daemon with root: pinned to what one without root has.
const UID: u32 = 30001;
const GID: u32 = 30000;

pub(super) fn step(source: &Source<'_>) -> Result<Step, Refusal> {
    let top = format!("/tmp/guix-build-{}-0", name(source.path).unwrap_or_default());
    let mut world = world::system();
    world.push(dir(top.clone(), 0o700, Owner::Builder));
    let graphs = attributes::graphs(source)?;
    world.extend(graphs.into_iter().map(|(name, text)| file(format!("{top}/{name}"), text)));
    world.extend([
        dir("/etc", 0o755, Owner::Root),
        file("/etc/group", format!("nixbld:!:{GID}:\n")),
        file("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"),
        file(
            "/etc/passwd",
            format!(
                "nixbld:x:{UID}:{GID}:Nix build user:/:/noshell\nnobody:x:65534:65534:Nobody:/:/noshell\n"
            ),
        ),
    ]);
    world.extend(world::store(source));
    Ok(Step {
        name: base(source.path).to_owned(),
        uid: UID,
        gid: GID,
        umask: 0o022,
        host: Cow::Borrowed("localhost"),
        domain: Cow::Borrowed("(none)"),
        clock: platform::EPOCH,
        personality: platform::NO_RANDOMIZE
            | if source.derivation.platform == "i686-linux" { platform::LINUX32 } else { 0 },
        pid_one: PidOne::Builder,
        loopback: true,
        terminal: false,
        rules: Rules::Guix,
        time_limit: 7 * 24 * 3600,
        log_limit: 1 << 30,
        space_limit: source.setting.space,
        limits: world::limits(),
        vary: Default::default(),
        world,
        env: environment::guix(source, &top),
        cwd: top,
        builder: source.derivation.builder.clone(),
        args: source.args().collect(),
        outputs: source.outputs(),
    })
}
