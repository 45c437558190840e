//! `cloister-flows`: the flow report of a Microkit system description, and how it differs from a policy.
#![forbid(unsafe_code)]

use clap::Parser;
use tools_flows::Options;

/// Who can read, write, call and signal whom in a system.
#[derive(Parser)]
#[command(name = "cloister-flows")]
struct Arguments {
    #[command(flatten)]
    options: Options,
}

fn main() -> std::process::ExitCode {
    match Arguments::parse().options.run(std::path::Path::new("")) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}
