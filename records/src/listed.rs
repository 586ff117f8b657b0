//! Lists that do not say what their hashes are of: `groundup run` prints those of NARs as `sha256sum` prints those of files. Pure.

use super::read::{Claims, Method, Of, Output};
use super::verdict::Party;

/// A list in which one hash is what another party has of the NAR is a list of NARs: nothing else has that hash. Then the others
/// in it are of NARs too, and may differ from what that party has.
pub fn settle(parties: &mut [Party]) {
    let nars: Vec<(String, String)> = parties
        .iter()
        .flat_map(|party| &party.claims)
        .flat_map(|claims| &claims.outputs)
        .filter_map(|(name, output)| Some((name.clone(), output.digests.get(&Method::nar())?.clone())))
        .collect();
    let is_nar = |(name, output): (&String, &Output)| {
        output
            .digests
            .get(&listed())
            .is_some_and(|hex| nars.iter().any(|(other, nar)| other == name && nar == hex))
    };
    for claims in parties.iter_mut().flat_map(|party| &mut party.claims) {
        if claims.outputs.iter().any(is_nar) {
            retag(claims);
        }
    }
}

fn retag(claims: &mut Claims) {
    for output in claims.outputs.values_mut() {
        if let Some(hex) = output.digests.remove(&listed()) {
            output.digests.insert(Method::nar(), hex);
        }
    }
}

fn listed() -> Method {
    Method { of: Of::Listed, algorithm: "sha256".into() }
}
