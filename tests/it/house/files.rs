//! What a file may look like.

use super::{files, none, read, shown};

/// Nobody reads more at a time.
const LINES_MAX: usize = 500;
const CODE: [&str; 9] = ["rs", "js", "mjs", "cjs", "py", "sh", "sql", "java", "swift"];
const FOLDERS: [&str; 8] =
    ["src", "runtime", "tests", "benches", "examples", "scripts", "policies", "sdk-clients"];

fn all() -> impl Iterator<Item = std::path::PathBuf> {
    FOLDERS.into_iter().flat_map(|folder| files(folder, &CODE))
}

#[test]
fn files_are_short() {
    let long: Vec<String> = all()
        .filter_map(|file| {
            let lines = read(&file).lines().count();
            (lines > LINES_MAX).then(|| format!("{}: {lines} lines", shown(&file)))
        })
        .collect();
    none(&format!("files of more than {LINES_MAX} lines"), &long);
}

#[test]
fn nothing_is_left_for_later() {
    // Put together here, so that this file does not find itself.
    let marks = [["FIX", "ME"], ["TO", "DO"], ["XX", "X"], ["HA", "CK"]].map(|parts| parts.concat());
    let is_mark = |word: &str| marks.iter().any(|mark| mark == word);
    let found: Vec<String> = all()
        .flat_map(|file| {
            let text = read(&file);
            let marked = |(number, line): (usize, &str)| {
                let words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
                words.into_iter().any(is_mark).then(|| format!("{}:{}", shown(&file), number + 1))
            };
            text.lines().enumerate().filter_map(marked).collect::<Vec<_>>()
        })
        .collect();
    none("marks of unfinished work", &found);
}

#[test]
fn no_test_is_switched_off() {
    let offs =
        [["#[ign", "ore"], ["mark.", "skip"], ["mark.", "xfail"], ["test.", "skip("], ["it.", "skip("]]
            .map(|parts| parts.concat());
    let found: Vec<String> = all()
        .flat_map(|file| {
            let text = read(&file);
            let off = |line: &str| offs.iter().any(|off| line.contains(off.as_str()));
            text.lines()
                .enumerate()
                .filter(|(_, line)| off(line))
                .map(|(number, _)| format!("{}:{}", shown(&file), number + 1))
                .collect::<Vec<_>>()
        })
        .collect();
    none("tests that do not run", &found);
}

#[test]
fn lines_end_cleanly() {
    let found: Vec<String> = all()
        .filter(|file| {
            let text = read(file);
            text.contains('\r')
                || text.lines().any(|line| line.ends_with([' ', '\t']))
                || !(text.is_empty() || text.ends_with('\n'))
        })
        .map(|file| shown(&file))
        .collect();
    none("files with trailing blanks, carriage returns or no last newline", &found);
}
