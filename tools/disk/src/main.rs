//! `cloister-disk`: makes a disk image, adds files, lists it.
//!
//! One design rule: wiring only; `cargo xtask` calls the library.
#![forbid(unsafe_code)]

use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;
use tools_disk::{Addition, DiskError};

/// Makes Cloister's disk image, or adds files to one that exists, and lists its contents.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// The image.
    image: PathBuf,
    /// Model to put into /models; may be given more than once.
    #[arg(long)]
    model: Vec<PathBuf>,
    /// Document to put into /docs; may be given more than once.
    #[arg(long)]
    document: Vec<PathBuf>,
    /// Erase the account of the versions of signed models: older ones are taken again.
    #[arg(long)]
    forget_versions: bool,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), DiskError> {
    let models = options.model.iter().map(Addition::model);
    let additions: Vec<_> = models.chain(options.document.iter().map(Addition::document)).collect();
    tools_disk::prepare(&options.image, &additions, &mut |_, _| {})?;
    if options.forget_versions {
        tools_disk::forget_versions(&options.image)?;
    }
    for entry in tools_disk::list(&options.image)? {
        println!("{:>12} {}", entry.size, entry.path);
    }
    Ok(())
}
