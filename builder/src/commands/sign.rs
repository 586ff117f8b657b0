//! `groundup key`, `sign` and `verify`: who vouches for a record.

use crate::args;
use crate::compare::files::{read_file, signature_beside};
use crate::envelope;
use crate::failure::Failure;
use crate::prepare::graph::Source;
use crate::prepare::unused::Unused;
use crate::prepare::{prepare, store};
use crate::run::preflight;
use crate::ui::term;
use graphs::Problem;
use records::sign::{self, Keys, Secret, fingerprint};
use serde_json::json;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Makes a key, which nobody else may read, and `.pub` beside it.
pub fn new_key(file: &Path, comment: &str, json: bool) -> Result<(), Failure> {
    let key = Secret::random(comment).map_err(Failure::input)?;
    let public = key.public().to_openssh().map_err(Failure::input)? + "\n";
    write_new(file, 0o600, &key.to_text().map_err(Failure::input)?)?;
    write_new(&beside(file, "pub"), 0o644, &public)?;
    let (public, fingerprint) = (beside(file, "pub"), fingerprint(key.public().key_data()));
    if json {
        return envelope::print(
            "key",
            Ok(()),
            json!({ "fingerprint": fingerprint, "secret": file, "public": public }),
        );
    }
    term::result(&format!("{fingerprint}  {}\n", public.display()))
}

/// An old key is not written over.
fn write_new(path: &Path, mode: u32, text: &str) -> Result<(), Failure> {
    let file = File::options().write(true).create_new(true).mode(mode).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| {
        Failure::help(format!("{}: {error}", path.display()), "name a file that is not there yet")
    })
}

/// Signs a record: an envelope around it or, for SSH's tools, a signature beside it.
pub fn sign(args: &args::Sign, json: bool) -> Result<(), Failure> {
    let record = &args.record;
    let bytes = read_file(record).map_err(|problem| Failure::several(vec![*problem]))?;
    let bad = |error: &dyn std::fmt::Display| Failure::input(format!("{}: {error}", record.display()));
    let text = String::from_utf8(bytes).map_err(|error| bad(&error))?;
    // Whatever is signed can be read by who verifies it.
    records::read::read(text.as_bytes()).map_err(|error| bad(&error))?;
    let key =
        fs::read_to_string(&args.key).map_err(|error| error.to_string()).and_then(|text| Secret::read(&text));
    let (place, signed) = match (args.ssh, key) {
        (true, Err(_)) => {
            sign::sign_with_ssh_keygen(record, &args.key).map_err(Failure::input)?;
            return signed_to(&beside(record, "sig"), json);
        }
        (false, Err(why)) => {
            let help = "name an ed25519 key without a passphrase, as `groundup key new FILE` makes it; with --ssh, \
                        ssh-keygen signs with any key";
            return Err(Failure::help(format!("--key {}: {why}", args.key.display()), help));
        }
        (true, Ok(key)) => {
            (beside(record, "sig"), sign::sign_detached(text.as_bytes(), &key).map_err(|error| bad(&error))?)
        }
        (false, Ok(key)) => {
            let place = args.output.clone().unwrap_or_else(|| record.with_extension("dsse.json"));
            (place, sign::sign_envelope(&text, &key).map_err(|error| bad(&error))?)
        }
    };
    preflight::Ahead::default().file("--output", Some(&place)).done()?;
    fs::write(&place, signed).map_err(|error| Failure::input(format!("{}: {error}", place.display())))?;
    signed_to(&place, json)
}

fn signed_to(place: &Path, json: bool) -> Result<(), Failure> {
    match json {
        true => envelope::print("sign", Ok(()), json!({ "path": place })),
        false => term::result(&format!("{}\n", place.display())),
    }
}

/// Verifies records; each that is refused is reported with the reason. The inner failure is one that the results tell.
pub fn verify(args: &args::Verify, json: bool) -> Result<Result<(), Failure>, Failure> {
    let without = "no --graph is named";
    Unused::default()
        .option(args.graph.is_none() && !args.choices.choose.is_empty(), "--choose", without)
        .option(args.graph.is_none() && args.choices.keep_going, "--keep-going", without)
        .done()?;
    let keys = keys(&args.keys)?;
    let plan = match (&args.plan, &args.graph) {
        (Some(plan), _) => Some(plan.to_ascii_lowercase()),
        (None, Some(graph)) => {
            let source = Source::open(Some(graph))?;
            let graph = source.graph()?;
            let prepared = prepare(&source, graph, &args.choices, &store(&args.cache)?)?;
            Some(crate::hash(prepared.plan.as_bytes()))
        }
        (None, None) => None,
    };
    let (mut verified_records, mut problems) = (Vec::new(), Vec::new());
    for record in &args.records {
        let bytes = read_file(record).map_err(|problem| Failure::several(vec![*problem]))?;
        let detached = signature_beside(record).map_err(|problem| Failure::several(vec![*problem]))?;
        let verified = sign::verify(&bytes, detached.as_deref(), &keys)
            .and_then(|verified| plan.iter().try_for_each(|plan| verified.of_plan(plan)).map(|()| verified));
        match verified {
            Ok(verified) => verified_records.push((record, verified)),
            Err(refused) => {
                let text = format!("{} is refused: {refused}", record.display());
                problems
                    .push(Problem::error(text).help("do not rely on it; ask its author for the original"));
            }
        }
    }
    let refused: Vec<_> = problems.iter().map(|problem| problem.message.clone()).collect();
    let verdict = if problems.is_empty() { Ok(()) } else { Err(Failure::several(problems)) };
    if json {
        let one = |(record, verified): &(&PathBuf, sign::Verified)| {
            json!({
                "record": record, "signedBy": verified.signers, "plan": verified.claims.plan,
                "outputs": verified.claims.outputs.len(), "failures": verified.claims.failures,
            })
        };
        let verified: Vec<_> = verified_records.iter().map(one).collect();
        let value = json!({ "verified": verified, "refused": refused });
        envelope::print("verify", verdict.as_ref().copied(), value)?;
    } else {
        let line = |(record, verified): &(&PathBuf, sign::Verified)| {
            let signers: Vec<_> = verified.signers.iter().map(String::as_str).collect();
            let plan =
                verified.claims.plan.as_deref().map(|plan| format!(", plan {plan}")).unwrap_or_default();
            format!("{}: signed by {}{plan}\n", record.display(), signers.join(", "))
        };
        term::result(&verified_records.iter().map(line).collect::<String>())?;
    }
    Ok(verdict)
}

/// Reads a file of public keys.
pub fn keys(path: &Path) -> Result<Keys, Failure> {
    let fail = |error: &dyn std::fmt::Display| {
        let help = "name a .pub file, or one like SSH's allowed_signers, with a public key on each line";
        Failure::help(format!("--keys {}: {error}", path.display()), help)
    };
    let text = fs::read_to_string(path).map_err(|error| fail(&error))?;
    Keys::read(&text).map_err(|error| fail(&error))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}
