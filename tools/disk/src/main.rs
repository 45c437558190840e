//! `cloister-disk`: makes a disk image, adds files, lists it.
//!
//! One design rule: wiring only; `cargo xtask` calls the library.
#![forbid(unsafe_code)]

use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;
use tools_disk::{Addition, DiskError, Sizes};

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
    /// MiB of the data partition of a new image.
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=65_536))]
    data: Option<u64>,
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
    fill(options, &additions)?;
    if options.forget_versions {
        tools_disk::forget_versions(&options.image)?;
    }
    for entry in tools_disk::list(&options.image)? {
        println!("{:>12} {}", entry.size, entry.path);
    }
    Ok(())
}

/// Makes the image where there is none, and puts the files on it.
fn fill(options: &Options, additions: &[Addition]) -> Result<(), DiskError> {
    match options.data.map(|mebibytes| mebibytes << 20) {
        Some(data) if !options.image.exists() => {
            let sizes = Sizes { data, ..Sizes::default() };
            tools_disk::create(&options.image, sizes, additions, &mut |_, _| {})
        }
        Some(data) if tools_disk::layout(&options.image)?.data_size != data => {
            let error =
                std::io::Error::other("its data partition has another size; --data is for a new image");
            Err(DiskError::Host { path: options.image.clone(), error })
        }
        _ => tools_disk::prepare(&options.image, additions, &mut |_, _| {}),
    }
}
