//! Hand-made sets of records, small enough to be judged by eye, and one of fifty.

use super::super::read;
use super::*;

fn hash(digit: char) -> String {
    digit.to_string().repeat(64)
}

/// A list in the form of `sha256sum`: each word `name=digit`.
fn party(name: &str, outputs: &str) -> Party {
    let line = |word: &str| {
        let (name, digit) = word.split_once('=').unwrap();
        format!("{}  {name}\n", hash(digit.chars().next().unwrap()))
    };
    let text: String = outputs.split(' ').map(line).collect();
    Party { name: name.into(), claims: vec![read::read(text.as_bytes()).unwrap()] }
}

fn shown(outputs: &[Compared]) -> Vec<String> {
    let groups = |output: &Compared| {
        let groups: Vec<_> = output.groups.iter().map(|group| format!("{:?}", group.parties)).collect();
        groups.join("|")
    };
    outputs
        .iter()
        .map(|output| format!("{} {} {} {}", output.name, output.verdict.word(), groups(output), output.met))
        .collect()
}

#[test]
fn two_parties() {
    let parties = [party("one", "same=1 other=2 only-one=3"), party("two", "same=1 other=3 only-two=3")];
    let outputs = compare(&parties, &BTreeSet::new(), 2);
    assert_eq!(
        shown(&outputs),
        [
            "only-one inconclusive [0] false",
            "only-two inconclusive [1] false",
            "other differs [0]|[1] false",
            "same identical [0, 1] true",
        ]
    );
    assert_eq!(Counts::of(&outputs), Counts { identical: 1, differs: 1, inconclusive: 2 });
    assert_eq!(outputs[0].missing.keys().collect::<Vec<_>>(), [&1]);
}

#[test]
fn three_parties_and_how_many_must_agree() {
    let parties = [party("one", "a=1 b=1 c=1"), party("two", "a=1 b=1 c=2"), party("three", "a=1 b=2 d=1")];
    let met = |require| {
        compare(&parties, &BTreeSet::new(), require).iter().map(|output| output.met).collect::<Vec<_>>()
    };
    let outputs = compare(&parties, &BTreeSet::new(), 2);
    assert_eq!(
        shown(&outputs),
        [
            "a identical [0, 1, 2] true",
            "b differs [0, 1]|[2] true",
            "c differs [0]|[1] false",
            "d inconclusive [2] false",
        ]
    );
    assert_eq!(met(3), [true, false, false, false]);
    // Where one is enough, two that disagree are two too many.
    assert_eq!(met(1), [true, false, false, true]);
    let only = BTreeSet::from(["a".to_owned()]);
    assert_eq!(compare(&parties, &only, 3).len(), 1);
}

/// Of fifty parties, party `i` makes output `oNN` as its number says, so that every count can be told beforehand.
#[test]
fn fifty_parties_add_up() {
    let parties: Vec<_> = (0..50)
        .map(|i| {
            // `odd`: two halves; `rare`: two parties; `lone`: one; `most`: all but three agree; `all`: all agree.
            let mut outputs = format!("all=a odd={} most={}", i % 2, if i < 3 { i + 1 } else { 9 });
            if i < 2 {
                outputs += " rare=b";
            }
            if i == 7 {
                outputs += " lone=c";
            }
            party(&format!("p{i}"), &outputs)
        })
        .collect();
    let outputs = compare(&parties, &BTreeSet::new(), 25);
    let sizes: Vec<Vec<usize>> = outputs
        .iter()
        .map(|output| output.groups.iter().map(|group| group.parties.len()).collect())
        .collect();
    let names: Vec<_> = outputs.iter().map(|output| output.name.as_str()).collect();
    assert_eq!(names, ["all", "lone", "most", "odd", "rare"]);
    assert_eq!(sizes, [vec![50], vec![1], vec![47, 1, 1, 1], vec![25, 25], vec![2]]);
    // Half and half is no agreement of 25.
    assert_eq!(
        outputs.iter().map(|output| output.met).collect::<Vec<_>>(),
        [true, false, true, false, false]
    );
    assert_eq!(Counts::of(&outputs), Counts { identical: 2, differs: 2, inconclusive: 1 });
    for output in &outputs {
        let counted: usize = output.groups.iter().map(|group| group.parties.len()).sum();
        assert_eq!(counted + output.missing.len() + output.contradictory.len(), 50, "{}", output.name);
    }
}

#[test]
fn a_party_that_contradicts_itself_counts_for_nothing() {
    let mut two = party("two", "a=1");
    two.claims.extend(party("two", "a=2").claims);
    let outputs = compare(&[party("one", "a=1"), two, party("three", "a=1")], &BTreeSet::new(), 2);
    assert_eq!(shown(&outputs), ["a identical [0, 2] true"]);
    assert_eq!(outputs[0].contradictory, [1]);
}

#[test]
fn hashes_of_different_things_are_not_compared() {
    let nar = |digit| {
        let mut party = party("nar", "a=0");
        party.claims[0].outputs.insert("a".into(), Output::new(read::Method::nar(), hash(digit), None));
        party
    };
    let outputs = compare(&[party("file", "a=1"), nar('2')], &BTreeSet::new(), 2);
    assert_eq!(shown(&outputs), ["a inconclusive [0]|[1] false"]);
    // Who has both brings them together, wherever it stands.
    let mut both = nar('2');
    both.claims.extend(party("both", "a=1").claims);
    for order in [[0, 1, 2], [0, 2, 1], [1, 2, 0], [2, 1, 0]] {
        let all = [party("file", "a=1"), nar('2'), both.clone()];
        let parties = order.map(|number| all[number].clone());
        assert_eq!(
            shown(&compare(&parties, &BTreeSet::new(), 3)),
            ["a identical [0, 1, 2] true"],
            "{order:?}"
        );
    }
}
