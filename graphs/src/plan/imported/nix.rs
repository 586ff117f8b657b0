//! The world that Nix makes for a builder. Source: Nix's manual, "Derivation", and `src/libstore/build/local-derivation-goal.cc`,
//! `linux-derivation-builder.cc`. Oracle in the tests: `nix-build`.

use std::borrow::Cow;

use super::environment::{self, TOP};
use super::platform::{EPOCH, LINUX32, NO_RANDOMIZE};
use super::world::{self, dir, file};
use super::{Refusal, Source, attributes};
use crate::plan::step::{Bind, From, Owner, PidOne, RootfsEntry, Rules, Step};

const PASSWD: &str = "root:x:0:0:Nix build user:/build:/noshell\nnixbld:x:1000:100:Nix build user:/build:/noshell\n\
                      nobody:x:65534:65534:Nobody:/:/noshell\n";
const GROUP: &str = "root:x:0:\nnixbld:!:100:\nnogroup:x:65534:\n";
const HOSTS: &str = "127.0.0.1 localhost\n::1 localhost\n";

pub(super) fn step(source: &Source<'_>) -> Result<Step, Refusal> {
    let made = attributes::make(source, TOP)?;
    let mut world = vec![dir(TOP, 0o700, Owner::Builder)];
    world.extend(
        made.files.into_iter().map(|(name, text)| {
            RootfsEntry::File(Cow::Owned(format!("{TOP}/{name}")), 0o644, Cow::Owned(text))
        }),
    );
    world.extend([
        dir("/etc", 0o555, Owner::Root),
        file("/etc/group", GROUP),
        file("/etc/hosts", HOSTS),
        file("/etc/passwd", PASSWD),
    ]);
    world.extend(world::system());
    world.extend(world::store(source));
    if let Some((name, _)) = source.setting.shell {
        world.push(dir("/bin", 0o755, Owner::Root));
        let from = From::Input(name.to_owned());
        world.push(RootfsEntry::Bind(Bind { path: "/bin/sh".into(), from, inside: None }));
    }
    let rewritten = |text: String| environment::placeholders(source.derivation, &text);
    Ok(Step {
        name: formats::store_path::base(source.path).to_owned(),
        uid: 1000,
        gid: 100,
        umask: 0o022,
        host: Cow::Borrowed("localhost"),
        domain: Cow::Borrowed("(none)"),
        clock: EPOCH,
        personality: NO_RANDOMIZE | if source.derivation.platform == "i686-linux" { LINUX32 } else { 0 },
        pid_one: PidOne::Builder,
        loopback: true,
        terminal: true,
        rules: Rules::Nix,
        time_limit: 7 * 24 * 3600,
        log_limit: 1 << 30,
        space_limit: source.setting.space,
        limits: world::limits(),
        vary: Default::default(),
        world,
        cwd: TOP.into(),
        builder: source.derivation.builder.clone(),
        args: source.args().map(rewritten).collect(),
        env: environment::nix(source, made.env)
            .into_iter()
            .map(|(name, value)| (name, rewritten(value)))
            .collect(),
        outputs: source.outputs(),
    })
}
