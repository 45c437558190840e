// SPDX-License-Identifier: MIT
//! `keygen`, `sign` and `verify` on files.

use std::path::PathBuf;
use std::process::Command;

/// A folder that goes when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Runs the tool in the folder; what it printed, or what it complained of.
    fn run(&self, words: &[&str]) -> Result<String, String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cloister-model"));
        let output = command.args(words).current_dir(&self.0).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.0.join(name), bytes).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn model() -> Vec<u8> {
    let mut bytes = b"GGUF".to_vec();
    bytes.extend((0..200_000_u32).map(|i| (i * 7) as u8));
    bytes
}

#[test]
fn a_signed_file_is_verified_and_a_changed_one_is_not() {
    let folder = Folder::new("signed");
    folder.run(&["keygen", "vendor"]).unwrap();
    folder.run(&["keygen", "other"]).unwrap();
    folder.write("story.gguf", &model());
    let said = folder.run(&["sign", "story.gguf", "--key", "vendor.key", "--version", "3"]).unwrap();
    assert!(said.starts_with("story.gguf.sig: story version 3, 200004 bytes in 4 chunks of 65536"), "{said}");
    let verify = ["verify", "story.gguf", "--trust", "other.pub", "--trust", "vendor.pub"];
    let said = folder.run(&verify).unwrap();
    assert!(said.contains("story version 3") && said.contains("trusted by vendor.pub"), "{said}");
    let said = folder.run(&verify[..4]).unwrap_err();
    assert!(said.contains("story.gguf.sig is signed by key"), "{said}");
    let mut changed = model();
    changed[70_000] ^= 1;
    folder.write("story.gguf", &changed);
    let said = folder.run(&verify).unwrap_err();
    assert!(said.contains("chunk 1 (bytes 65536 to 131071) is not what was signed"), "{said}");
    folder.write("story.gguf", &model()[..1000]);
    assert!(folder.run(&verify).unwrap_err().contains("truncated"));
}

#[test]
fn keys_are_for_their_owner_and_never_replaced() {
    let folder = Folder::new("keys");
    folder.run(&["keygen", "mine"]).unwrap();
    let said = folder.run(&["keygen", "mine"]).unwrap_err();
    assert!(said.contains("mine.key") && said.contains("never replaced"), "{said}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let rights = std::fs::metadata(folder.0.join("mine.key")).unwrap().permissions().mode();
        assert_eq!(rights & 0o777, 0o600);
    }
    folder.write("model.gguf", &model());
    let said = folder.run(&["sign", "model.gguf", "--key", "mine.pub"]).unwrap_err();
    assert!(said.contains("mine.pub: no Ed25519 private key"), "{said}");
}

#[test]
fn what_is_no_model_or_has_no_name_is_not_signed() {
    let folder = Folder::new("refused");
    folder.run(&["keygen", "k"]).unwrap();
    folder.write("notes.txt", b"hello there");
    folder.write("empty.gguf", b"");
    folder.write("m.gguf", &model());
    let sign = |words: &[&str]| folder.run(&[&["sign", "--key", "k.key"], words].concat()).unwrap_err();
    assert!(sign(&["notes.txt"]).contains("not a GGUF file"));
    assert!(sign(&["empty.gguf"]).contains("0 bytes"));
    assert!(sign(&["missing.gguf"]).contains("missing.gguf"));
    assert!(sign(&["m.gguf", "--identity", ""]).contains("printable"));
    assert!(sign(&["m.gguf", "--version", "0"]).contains("--version"));
    assert!(!folder.0.join("notes.txt.sig").exists());
}
