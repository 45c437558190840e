//! What an image demands of models: from options to the region that the loader reads.

use crate::options::SystemOptions;
use anyhow::{Context, Result, anyhow, ensure};
use inference_manifest::pem;
use ipc_protocol::signing::{Identity, Minimum, ModelPolicy, REGION, Signer, TrustedKey};
use std::path::Path;

/// The contents of the region `model_policy`.
///
/// # Errors
/// A key that cannot be read, or more of something than fits.
pub fn page(options: &SystemOptions) -> Result<Vec<u8>> {
    ensure!(
        !options.require_signed || !options.trust.is_empty(),
        "--require-signed without --trust NAME.pub: no model could be loaded"
    );
    let mut policy = ModelPolicy { require_signed: options.require_signed, ..ModelPolicy::default() };
    for path in &options.trust {
        let key = trusted(path)?;
        policy.keys.push(key).map_err(|_| anyhow!("--trust: at most {} keys", policy.keys.capacity()))?;
    }
    for (name, version) in &options.minimum {
        let minimum = Minimum { identity: Identity::new(name.as_bytes()), version: *version };
        let full = policy.minimums.push(minimum);
        full.map_err(|_| anyhow!("--minimum: at most {} models", policy.minimums.capacity()))?;
    }
    let mut page = vec![0; REGION];
    policy.encode(&mut page).context("the model policy does not fit its region")?;
    Ok(page)
}

fn trusted(path: &Path) -> Result<TrustedKey> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("--trust {shown}: cannot be read"))?;
    let key = pem::read_public(&text);
    let key = key.map_err(|error| {
        anyhow!("--trust {shown}: no Ed25519 public key in PEM: {error}; `cloister-model keygen` makes one")
    })?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    Ok(TrustedKey { name: Signer::new(name.as_bytes()), key: key.to_bytes() })
}

/// "NAME=VERSION".
pub fn parse_minimum(text: &str) -> Result<(String, u64)> {
    let (name, version) = text.rsplit_once('=').context("write NAME=VERSION")?;
    ensure!((1..=inference_manifest::IDENTITY).contains(&name.len()), "a name has 1 to 48 bytes");
    Ok((name.into(), version.parse().context("a version is a whole number")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minimums_name_a_model_and_a_version() {
        assert_eq!(parse_minimum("a=b=3").unwrap(), ("a=b".into(), 3));
        for wrong in ["a", "=3", "a=", "a=-1", "a=x"] {
            assert!(parse_minimum(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn to_require_signatures_and_trust_nobody_is_a_mistake() {
        let options = SystemOptions { require_signed: true, ..SystemOptions::standard() };
        assert!(page(&options).unwrap_err().to_string().contains("--trust"));
    }
}
