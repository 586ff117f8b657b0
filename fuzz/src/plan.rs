//! What must hold for every plan that the reader accepts.

use formats::plan::{Field, Item, Plan, RootfsEntry, Source, Step};

/// Reads all of a plan. A plan that is accepted must have the lines that the reader says it has, each in its one spelling;
/// one that is not must be refused at one of its lines.
pub fn read(bytes: &[u8]) -> Result<usize, formats::plan::Error> {
    let lines = bytes.iter().filter(|&&byte| byte == b'\n').count();
    let result = Plan::read(bytes).and_then(|plan| {
        let head = 3;
        plan.into_iter().try_fold(head, |sum, item| Ok(sum + item_lines(&item?)))
    });
    match result {
        Ok(seen) => assert_eq!(seen, lines, "every line is read, and once"),
        Err(error) => assert!((1..=lines + 1).contains(&(error.line as usize)), "{error}"),
    }
    result
}

fn item_lines(item: &Item<'_>) -> usize {
    match item {
        Item::Input(input) => assert!(formats::plan::is_name(input.name.as_bytes())),
        Item::Refers(name, base) => {
            assert!(formats::plan::is_name(name.as_bytes()) && formats::plan::is_name(base.as_bytes()));
        }
        Item::DropInput(name) | Item::DropOutput(name) => assert!(formats::plan::is_name(name.as_bytes())),
        Item::Step(step) => return step_lines(step),
    }
    1
}

fn step_lines(step: &Step<'_>) -> usize {
    assert!(step.uid != 0 && step.gid != 0);
    spelled(step.domain, false);
    path(step.cwd);
    path(step.builder);
    let stores = step.world().filter(|line| matches!(line, RootfsEntry::Store { .. })).count();
    assert_eq!(stores, 1);
    step.world().for_each(|line| match line {
        RootfsEntry::Dir { path: p, mode, .. } | RootfsEntry::Store { path: p, mode } => {
            assert!(mode <= 0o7777);
            path(p);
        }
        RootfsEntry::Device { path: p, .. }
        | RootfsEntry::Proc { path: p }
        | RootfsEntry::Pts { path: p }
        | RootfsEntry::Shm { path: p } => path(p),
        RootfsEntry::Closure => assert!(step.closure),
        RootfsEntry::File { path: p, text, .. } => {
            path(p);
            spelled(text, true);
        }
        RootfsEntry::Link { path: p, target } => {
            path(p);
            spelled(target, false);
        }
        RootfsEntry::Bind { source: Source::Input(source) | Source::Output(source), path: p } => {
            path(p);
            spelled(source, false);
            assert!(!source.bytes().collect::<Vec<_>>().split(|&b| b == b'/').any(|part| part == b".."));
        }
    });
    step.args().chain(step.env()).for_each(|text| spelled(text, true));
    let names: Vec<Vec<u8>> =
        step.env().map(|text| text.bytes().take_while(|&byte| byte != b'=').collect()).collect();
    assert!(names.is_sorted_by(|a, b| a < b));
    let (args, outputs) = (step.args().count(), step.outputs().count());
    assert!(args > 0 && outputs > 0);
    let fixed = "step uid gid umask host domain clock personality pid-one loopback log rules time-limit log-limit space-limit cwd \
                 builder end";
    fixed.split(' ').count() + 16 + step.world().count() + args + names.len() + outputs
}

fn path(field: Field<'_>) {
    spelled(field, false);
    let bytes: Vec<u8> = field.bytes().collect();
    assert!(bytes.len() > 1 && bytes.len() < 4096 && bytes[0] == b'/' && !bytes.contains(&0));
    assert!(!bytes[1..].split(|&byte| byte == b'/').any(|part| matches!(part, b"" | b"." | b"..")));
}

/// What a field stands for, spelled again by another's code, must be the field.
fn spelled(field: Field<'_>, spaces: bool) {
    let mut text = Vec::new();
    for byte in field.bytes() {
        match byte {
            b'\\' => text.extend(b"\\\\"),
            b'\n' => text.extend(b"\\n"),
            b'\t' => text.extend(b"\\t"),
            b'\r' => text.extend(b"\\r"),
            b' ' if spaces => text.push(b' '),
            0..=0x20 | 0x7f => text.extend(format!("\\x{byte:02x}").bytes()),
            _ => text.push(byte),
        }
    }
    assert_eq!(text, field.spelled());
}
