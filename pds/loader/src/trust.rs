//! What the image demands of models.

use crate::LoadError;
use alloc::string::ToString;
use alloc::vec::Vec;
use inference_manifest::{Claim, Manifest};
use ipc_protocol::signing::{Identity, ModelPolicy, Signed, Signer};

/// The policy; `None`: it is damaged, so nothing is loaded.
pub(crate) struct Trust(Option<ModelPolicy>);

/// What to do about a model's manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Demand {
    /// No key is trusted: it is not looked at.
    Nothing,
    /// Where there is one, it must be right.
    IfThere,
    /// There must be one.
    Always,
}

impl Trust {
    /// From the policy's region.
    pub fn read(region: &[u8]) -> Self {
        Self(ModelPolicy::decode(region))
    }

    fn policy(&self) -> Result<&ModelPolicy, LoadError> {
        self.0.as_ref().ok_or(LoadError::Policy)
    }

    /// Whether a manifest must be there.
    pub fn demand(&self) -> Result<Demand, LoadError> {
        let policy = self.policy()?;
        Ok(match (policy.require_signed, policy.keys.is_empty()) {
            (true, _) => Demand::Always,
            (false, false) => Demand::IfThere,
            (false, true) => Demand::Nothing,
        })
    }

    /// What a trusted key has signed in these bytes.
    pub fn verify(&self, name: &str, bytes: &[u8]) -> Result<(Manifest, Signed), LoadError> {
        let policy = self.policy()?;
        let keys: Vec<[u8; 32]> = policy.keys.iter().map(|key| key.key).collect();
        let verified = Claim::parse(bytes).and_then(|claim| claim.verify(&keys));
        let (manifest, place) =
            verified.map_err(|error| LoadError::Manifest { name: name.to_string(), error })?;
        let signed = Signed {
            identity: Identity::new(manifest.identity().as_bytes()),
            version: manifest.version(),
            signer: policy.keys.get(place).map_or_else(Signer::default, |key| key.name.clone()),
            key: manifest.key().0,
        };
        Ok((manifest, signed))
    }

    /// The oldest version of a model that the image accepts.
    pub fn minimum(&self, identity: &Identity) -> Result<u64, LoadError> {
        let minimums = self.policy()?.minimums.iter().filter(|minimum| minimum.identity == *identity);
        Ok(minimums.map(|minimum| minimum.version).max().unwrap_or(0))
    }
}
