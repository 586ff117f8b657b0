//! Addresses of NARs in a binary cache.

/// An address, if it stays below the cache.
pub(super) fn address(url: &str) -> Result<String, String> {
    let refuse = |why: &str| Err(format!("the URL {url:?} {why}"));
    if url.is_empty() || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return refuse("is not of printable ASCII");
    }
    let Some(decoded) = percent(url) else { return refuse("has a `%` that encodes nothing") };
    // What would be decoded a second time is refused, too.
    if decoded.iter().any(|byte| matches!(byte, b'\\' | b'%') || byte.is_ascii_control()) {
        return refuse("holds a backslash, a control character or an encoded `%`");
    }
    for text in [url.as_bytes(), &decoded] {
        let mut parts = text.split(|byte| *byte == b'/');
        if text.first() == Some(&b'/') || parts.next().is_some_and(|first| first.contains(&b':')) {
            return refuse("leads out of the cache: it is not relative");
        }
        if text
            .split(|byte| matches!(byte, b'/' | b'?' | b'#'))
            .any(|part| matches!(part, b"." | b".." | b""))
        {
            return refuse("leads out of the cache: a component is empty, `.` or `..`");
        }
    }
    Ok(url.to_owned())
}

/// The bytes that percent-encoding stands for.
fn percent(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digit = |at: usize| char::from(*after.get(at)?).to_digit(16);
        bytes.push((digit(0)? * 16 + digit(1)?) as u8);
        rest = &after[2..];
    }
    Some(bytes)
}
