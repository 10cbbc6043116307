//! The command `callgate`.

use std::process::ExitCode;

/// A call makes about fifty small allocations, most of them freed by another thread than the one that made them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    callgate::app::main()
}
