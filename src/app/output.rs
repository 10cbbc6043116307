//! What commands print: results on standard output, for people or for programs.

use std::io::{self, Write};

/// Prints a line of the command's result. A reader that has gone away ends the command's output, not the command.
pub fn line(text: &str) {
    write(&mut io::stdout().lock(), text.as_bytes(), true);
}

/// Prints bytes of the command's result as they are, with a line's end if they have none.
pub fn bytes(content: &[u8]) {
    write(&mut io::stdout().lock(), content, !content.ends_with(b"\n"));
}

/// Prints a line beside the result, on standard error.
pub fn note(text: &str) {
    write(&mut io::stderr().lock(), text.as_bytes(), true);
}

fn write(to: &mut impl Write, content: &[u8], end_line: bool) {
    let end: &[u8] = if end_line { b"\n" } else { b"" };
    // Nobody is left to be told of a failure here.
    let _ = to.write_all(content).and_then(|()| to.write_all(end)).and_then(|()| to.flush());
}
