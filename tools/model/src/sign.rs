// SPDX-License-Identifier: MIT
//! `keygen`, `sign`, `verify`: manifests of models (docs/signed-models.md), with the library that the loader uses.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use inference_manifest::{Checker, Claim, Draft, KeyId, MAX_BYTES, Manifest, SigningKey, pem};

use crate::output::say;

/// Bytes read at a time.
const PIECE: usize = 1 << 20;

#[derive(clap::Args)]
pub struct KeygenArguments {
    /// Writes NAME.key, which nobody else may have, and NAME.pub, which images are made with.
    name: PathBuf,
}

#[derive(clap::Args)]
pub struct SignArguments {
    /// The model.
    file: PathBuf,
    /// Private key: Ed25519 in PKCS#8 PEM, from `keygen` or `openssl genpkey -algorithm ed25519`.
    #[arg(long, value_name = "NAME.key")]
    key: PathBuf,
    /// Release of this model: an older one is refused where a newer one was accepted.
    #[arg(long = "version", value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    release: u64,
    /// Name that versions count for; the file's name without `.gguf` where it is not given.
    #[arg(long, value_name = "NAME")]
    identity: Option<String>,
    /// Where the manifest goes; FILE.gguf.sig where it is not given.
    #[arg(short, long, value_name = "FILE.sig")]
    output: Option<PathBuf>,
}

#[derive(clap::Args)]
pub struct VerifyArguments {
    /// The model.
    file: PathBuf,
    /// Public key; more than one may be given.
    #[arg(long, value_name = "NAME.pub", required = true)]
    trust: Vec<PathBuf>,
    /// The manifest; FILE.gguf.sig where it is not given.
    #[arg(long, value_name = "FILE.sig")]
    manifest: Option<PathBuf>,
}

pub fn keygen(arguments: &KeygenArguments) -> Result<()> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| anyhow!("the system gives no random bytes: {error}"))?;
    let key = SigningKey::from_bytes(&seed);
    let (private, public) = (with_ending(&arguments.name, "key"), with_ending(&arguments.name, "pub"));
    let words =
        |text: Result<String, String>| text.map_err(|error| anyhow!("the key cannot be written: {error}"));
    write_new(&private, 0o600, &words(pem::write_private(&key))?)?;
    write_new(&public, 0o644, &words(pem::write_public(&key.verifying_key()))?)?;
    say!("{}: the private key; keep it to yourself", private.display());
    say!("{}: the public key {}, for --trust", public.display(), KeyId::of(key.verifying_key().as_bytes()));
    Ok(())
}

pub fn sign(arguments: &SignArguments) -> Result<()> {
    let path = &arguments.file;
    let key = pem::read_private(&read_text(&arguments.key)?);
    let key = key.map_err(|error| anyhow!("{}: no Ed25519 private key: {error}", arguments.key.display()))?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let identity = arguments.identity.as_deref().unwrap_or(&stem);
    let refused = |error| anyhow!("a manifest of {} as '{identity}' {error}", path.display());
    let mut draft = Draft::new(identity, arguments.release, length(path)?).map_err(refused)?;
    let mut first = [0; 4];
    let mut taken = 0;
    pieces(path, |piece| {
        if taken == 0 && piece.len() >= first.len() {
            first.copy_from_slice(&piece[..4]);
        }
        taken += piece.len();
        draft.update(piece);
        Ok(())
    })?;
    ensure!(first == *b"GGUF", "{}: not a GGUF file; nothing is signed", path.display());
    let bytes = draft.sign(&key).map_err(refused)?;
    let output = arguments.output.clone().unwrap_or_else(|| beside(path));
    std::fs::write(&output, &bytes).with_context(|| format!("{}: cannot be written", output.display()))?;
    let (manifest, _) = Claim::parse(&bytes)?.verify(&[key.verifying_key().to_bytes()])?;
    say!("{}: {}", output.display(), describe(&manifest));
    Ok(())
}

pub fn verify(arguments: &VerifyArguments) -> Result<()> {
    let path = &arguments.file;
    let sig = arguments.manifest.clone().unwrap_or_else(|| beside(path));
    let trusted = arguments.trust.iter().map(|path| public_key(path)).collect::<Result<Vec<_>>>()?;
    let bytes = read_manifest(&sig)?;
    let wrong = |error| anyhow!("{} {error}", sig.display());
    let claim = Claim::parse(&bytes).map_err(wrong)?;
    let (manifest, place) = claim.verify(&trusted).map_err(wrong)?;
    let mut checker = Checker::new(manifest.clone());
    let identity = manifest.identity();
    let mismatch = |error| anyhow!("{} is not the model {identity} that was signed: {error}", path.display());
    checker.check_length(length(path)?).map_err(mismatch)?;
    pieces(path, |piece| checker.update(piece).map_err(mismatch))?;
    ensure!(checker.is_complete(), "{} became shorter while it was read", path.display());
    say!("{}: {}, trusted by {}", path.display(), describe(&manifest), arguments.trust[place].display());
    Ok(())
}

fn describe(manifest: &Manifest) -> String {
    format!(
        "{} version {}, {} bytes in {} chunks of {}, key {}",
        manifest.identity(),
        manifest.version(),
        manifest.length(),
        manifest.hashes().len(),
        manifest.chunk_size(),
        manifest.key()
    )
}

fn public_key(path: &Path) -> Result<[u8; 32]> {
    let key = pem::read_public(&read_text(path)?);
    let key = key.map_err(|error| anyhow!("{}: no Ed25519 public key: {error}", path.display()))?;
    Ok(key.to_bytes())
}

fn read_manifest(path: &Path) -> Result<Vec<u8>> {
    let size = length(path)?;
    if size > MAX_BYTES as u64 {
        bail!("{} is not a manifest: {size} bytes are more than any has", path.display());
    }
    std::fs::read(path).with_context(|| format!("{}: cannot be read", path.display()))
}

fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{}: cannot be read", path.display()))
}

fn length(path: &Path) -> Result<u64> {
    let metadata = std::fs::metadata(path).with_context(|| format!("{}: cannot be read", path.display()))?;
    ensure!(metadata.is_file(), "{}: is not a file", path.display());
    Ok(metadata.len())
}

/// Reads a file piece by piece.
fn pieces(path: &Path, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let mut file = File::open(path).with_context(|| format!("{}: cannot be opened", path.display()))?;
    let mut buffer = vec![0; PIECE];
    loop {
        let read = file.read(&mut buffer).with_context(|| format!("{}: cannot be read", path.display()))?;
        if read == 0 {
            return Ok(());
        }
        take(&buffer[..read])?;
    }
}

fn beside(model: &Path) -> PathBuf {
    let mut name = model.as_os_str().to_owned();
    name.push(".sig");
    name.into()
}

fn with_ending(name: &Path, ending: &str) -> PathBuf {
    let mut name = name.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

/// Writes a file that is not there yet, with these rights from its first byte on.
fn write_new(path: &Path, rights: u32, text: &str) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, rights);
    #[cfg(not(unix))]
    let _ = rights;
    let file = options.open(path);
    let mut file =
        file.with_context(|| format!("{}: cannot be made; a key is never replaced", path.display()))?;
    Ok(file.write_all(text.as_bytes())?)
}
