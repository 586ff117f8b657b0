//! Writes a closure of derivations with right paths into a folder, for measuring: `derivations COUNT FOLDER`. Each needs up to
//! three of those before it. Prints the last one's file.

use formats::digest::Sha256;
use formats::store_path;
use graphs::drv::{Derivation, Output, modulo, write};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const STORE: &str = "/nix/store";

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, count, folder] = &arguments[..] else { panic!("usage: derivations COUNT FOLDER") };
    let count: usize = count.parse().expect("a number");
    let (mut made, mut hashes) = (Vec::with_capacity(count), BTreeMap::<String, String>::new());
    for i in 0..count {
        let name = format!("step-{i}");
        let needs: BTreeSet<usize> =
            [i.wrapping_sub(1), i / 2, i * 7 / 8].into_iter().filter(|&n| n < i).collect();
        let mut derivation = Derivation {
            outputs: [("out".to_owned(), Output { path: String::new(), fixed: None })].into(),
            inputs: needs
                .iter()
                .map(|&n: &usize| (String::clone(&made[n]), ["out".to_owned()].into()))
                .collect(),
            sources: [store_path::make("source", Sha256::of("tools"), STORE, "tools")].into(),
            platform: "x86_64-linux".into(),
            builder: "/bin/sh".into(),
            args: ["-e", "-c", "configure; make; make install"].map(str::to_owned).into(),
            env: BTreeMap::from(
                [("name", name.as_str()), ("out", ""), ("PATH", "/none")]
                    .map(|(k, v)| (k.to_owned(), v.to_owned())),
            ),
        };
        let needed: Vec<&str> = derivation.inputs.keys().map(|input| hashes[input].as_str()).collect();
        let out = modulo::paths(&derivation, &needed, STORE, &name)["out"].clone();
        derivation.env.insert("out".into(), out.clone());
        derivation.outputs.insert("out".into(), Output { path: out, fixed: None });
        let text = write(&derivation);
        let own = modulo::own_path(text.as_bytes(), &derivation, STORE, &name);
        let hash = modulo::hash(&derivation, &needed);
        hashes.insert(own.clone(), hash);
        fs::write(Path::new(folder).join(store_path::base(&own)), text)?;
        made.push(own);
    }
    println!("{}", made.last().map(|own| store_path::base(own)).unwrap_or_default());
    Ok(())
}
