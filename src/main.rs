//! The command `callgate`.

use std::process::ExitCode;

fn main() -> ExitCode {
    callgate::app::main()
}
