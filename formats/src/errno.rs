//! What the errors say that a step's set-up can really meet; the others keep their numbers.

/// The text of an error number; none for one that keeps its number. Source: errno(3).
pub fn text(number: i32) -> Option<&'static str> {
    Some(match number {
        1 => "operation not permitted",
        2 => "no such file or directory",
        7 => "too long",
        8 => "not a program that this kernel can run",
        11 => "resource temporarily unavailable",
        12 => "out of memory",
        13 => "permission denied",
        17 => "exists already",
        20 => "not a directory",
        22 => "invalid argument",
        28 => "no space left",
        30 => "read-only file system",
        36 => "name too long",
        40 => "a symbolic link on the way",
        _ => return None,
    })
}
