//! Signatures: known answers from RFC 8032, both ways with `ssh-keygen` and from Nix, and a table of tamperings of which every
//! one is refused with its reason.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use records::sign::{self, Keys, Refused, Secret};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use support::{folder, groundup, need};

fn unhex(text: &str) -> Vec<u8> {
    graphs::hex::decode(text).unwrap()
}

/// RFC 8032, 7.1: secret key, public key, message, signature.
const VECTORS: [[&str; 4]; 4] = [
    [
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
    [
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ],
];

#[test]
fn signatures_are_those_of_rfc_8032() {
    for [secret, public, message, signature] in VECTORS {
        let key = Secret::from_seed(&unhex(secret).try_into().unwrap(), "").unwrap();
        assert_eq!(key.public().key_data().ed25519().unwrap().0.to_vec(), unhex(public));
        assert_eq!(key.sign(&unhex(message)).to_vec(), unhex(signature));
    }
}

/// A record as `run` writes it, of a build that failed.
fn record(plan: &str) -> String {
    let report = json!({ "steps": [{ "name": "b", "outcome": "failed", "reason": "exit status 1" }] });
    let record = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{
            "name": "a", "digest": { "sha256": "ab".repeat(32) }, "mediaType": "application/x-nix-nar",
        }],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:groundup:plan:1",
                "resolvedDependencies": [{ "name": "plan", "digest": { "sha256": plan.repeat(64) } }],
            },
            "runDetails": { "byproducts": [{ "name": "report", "annotations": report }] },
        },
    });
    format!("{record:#}\n")
}

fn secret(seed: u8) -> Secret {
    Secret::from_seed(&[seed; 32], "").unwrap()
}

fn keys() -> Keys {
    let line = |name: &str, seed| format!("{name} {}\n", secret(seed).public().to_openssh().unwrap());
    Keys::read(&(line("alice", 1) + &line("bob", 2))).unwrap()
}

fn envelope(plan: &str, seed: u8) -> Value {
    serde_json::from_str(&sign::sign_envelope(&record(plan), &secret(seed)).unwrap()).unwrap()
}

fn verify(envelope: &Value) -> Result<Vec<String>, Refused> {
    let verified = sign::verify(envelope.to_string().as_bytes(), None, &keys())?;
    verified.of_plan(&"1".repeat(64))?;
    Ok(verified.signers.into_iter().collect())
}

/// The payload, changed.
fn payload(envelope: &Value, change: impl FnOnce(String) -> String) -> Value {
    let text = String::from_utf8(STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap()).unwrap();
    json!(STANDARD.encode(change(text)))
}

/// The first signature's bytes, changed.
fn bytes(envelope: &Value, change: impl FnOnce(&mut Vec<u8>)) -> Value {
    let mut bytes = STANDARD.decode(envelope["signatures"][0]["sig"].as_str().unwrap()).unwrap();
    change(&mut bytes);
    json!(STANDARD.encode(bytes))
}

/// Adds the order of the group to the second half of a signature: the same equation holds, and the encoding is another.
fn malleate(bytes: &mut [u8]) {
    let order = unhex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let mut carry = 0;
    for (byte, add) in bytes[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
}

#[test]
fn every_tampering_with_an_envelope_is_refused() {
    let good = envelope("1", 1);
    assert_eq!(verify(&good), Ok(vec!["alice".into()]));
    let mut both = good.clone();
    both["signatures"].as_array_mut().unwrap().push(envelope("1", 2)["signatures"][0].clone());
    assert_eq!(verify(&both), Ok(vec!["alice".into(), "bob".into()]));
    // The hint is only one, and more white space in the envelope is nobody's matter.
    let mut hintless = good.clone();
    hintless["signatures"][0]["keyid"] = json!("");
    assert_eq!(verify(&hintless), Ok(vec!["alice".into()]));

    let other = envelope("2", 1);
    let stranger = envelope("1", 9);
    type Change<'a> = Box<dyn Fn(&mut Value) + 'a>;
    let table: Vec<(&str, Change<'_>, &str)> = vec![
        (
            "an output's hash",
            Box::new(|e| e["payload"] = payload(e, |text| text.replacen("abab", "abac", 1))),
            "alice",
        ),
        (
            "the plan",
            Box::new(|e| e["payload"] = payload(e, |text| text.replacen("1111", "2111", 1))),
            "alice",
        ),
        (
            "a failed step built",
            Box::new(|e| e["payload"] = payload(e, |text| text.replace("failed", "built"))),
            "alice",
        ),
        ("a space more", Box::new(|e| e["payload"] = payload(e, |text| text + " ")), "alice"),
        (
            "the last byte gone",
            Box::new(|e| {
                e["payload"] = payload(e, |mut text| {
                    text.pop();
                    text
                })
            }),
            "alice",
        ),
        (
            "half of it gone",
            Box::new(|e| e["payload"] = payload(e, |text| text[..text.len() / 2].into())),
            "alice",
        ),
        ("nothing left", Box::new(|e| e["payload"] = json!("")), "alice"),
        ("another's payload", Box::new(|e| e["payload"] = other["payload"].clone()), "alice"),
        (
            "an output more",
            Box::new(|e| {
                e["payload"] = payload(e, |text| {
                    text.replacen(
                        "\"subject\": [",
                        "\"subject\": [{\"name\":\"x\",\"digest\":{\"sha256\":\"\"}},",
                        1,
                    )
                })
            }),
            "alice",
        ),
        ("another type", Box::new(|e| e["payloadType"] = json!("text/plain")), "payloadType"),
        (
            "another type, alike",
            Box::new(|e| e["payloadType"] = json!("application/vnd.in-toto+json ")),
            "payloadType",
        ),
        ("no signatures", Box::new(|e| e["signatures"] = json!([])), "no signature"),
        (
            "one bit of the first half",
            Box::new(|e| e["signatures"][0]["sig"] = bytes(e, |b| b[0] ^= 1)),
            "alice",
        ),
        (
            "one bit of the second half",
            Box::new(|e| e["signatures"][0]["sig"] = bytes(e, |b| b[63] ^= 1)),
            "alice",
        ),
        ("a byte too few", Box::new(|e| e["signatures"][0]["sig"] = bytes(e, |b| b.truncate(63))), "alice"),
        ("a byte too many", Box::new(|e| e["signatures"][0]["sig"] = bytes(e, |b| b.push(0))), "alice"),
        ("all zeros", Box::new(|e| e["signatures"][0]["sig"] = bytes(e, |b| b.fill(0))), "alice"),
        ("an empty one", Box::new(|e| e["signatures"][0]["sig"] = json!("")), "alice"),
        (
            "the same point, another encoding",
            Box::new(|e| e["signatures"][0]["sig"] = bytes(e, |b| malleate(b))),
            "alice",
        ),
        ("no base64", Box::new(|e| e["signatures"][0]["sig"] = json!("!!!!")), "no base64"),
        (
            "trailing bits in base64",
            Box::new(|e| {
                let sig = e["signatures"][0]["sig"].as_str().unwrap().trim_end_matches('=').to_owned();
                let last = if sig.ends_with('A') { 'B' } else { 'z' };
                e["signatures"][0]["sig"] = json!(format!("{}{last}==", &sig[..sig.len() - 1]));
            }),
            "",
        ),
        (
            "a stranger's signature",
            Box::new(|e| e["signatures"] = stranger["signatures"].clone()),
            "none of the given keys",
        ),
        (
            "a stranger's in alice's name",
            Box::new(|e| e["signatures"][0]["sig"] = stranger["signatures"][0]["sig"].clone()),
            "alice",
        ),
        (
            "a stranger's, without a name",
            Box::new(|e| {
                e["signatures"] = stranger["signatures"].clone();
                e["signatures"][0]["keyid"] = json!("");
            }),
            "none of the given keys",
        ),
        (
            "alice's in bob's name, altered",
            Box::new(|e| {
                e["signatures"][0]["sig"] = bytes(e, |b| b[5] ^= 4);
                e["signatures"][0]["keyid"] = envelope("1", 2)["signatures"][0]["keyid"].clone();
            }),
            "bob",
        ),
        (
            "a good one beside an altered one",
            Box::new(|e| {
                let mut bad = envelope("1", 2)["signatures"][0].clone();
                bad["sig"] = bytes(e, |b| b[7] ^= 1);
                e["signatures"].as_array_mut().unwrap().push(bad);
            }),
            "bob",
        ),
        (
            "the payload itself signed, without its type",
            Box::new(|e| {
                e["signatures"][0]["sig"] = json!(STANDARD.encode(secret(1).sign(record("1").as_bytes())));
            }),
            "alice",
        ),
        (
            "the base64 signed",
            Box::new(|e| {
                let text = e["payload"].as_str().unwrap().to_owned();
                e["signatures"][0]["sig"] = json!(STANDARD.encode(secret(1).sign(text.as_bytes())));
            }),
            "alice",
        ),
        ("replayed for another plan", Box::new(|e| *e = envelope("2", 1)), "it is of the plan 2222"),
        ("signatures that are no list", Box::new(|e| e["signatures"] = json!({})), "line 1"),
        ("a statement alone", Box::new(|e| *e = serde_json::from_str(&record("1")).unwrap()), "no signature"),
    ];
    assert!(table.len() >= 20);
    for (what, change, reason) in table {
        let mut tampered = good.clone();
        change(&mut tampered);
        assert_ne!(tampered, good, "{what}");
        let refused = verify(&tampered).expect_err(what).to_string();
        assert!(refused.contains(reason), "{what}: {refused}");
    }
    // Truncated anywhere, but for the line feed at the end.
    let text = sign::sign_envelope(&record("1"), &secret(1)).unwrap();
    for end in 0..text.len() - 1 {
        assert!(sign::verify(&text.as_bytes()[..end], None, &keys()).is_err(), "{end}");
    }
    let twice = text.replacen('{', "{\"payload\": \"\",", 1);
    assert!(
        sign::verify(twice.as_bytes(), None, &keys())
            .unwrap_err()
            .to_string()
            .contains("the key \"payload\" comes twice")
    );
}

fn run(folder: &Path, program: &str, arguments: &[&str], stdin: &str) -> (bool, String) {
    let mut command = match program {
        "groundup" => groundup(),
        other => Command::new(other),
    };
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    if !stdin.is_empty() {
        command.stdin(fs::File::open(folder.join(stdin)).unwrap());
    }
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn ssh_keygen_accepts_ours_and_ours_accepts_its() {
    need("ssh-keygen", "openssh-client");
    let folder = folder();
    let at = folder.path();
    let run = |program: &str, arguments: &[&str], stdin: &str| run(at, program, arguments, stdin);
    let good = |program: &str, arguments: &[&str], stdin: &str| {
        let (good, said) = run(program, arguments, stdin);
        assert!(good, "{program} {arguments:?}: {said}");
        said
    };
    fs::write(at.join("record.json"), record("1")).unwrap();
    good("groundup", &["key", "new", "ours", "--comment", "alice"], "");
    assert!(!run("groundup", &["key", "new", "ours"], "").0, "an old key is written over");
    // Its own idea of the key that we made.
    let shown = good("ssh-keygen", &["-l", "-f", "ours.pub"], "");
    assert!(shown.contains("(ED25519)") && shown.contains("alice"), "{shown}");
    let public = fs::read_to_string(at.join("ours.pub")).unwrap();
    assert_eq!(good("ssh-keygen", &["-y", "-f", "ours"], "").trim(), public.trim());

    let signers = format!("alice namespaces=\"groundup\" {public}");
    fs::write(at.join("signers"), &signers).unwrap();
    good("groundup", &["sign", "record.json", "--key", "ours", "--ssh"], "");
    let accept = ["-Y", "verify", "-f", "signers", "-I", "alice", "-n", "groundup", "-s", "record.json.sig"];
    assert!(good("ssh-keygen", &accept, "record.json").contains("Good \"groundup\" signature for alice"));
    let verify = ["verify", "record.json", "--keys", "signers"];
    assert!(good("groundup", &verify, "").contains("record.json: signed by alice, plan 1111"));

    // Keys of other kinds and with other hashes, made and used by ssh-keygen.
    for (kind, bits, hash) in [
        ("ed25519", "256", "sha256"),
        ("ed25519", "256", "sha512"),
        ("ecdsa", "256", "sha512"),
        ("rsa", "2048", "sha512"),
    ] {
        let name = format!("{kind}-{hash}");
        good("ssh-keygen", &["-q", "-t", kind, "-b", bits, "-N", "", "-C", "bob", "-f", &name], "");
        fs::remove_file(at.join("record.json.sig")).unwrap();
        let option = format!("hashalg={hash}");
        good(
            "ssh-keygen",
            &["-q", "-Y", "sign", "-n", "groundup", "-O", &option, "-f", &name, "record.json"],
            "",
        );
        let said = good("groundup", &["verify", "record.json", "--keys", &format!("{name}.pub")], "");
        assert!(said.contains("signed by bob"), "{said}");
        // Not by the others, and not when altered.
        assert!(run("groundup", &verify, "").1.contains("none of the given keys signed it"));
        fs::write(at.join("record.json"), record("2")).unwrap();
        let (good, said) = run("groundup", &["verify", "record.json", "--keys", &format!("{name}.pub")], "");
        assert!(!good && said.contains("the signature of bob does not fit"), "{said}");
        fs::write(at.join("record.json"), record("1")).unwrap();
    }
    // With a kind of key that only ssh-keygen knows, `sign --ssh` asks it.
    fs::remove_file(at.join("record.json.sig")).unwrap();
    good("groundup", &["sign", "record.json", "--key", "rsa-sha512", "--ssh"], "");
    assert!(
        good("groundup", &["verify", "record.json", "--keys", "rsa-sha512.pub"], "")
            .contains("signed by bob")
    );

    // What was signed for something else, by the same key.
    fs::remove_file(at.join("record.json.sig")).unwrap();
    good("ssh-keygen", &["-q", "-Y", "sign", "-n", "git", "-f", "ours", "record.json"], "");
    let (accepted, said) = run("groundup", &verify, "");
    assert!(!accepted && said.contains("made for \"git\""), "{said}");
    fs::remove_file(at.join("record.json.sig")).unwrap();
    assert!(run("groundup", &verify, "").1.contains("it bears no signature"));
    // A key that is for other things only.
    fs::write(at.join("signers"), signers.replace("=\"groundup\"", "=\"git\"")).unwrap();
    assert!(run("groundup", &verify, "").1.contains("there is no key in it"));
}

#[test]
fn signatures_of_nix_are_verified() {
    need("nix", "nix-bin");
    let folder = folder();
    let at = folder.path();
    let secret = secret(3);
    let public = secret.public().key_data().ed25519().unwrap().0;
    let path = "/nix/store/00000000000000000000000000000000-x";
    let base32 = "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73";
    let fingerprint =
        format!("1;{path};sha256:{base32};120;{path},/nix/store/11111111111111111111111111111111-y");
    let sig = STANDARD.encode(secret.sign(fingerprint.as_bytes()));
    let narinfo = format!(
        "StorePath: {path}\nURL: x\nCompression: none\nNarHash: sha256:{base32}\nNarSize: 120\n\
         References: 00000000000000000000000000000000-x 11111111111111111111111111111111-y\nSig: cache-1:{sig}\n"
    );
    fs::write(at.join("keys"), format!("cache-1:{}\n", STANDARD.encode(public))).unwrap();
    for (text, good) in [
        (narinfo.clone(), true),
        // What is signed is the hash, however it is spelled, and the references in their order.
        (narinfo.replace(base32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), true),
        (
            narinfo
                .replace("-x 11111111111111111111111111111111-y", "-x")
                .replace("References: ", "References: 11111111111111111111111111111111-y "),
            true,
        ),
        (narinfo.replace("NarSize: 120", "NarSize: 121"), false),
        (narinfo.replace("1111-y", "1112-y"), false),
        (narinfo.replace("0mdqa", "1mdqa"), false),
        (narinfo.replace("cache-1:", "cache-2:"), false),
    ] {
        fs::write(at.join("x.narinfo"), &text).unwrap();
        assert_eq!(run(at, "groundup", &["verify", "x.narinfo", "--keys", "keys"], "").0, good, "{text}");
    }
}

#[test]
fn compare_counts_signers_and_refuses_what_is_not_signed() {
    let folder = folder();
    let at = folder.path();
    let line = |name: &str, seed| format!("{name} {}\n", secret(seed).public().to_openssh().unwrap());
    fs::write(at.join("keys"), line("alice", 1) + &line("bob", 2)).unwrap();
    let write = |name: &str, plan, seed| {
        fs::write(at.join(name), sign::sign_envelope(&record(plan), &secret(seed)).unwrap()).unwrap();
    };
    write("a", "1", 1);
    write("again", "2", 1);
    write("b", "1", 2);
    write("c", "1", 9);
    fs::write(at.join("plain"), record("1")).unwrap();
    let compare =
        |records: &[&str]| run(at, "groundup", &[&["compare", "--keys", "keys"], records].concat(), "");
    let (good, said) = compare(&["a", "b"]);
    assert!(good && said.contains("alice: record, 1 output, signature verified"), "{said}");
    let (good, said) = compare(&["a", "again"]);
    assert!(!good && said.contains("one party alone"), "{said}");
    let (good, said) = compare(&["a", "x=again", "b", "--require", "3"]);
    assert!(!good && said.contains("there are only 2 parties"), "{said}");
    let (good, said) = compare(&["a", "b", "plain", "c"]);
    assert!(!good && said.contains("plain is refused: it bears no signature"), "{said}");
    assert!(said.contains("c is refused: none of the given keys signed it"), "{said}");
    // What was cut is no record without a signature, and Guix's signature is one, of another kind.
    let whole = fs::read_to_string(at.join("a")).unwrap();
    fs::write(at.join("cut"), &whole[..whole.len() - 9]).unwrap();
    assert!(compare(&["cut", "b"]).1.contains("cut is refused: line"));
    let path = "/gnu/store/00000000000000000000000000000000-x";
    let nar = "sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73";
    let guix = format!(
        "StorePath: {path}\nURL: nar/x\nNarHash: {nar}\nNarSize: 1\nReferences: \nSignature: 1;x;AAAA\n"
    );
    fs::write(at.join("guix"), guix).unwrap();
    assert!(compare(&["guix", "b"]).1.contains("it is Guix's"));
    // Without keys nothing is verified, and that is said.
    let (good, said) = run(at, "groundup", &["compare", "a", "c", "plain"], "");
    assert!(good && said.contains("signatures were not verified"), "{said}");
}

#[test]
fn what_is_signed_is_verified_from_the_command_line() {
    let folder = folder();
    let at = folder.path();
    let run = |arguments: &[&str]| run(at, "groundup", arguments, "");
    fs::write(at.join("record.json"), record("1")).unwrap();
    assert!(run(&["key", "new", "key", "--comment", "alice"]).0);
    assert_eq!(run(&["sign", "record.json", "--key", "key"]).1.trim(), "record.dsse.json");
    let plan = "1".repeat(64);
    assert!(run(&["verify", "record.dsse.json", "--keys", "key.pub", "--plan", &plan]).0);
    let (good, said) =
        run(&["verify", "record.dsse.json", "--keys", "key.pub", "--plan", &"2".repeat(64), "--json"]);
    assert!(!good && said.contains("record.dsse.json is refused: it is of the plan 1111"), "{said}");
    // For a program it is one value, whatever is refused.
    let mut refused = groundup();
    refused
        .args(["verify", "record.json", "record.dsse.json", "--keys", "key.pub", "--json"])
        .current_dir(at);
    let output = refused.output().unwrap();
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &value["verified"][0]["signedBy"][0]), (Some(2), &json!("alice")));
    assert!(value["refused"][0].as_str().unwrap().starts_with("record.json is refused"), "{value}");
    // The plan of a graph is another one.
    let seed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../graphs/seed.ron");
    let (good, said) =
        run(&["verify", "record.dsse.json", "--keys", "key.pub", "--graph", seed.to_str().unwrap()]);
    assert!(!good && said.contains("it is of the plan 1111"), "{said}");
    // What is no record is not signed, and a key with a passphrase is left to ssh-keygen.
    fs::write(at.join("garbage"), "hello").unwrap();
    assert!(!run(&["sign", "garbage", "--key", "key"]).0);
    assert!(run(&["sign", "record.json", "--key", "record.json"]).1.contains("name an ed25519 key"));
}
