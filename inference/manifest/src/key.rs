//! Keys, as people see them.

use core::fmt;

/// The first bytes of a public key: enough to tell keys apart, not to trust one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyId(pub [u8; 8]);

impl KeyId {
    /// Of a public key.
    pub fn of(key: &[u8; 32]) -> Self {
        Self(core::array::from_fn(|i| key[i]))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Keys in files: PKCS#8 and SubjectPublicKeyInfo in PEM (RFC 8410), as OpenSSL reads and writes them.
#[cfg(feature = "pem")]
pub mod pem {
    use alloc::string::{String, ToString};
    use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
    use ed25519_dalek::pkcs8::{
        DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, KeypairBytes,
    };
    use ed25519_dalek::{SigningKey, VerifyingKey};

    /// A private key's file, without the public key in it, which OpenSSL 3.0 would not read.
    ///
    /// # Errors
    /// In words.
    pub fn write_private(key: &SigningKey) -> Result<String, String> {
        let alone = KeypairBytes { secret_key: key.to_bytes(), public_key: None };
        alone.to_pkcs8_pem(LineEnding::LF).map(|pem| pem.to_string()).map_err(|error| error.to_string())
    }

    /// A public key's file.
    ///
    /// # Errors
    /// In words.
    pub fn write_public(key: &VerifyingKey) -> Result<String, String> {
        key.to_public_key_pem(LineEnding::LF).map_err(|error| error.to_string())
    }

    /// Reads a private key's file.
    ///
    /// # Errors
    /// In words: no key of this kind.
    pub fn read_private(text: &str) -> Result<SigningKey, String> {
        SigningKey::from_pkcs8_pem(text).map_err(|error| error.to_string())
    }

    /// Reads a public key's file.
    ///
    /// # Errors
    /// In words: no key of this kind.
    pub fn read_public(text: &str) -> Result<VerifyingKey, String> {
        VerifyingKey::from_public_key_pem(text).map_err(|error| error.to_string())
    }
}
