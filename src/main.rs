//! The `keystead` program: arguments in, exit code out.
//!
//! Must never: decide anything; `src/cli` does.

use std::process::ExitCode;

fn main() -> ExitCode {
    keystead::run_cli(std::env::args_os())
}
