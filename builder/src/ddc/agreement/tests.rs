use super::*;

/// Lanes `a`, `b`, `c`, … that each make output `x` of step `x`, the target: one letter a lane, `-` for none made and
/// `.` for not planned.
fn lanes(made: &str) -> Vec<Party> {
    let party = |(number, letter): (usize, char)| Party {
        name: char::from(b'a' + number as u8).to_string(),
        steps: if letter == '.' { vec![] } else { vec!["x".into()] },
        outputs: if "-.".contains(letter) {
            BTreeMap::new()
        } else {
            [("x".to_owned(), letter.to_string())].into()
        },
    };
    made.chars().enumerate().map(party).collect()
}

fn verdict(made: &str, varied: bool) -> (Verdict, Vec<Vec<usize>>, bool) {
    let wanted = [Wanted { name: "x".into(), step: "x".into(), target: true, varied }];
    let judged = judge(&wanted, &lanes(made));
    let apart = dissents(&judged).into_iter().map(|apart| apart.lanes).collect();
    (judged[0].verdict, apart, all_agree(&judged, made.len()))
}

#[test]
fn every_case_has_its_verdict() {
    let alone = |lane: usize| vec![vec![lane]];
    for (made, varied, expected) in [
        ("111", false, (Verdict::Agrees, vec![], true)),
        ("111", true, (Verdict::Agrees, vec![], true)),
        ("123", true, (Verdict::Expected, vec![], false)),
        ("112", false, (Verdict::Differs, alone(2), false)),
        ("1121", false, (Verdict::Differs, alone(2), false)),
        ("11122", false, (Verdict::Differs, vec![vec![3, 4]], false)),
        ("11123", false, (Verdict::Differs, vec![vec![3], vec![4]], false)),
        // Nobody is outvoted in a tie.
        ("12", false, (Verdict::Differs, vec![], false)),
        ("1122", false, (Verdict::Differs, vec![], false)),
        ("11-", false, (Verdict::Inconclusive, vec![], false)),
        ("1--", false, (Verdict::Inconclusive, vec![], false)),
        ("---", false, (Verdict::Inconclusive, vec![], false)),
        // A difference is one, whatever the others would have made.
        ("12-", false, (Verdict::Differs, vec![], false)),
        ("112-", false, (Verdict::Differs, alone(2), false)),
        ("12-", true, (Verdict::Expected, vec![], false)),
        ("1..", false, (Verdict::Single, vec![], false)),
        ("-..", false, (Verdict::Inconclusive, vec![], false)),
        // A target that not all lanes were to make is vouched for by those that were, and not by all.
        ("11.", false, (Verdict::Agrees, vec![], false)),
    ] {
        assert_eq!(verdict(made, varied), expected, "{made} {varied}");
    }
}

#[test]
fn lanes_that_stand_apart_are_listed_once_with_all_that_they_made() {
    let wanted = |name: &str| Wanted { name: name.into(), step: "x".into(), target: false, varied: false };
    let mut parties = lanes("1112");
    for (number, party) in parties.iter_mut().enumerate() {
        party.outputs.insert("y".into(), if number == 3 { "8" } else { "9" }.into());
        party.outputs.insert("z".into(), "7".into());
    }
    let judged = judge(&[wanted("x"), wanted("y"), wanted("z")], &parties);
    assert_eq!(dissents(&judged), [Dissent { lanes: vec![3], outputs: vec!["x".into(), "y".into()] }]);
    assert_eq!(judged[2].verdict, Verdict::Agrees);
}
