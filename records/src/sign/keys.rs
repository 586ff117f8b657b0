//! The file of those who are believed: a line each, of one of these forms. Empty lines and those after `#` say nothing.
//!
//! ```text
//! ssh-ed25519 AAAA… NAME                  a .pub file
//! NAME [OPTIONS] ssh-ed25519 AAAA…        allowed_signers, ssh-keygen(1); of the options only namespaces="…" is known
//! NAME:BASE64                             a key of a Nix binary cache
//! ```

use super::NAMESPACE;
use super::key::fingerprint;
use crate::read::Error;
use crate::read::envelope::decode;
use ssh_key::PublicKey;

/// Somebody who is believed.
#[derive(Clone, Debug)]
pub struct Signer {
    /// As results name them.
    pub name: String,
    /// Their key.
    pub key: PublicKey,
}

/// All who are believed.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    /// By SSH keys.
    pub signers: Vec<Signer>,
    /// By keys of Nix's binary caches.
    pub nix: Vec<(String, [u8; 32])>,
}

impl Keys {
    /// Reads the file.
    pub fn read(text: &str) -> Result<Keys, Error> {
        let mut keys = Keys::default();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |what: String| Error::new(format_args!("line {}", number + 1), what);
            if let Some(key) = nix(line) {
                keys.nix.push(key);
            } else if let Some(signer) = ssh(line).map_err(wrong)? {
                keys.signers.push(signer);
            }
        }
        if keys.signers.is_empty() && keys.nix.is_empty() {
            return Err(Error::new("line 1", "there is no key in it"));
        }
        Ok(keys)
    }

    /// The names of all, each once.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.signers.iter().map(|signer| signer.name.as_str()).collect();
        names.extend(self.nix.iter().map(|(name, _)| name.as_str()));
        names.sort_unstable();
        names.dedup();
        names
    }
}

fn nix(line: &str) -> Option<(String, [u8; 32])> {
    let (name, key) = line.split_once(':')?;
    let key: [u8; 32] = decode(key)?.try_into().ok()?;
    (!name.is_empty() && !name.contains(char::is_whitespace)).then(|| (name.into(), key))
}

/// `None` for a key that is for other things.
fn ssh(line: &str) -> Result<Option<Signer>, String> {
    let words: Vec<_> = line.split_whitespace().collect();
    let kind = |word: &&str| ["ssh-", "ecdsa-", "sk-"].iter().any(|kind| word.starts_with(kind));
    let at = words.iter().position(kind).ok_or("expected a public key of SSH or Nix")?;
    let key = PublicKey::from_openssh(&words[at..].join(" ")).map_err(|error| error.to_string())?;
    for option in words[..at].iter().skip(1).flat_map(|word| options(word)) {
        match option.split_once('=') {
            Some(("namespaces", list)) => {
                let list = list.strip_prefix('"').and_then(|list| list.strip_suffix('"'));
                if !allows(list.ok_or("namespaces=\"…\" has no quotes")?) {
                    return Ok(None);
                }
            }
            _ => {
                return Err(format!(
                    "the option {option:?} is not understood, and so the key can not be used"
                ));
            }
        }
    }
    let name = match (at, key.comment()) {
        (1.., _) => words[0].to_owned(),
        (0, "") => fingerprint(key.key_data()),
        (0, comment) => comment.to_owned(),
    };
    Ok(Some(Signer { name, key }))
}

/// Whether a list of patterns, some perhaps with `!` before them, is for our namespace. Source: ssh_config(5), PATTERNS.
fn allows(list: &str) -> bool {
    let fit = |pattern: &str| fits(pattern.as_bytes(), NAMESPACE.as_bytes());
    let (not, yes): (Vec<_>, Vec<_>) = list.split(',').partition(|pattern| pattern.starts_with('!'));
    yes.into_iter().any(fit) && !not.iter().any(|pattern| fit(&pattern[1..]))
}

/// `*` stands for any text, `?` for any character.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([b'*', rest @ ..], _) => {
            fits(rest, text) || text.split_first().is_some_and(|(_, text)| fits(pattern, text))
        }
        ([one, rest @ ..], [first, text @ ..]) => (*one == b'?' || one == first) && fits(rest, text),
        (pattern, text) => pattern.is_empty() && text.is_empty(),
    }
}

/// Options are parted by commas that are not in quotes.
fn options(word: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    word.split(move |c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAmnmSfQ3Jr3Bz5b3yaHG6mF5ZmN7j9X0q0o0m0i0yqI";

    #[test]
    fn all_forms_are_read() {
        let text = format!(
            "# who\n\n{KEY} me@home\n{KEY}\nalice {KEY}\nbob namespaces=\"git,groundup\" {KEY} x\n\
             eve namespaces=\"git\" {KEY}\ncache.example-1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
        );
        let keys = Keys::read(&text).unwrap();
        let names: Vec<_> = keys.signers.iter().map(|signer| signer.name.as_str()).collect();
        assert_eq!((names[0], &names[2..]), ("me@home", &["alice", "bob"][..]));
        assert!(names[1].starts_with("SHA256:"));
        assert_eq!(keys.nix[0].0, "cache.example-1");
    }

    #[test]
    fn namespaces_are_patterns() {
        for (list, good) in [
            ("groundup", true),
            ("git,groundup", true),
            ("ground*,x", true),
            ("*r?undup", true),
            ("*", true),
            ("!git,*", true),
            ("", false),
            ("GROUNDUP", false),
            ("groundup2,g?undup", false),
            ("*,!groundup", false),
            ("!ground*,groundup", false),
            ("!git", false),
        ] {
            let keys = Keys::read(&format!("alice namespaces=\"{list}\" {KEY}\n"));
            assert_eq!(keys.is_ok(), good, "{list}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in [
            String::new(),
            "hello".into(),
            format!("alice cert-authority {KEY}"),
            format!("alice valid-before=\"20300101\" {KEY}"),
            format!("alice namespaces=groundup {KEY}"),
            KEY[..60].into(),
        ] {
            assert!(Keys::read(&text).is_err(), "{text}");
        }
    }
}
