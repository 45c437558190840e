//! The command line, for `cloister-flows` and `cargo xtask flows`.

use crate::{Flows, Policy, dot, json, svg, text};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::path::{Path, PathBuf};
use tools_sysgen::{Description, SearchPath, board};

/// The board that `system.xml` is for, without overlays.
const OWN_BOARD: &str = "qemu_virt_aarch64";

/// What to report, and how.
#[derive(Args, Debug)]
pub struct Options {
    /// The Microkit system description [default: system.xml, compared with policy.toml]
    #[arg(long, value_name = "FILE")]
    system: Option<PathBuf>,
    /// Compare with this policy; a difference is an error
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Read the description by the rules of this board of Cloister's, by its Microkit name [default: with --system by
    /// Microkit's rules alone, for any board; else qemu_virt_aarch64]
    #[arg(long)]
    board: Option<String>,
    /// Print the report as JSON
    #[arg(long, conflicts_with_all = ["dot", "svg"])]
    json: bool,
    /// Print it in Graphviz's language
    #[arg(long, conflicts_with = "svg")]
    dot: bool,
    /// Print it as an SVG picture
    #[arg(long)]
    svg: bool,
}

impl Options {
    /// Prints the report, then every difference from the policy. What is not named lies in the folder `root`.
    ///
    /// # Errors
    /// The description or the policy cannot be read, or they differ.
    pub fn run(&self, root: &Path) -> Result<()> {
        let path = self.system.clone().unwrap_or_else(|| root.join("system.xml"));
        let flows = self.flows(&path)?;
        print!("{}", self.report(&flows)?);
        match (&self.policy, &self.system) {
            (Some(policy), _) => compare(&flows, policy),
            (None, None) => compare(&flows, &root.join("policy.toml")),
            (None, Some(_)) => Ok(()),
        }
    }

    fn flows(&self, path: &Path) -> Result<Flows> {
        let description = Description::read(path)?;
        let name = self.board.as_deref().or(self.system.is_none().then_some(OWN_BOARD));
        let system = match name {
            Some(name) => description.resolve(&board(name)?, &SearchPath::default())?,
            None => description.survey()?,
        };
        Ok(Flows::of(&system))
    }

    fn report(&self, flows: &Flows) -> Result<String> {
        Ok(match (self.json, self.dot, self.svg) {
            (true, ..) => json(flows)? + "\n",
            (_, true, _) => dot(flows),
            (.., true) => svg(flows),
            _ => text(flows),
        })
    }
}

fn compare(flows: &Flows, path: &Path) -> Result<()> {
    let policy = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let policy = Policy::parse(&policy).with_context(|| path.display().to_string())?;
    let differences = policy.compare(flows);
    for difference in &differences {
        eprintln!("error: {difference}");
    }
    match differences.len() {
        0 => {
            eprintln!("the system does what {} allows, and nothing else", path.display());
            Ok(())
        }
        count => bail!(
            "{count} difference(s) from {}: take what is too much out of the description; what is meant goes into the \
             policy, with the reason",
            path.display()
        ),
    }
}
