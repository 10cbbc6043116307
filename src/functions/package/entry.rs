//! Where an entry of an archive would lie, and what a link in it may point to.

use super::PackageError;

/// The longest path from the root, in bytes; with the folder it is unpacked into it stays well below the system's 4,096.
const PATH_BYTES_MAX: usize = 1_024;
/// The longest name of one file or folder, in bytes: the file systems' limit.
const NAME_BYTES_MAX: usize = 255;

/// The path below the root that an entry's name means, its parts joined by `/`; empty for the root itself. Parts that say
/// nothing (`.` and empty ones) are dropped.
pub fn path(name: &[u8]) -> Result<String, PackageError> {
    let refuse = |why| Err(PackageError::entry(name, why));
    let Ok(text) = std::str::from_utf8(name) else {
        return refuse("has a name that is not UTF-8");
    };
    if text.len() > PATH_BYTES_MAX {
        return refuse("has a path that is too long");
    }
    if text.contains('\0') {
        return refuse("has a NUL in its name");
    }
    if text.contains('\\') {
        return refuse(
            "has a backslash in its name: pack it with a tool that separates folders with slashes",
        );
    }
    if text.starts_with('/') || has_drive(text) {
        return refuse("has an absolute name");
    }
    let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.contains(&"..") {
        return refuse("leaves the package's root");
    }
    if parts.iter().any(|part| part.len() > NAME_BYTES_MAX) {
        return refuse("has a path that is too long");
    }
    Ok(parts.join("/"))
}

/// `C:` and the like.
fn has_drive(text: &str) -> bool {
    matches!(text.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic())
}

/// Checks a link's target, as it is stored, for a link at `path`.
///
/// Folders of the package are real ones (an entry below a link is refused), so `..` at the target's beginning climbs as
/// many folders as it says. Further on it might climb out of wherever another link leads, and is refused. Every link then
/// stays within the root, however many others it passes through.
pub fn check_link(path: &str, target: &[u8]) -> Result<String, PackageError> {
    let refuse = |why| Err(PackageError::entry(path.as_bytes(), why));
    let Ok(text) = std::str::from_utf8(target) else {
        return refuse("links to a name that is not UTF-8");
    };
    if text.is_empty() || text.len() > PATH_BYTES_MAX || text.contains('\0') {
        return refuse("links to a name that no file can have");
    }
    if text.starts_with('/') {
        return refuse("links outside the package");
    }
    let mut above = path.matches('/').count();
    let mut descending = false;
    for part in text.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part != ".." {
            descending = true;
        } else if descending || above == 0 {
            return refuse("links outside the package");
        } else {
            above -= 1;
        }
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_name_is_a_path_below_the_root() {
        for (name, expected) in [
            ("index.js", "index.js"),
            ("node_modules/a/b.js", "node_modules/a/b.js"),
            ("./lib//x.js", "lib/x.js"),
            ("lib/", "lib"),
            ("./", ""),
            ("..a/b..", "..a/b.."),
            ("ünïcode/文.js", "ünïcode/文.js"),
            ("ab:c", "ab:c"),
        ] {
            assert_eq!(path(name.as_bytes()).unwrap(), expected, "{name:?}");
        }
    }

    #[test]
    fn a_name_that_leaves_the_root_or_cannot_be_is_refused() {
        for name in [
            "../x",
            "a/../../x",
            "a/..",
            "/etc/passwd",
            "//x",
            "C:/x",
            "c:x",
            "a\\b",
            "..\\x",
            "a\0b",
            &"a/".repeat(1_100),
            &"n".repeat(256),
        ] {
            assert!(matches!(path(name.as_bytes()), Err(PackageError::Entry { .. })), "{name:?}");
        }
        assert!(path(b"a\xffb").is_err());
    }

    #[test]
    fn a_link_within_the_package_is_kept_as_it_is() {
        for (at, target) in [
            ("node_modules/.bin/tool", "../tool/bin.js"),
            ("a/b/c", "../../d"),
            ("a", "b"),
            ("a/b", ".."),
            ("a/b", "./c"),
        ] {
            assert_eq!(check_link(at, target.as_bytes()).unwrap(), target);
        }
    }

    #[test]
    fn a_link_that_leads_or_could_lead_outside_is_refused() {
        for (at, target) in [
            ("a", ".."),
            ("a", "/etc"),
            ("a/b", "../../x"),
            ("m", "d/e/l/.."),
            ("a/b", "c/../../.."),
            ("a", ""),
            ("a", "x\0"),
        ] {
            assert!(check_link(at, target.as_bytes()).is_err(), "{at} -> {target:?}");
        }
        assert!(check_link("a", b"\xff").is_err());
    }
}
