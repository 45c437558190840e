//! The machine's RAM as a file that QEMU maps: read and written from outside while the machine runs.
//!
//! One design rule: nothing inside the machine takes part, so what is found here is what is there.

use crate::options::tested;
use anyhow::{Context, Result};
use board_description::Isa;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Physical address of the first byte of QEMU's RAM. On PCs it is 0: no machine here has more than lies below its devices.
pub fn base() -> u64 {
    match tested().isa {
        Isa::Aarch64 => tested().ram.base,
        Isa::X86_64 => 0,
    }
}
/// Bytes that are searched at a time.
const CHUNK: usize = 1 << 20;

/// See the module's documentation. The file is removed when this is dropped.
pub struct Ram {
    file: File,
    path: PathBuf,
    bytes: u64,
}

impl Ram {
    /// RAM of `mib` MiB, all zero.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn new(mib: u64) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
        let name = format!("cloister-{}-{}.ram", std::process::id(), COUNT.fetch_add(1, Relaxed));
        let path = folder.join(name);
        let open = File::options().read(true).write(true).create(true).truncate(true).open(&path);
        let file = open.with_context(|| format!("{}: cannot be made", path.display()))?;
        file.set_len(mib << 20)?;
        Ok(Self { file, path, bytes: mib << 20 })
    }

    /// Makes QEMU use it.
    pub fn options(&self) -> Vec<String> {
        let path = self.path.display().to_string().replace(',', ",,");
        let object =
            format!("memory-backend-file,id=ram,share=on,size={}M,mem-path={path}", self.bytes >> 20);
        ["-object".into(), object, "-machine".into(), "memory-backend=ram".into()].into()
    }

    /// The word at a physical address.
    ///
    /// # Errors
    /// When it is not RAM.
    pub fn word(&self, address: u64) -> Result<u64> {
        let mut bytes = [0; 8];
        self.file.read_exact_at(&mut bytes, offset(address)?)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// Sets the word at a physical address.
    ///
    /// # Errors
    /// As for [`Ram::word`].
    pub fn set_word(&self, address: u64, value: u64) -> Result<()> {
        Ok(self.file.write_all_at(&value.to_le_bytes(), offset(address)?)?)
    }

    /// Physical addresses at which `pattern` begins, all of RAM searched.
    ///
    /// # Errors
    /// When RAM cannot be read.
    pub fn find(&self, pattern: &[u8]) -> Result<Vec<u64>> {
        let (mut found, mut at) = (Vec::new(), 0);
        let mut chunk = vec![0; CHUNK + pattern.len() - 1];
        while at < self.bytes {
            let size = chunk.len().min((self.bytes - at) as usize);
            self.file.read_exact_at(&mut chunk[..size], at)?;
            if chunk[..size].iter().any(|byte| *byte != 0) {
                let places = memchr::memmem::find_iter(&chunk[..size], pattern);
                found.extend(places.map(|place| base() + at + place as u64));
            }
            at += CHUNK as u64;
        }
        Ok(found)
    }
}

impl Drop for Ram {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn offset(address: u64) -> Result<u64> {
    address.checked_sub(base()).with_context(|| format!("{address:#x} is not RAM"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_across_two_chunks_is_found_once() {
        let ram = Ram::new(3).unwrap();
        let across = base() + (1 << 20) - 8;
        ram.set_word(across, u64::from_le_bytes(*b"--canary")).unwrap();
        ram.set_word(across + 8, u64::from_le_bytes(*b"-bird---")).unwrap();
        assert_eq!(ram.find(b"canary-bird").unwrap(), [across + 2]);
        assert!(ram.find(b"sparrow").unwrap().is_empty() && ram.word(base() - 8).is_err());
    }
}
