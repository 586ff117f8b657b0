//! DSSE envelopes: a payload, its type, and signatures over both.
//! Source: <https://github.com/secure-systems-lab/dsse>, `envelope.md` and `protocol.md`.

use super::{Error, json};
use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use serde::{Deserialize, Serialize};

/// The type of an in-toto statement.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";

/// An envelope. A field that comes twice is an error; unknown ones are ignored, as the protocol demands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// In base64.
    payload: String,
    /// What the payload is.
    #[serde(rename = "payloadType")]
    payload_type: String,
    /// Over the type and the payload.
    pub signatures: Vec<Signature>,
}

/// One signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// A hint at the key, which nobody vouches for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub keyid: String,
    /// In base64.
    pub sig: String,
}

impl Envelope {
    /// An envelope around a statement, not signed yet.
    pub fn new(statement: &str) -> Envelope {
        Envelope { payload: encode(statement.as_bytes()), payload_type: IN_TOTO.into(), signatures: vec![] }
    }

    /// Reads one; its signatures are not looked at.
    pub fn read(text: &str) -> Result<Envelope, Error> {
        json::parse(text).and_then(|_| serde_json::from_str(text)).map_err(|error| Error::json(&error))
    }

    /// The statement in it.
    pub fn statement(&self) -> Result<String, Error> {
        if self.payload_type != IN_TOTO {
            let what = format!("{:?}, and only {IN_TOTO} is known", self.payload_type);
            return Err(Error::new("payloadType", what));
        }
        let bytes = decode(&self.payload).ok_or_else(|| Error::new("payload", "this is no base64"))?;
        String::from_utf8(bytes).map_err(|_| Error::new("payload", "this is not UTF-8"))
    }

    /// What is signed: the pre-authentication encoding of type and payload.
    pub fn signed(&self) -> Result<Vec<u8>, Error> {
        let statement = self.statement()?;
        let (kind, length) = (&self.payload_type, statement.len());
        Ok(format!("DSSEv1 {} {kind} {length} {statement}", kind.len()).into_bytes())
    }
}

/// The statement of a text that is one, or an envelope around one.
///
/// # Errors
/// Text that is no JSON, and an envelope without a statement.
pub fn statement_of(text: &str) -> Result<String, Error> {
    let value = json::parse(text).map_err(|error| Error::json(&error))?;
    match value.get("payloadType") {
        Some(_) => Envelope::read(text)?.statement(),
        None => Ok(text.to_owned()),
    }
}

/// Standard base64.
pub fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Standard or URL-safe base64, in its one spelling.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let url_safe = GeneralPurpose::new(&alphabet::URL_SAFE, GeneralPurposeConfig::new());
    STANDARD.decode(text).or_else(|_| url_safe.decode(text)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_as_the_protocol_says() {
        // The example of protocol.md, but for the type, which is ours.
        let envelope = Envelope::new("hello world");
        assert_eq!(envelope.signed().unwrap(), b"DSSEv1 28 application/vnd.in-toto+json 11 hello world");
    }

    #[test]
    fn fields_come_once() {
        let twice =
            r#"{"payload":"","payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[]}"#;
        assert!(Envelope::read(twice).unwrap_err().to_string().contains("the key \"payload\" comes twice"));
    }
}
