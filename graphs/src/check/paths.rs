//! What a path may look like.

/// The longest path that the kernel takes, and the longest component.
const LONGEST: (usize, usize) = (4095, 255);

/// Why this is no absolute path in its plainest form, if it is none.
pub(super) fn not_absolute(path: &str) -> Option<&'static str> {
    match path.strip_prefix('/') {
        None => Some("it is not absolute"),
        Some("") => Some("it is the root"),
        Some(rest) => not_plain(path, rest),
    }
}

/// Why this is no relative path in its plainest form, if it is none.
pub(super) fn not_relative(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        Some("it is empty")
    } else if path.starts_with('/') {
        Some("it is absolute")
    } else {
        not_plain(path, path)
    }
}

fn not_plain(path: &str, components: &str) -> Option<&'static str> {
    if path.len() > LONGEST.0 {
        return Some("it is longer than 4095 bytes");
    }
    if path.contains('\0') {
        return Some("it holds a NUL");
    }
    components.split('/').find_map(|component| match component {
        "" => Some("it has an empty component"),
        "." => Some("it has a `.` component"),
        ".." => Some("it has a `..` component"),
        _ if component.len() > LONGEST.1 => Some("it has a component of more than 255 bytes"),
        _ => None,
    })
}

/// Whether a path is another one or lies below it.
pub(super) fn is_at_or_below(path: &str, other: &str) -> bool {
    path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paths_only() {
        for path in ["/a", "/a/b.c", "/..."] {
            assert_eq!(not_absolute(path), None, "{path}");
        }
        for path in ["", "/", "a", "/a/", "//a", "/a/../b", "/./a", "/a\0"] {
            assert!(not_absolute(path).is_some(), "{path:?}");
        }
        for path in ["", "/a", "../a", "a/..", "a//b", "./a"] {
            assert!(not_relative(path).is_some(), "{path:?}");
        }
        assert_eq!(not_relative("a/b c"), None);
    }

    #[test]
    fn below_is_by_components() {
        assert!(is_at_or_below("/usr/lib", "/usr") && is_at_or_below("/usr", "/usr"));
        assert!(!is_at_or_below("/usrlib", "/usr"));
    }
}
