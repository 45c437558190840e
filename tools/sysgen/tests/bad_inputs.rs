//! Every file of `tests/bad-inputs/sysgen` causes exactly the errors that it states itself.
//!
//! The files end in comments `<!-- expect: LINE:COLUMN: message -->`, one per error, in the order reported.

mod common;

use common::{folder, resolve};
use std::fs;
use std::path::{Path, PathBuf};

fn inputs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/bad-inputs/sysgen")
}

fn expected(text: &str) -> Vec<&str> {
    let comments = text.lines().filter_map(|line| line.strip_prefix("<!-- expect: "));
    comments.filter_map(|line| line.strip_suffix(" -->")).collect()
}

#[test]
fn each_bad_input_is_answered_with_its_errors() {
    let folder = folder("bad-inputs");
    let mut files: Vec<_> = fs::read_dir(inputs()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 80, "only {} bad inputs", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let problems = match resolve(&text, &folder) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.list().iter().map(ToString::to_string).collect(),
        };
        let folder = folder.display().to_string();
        let problems =
            problems.iter().map(|p: &String| p.replace("system.xml:", "").replace(&folder, "FOLDER"));
        let problems: Vec<_> = problems.collect();
        if problems.is_empty() || problems != expected(&text) {
            wrong.push(format!("{}\n  {}", file.file_stem().unwrap().display(), problems.join("\n  ")));
        }
    }
    assert!(wrong.is_empty(), "these differ from what they expect:\n{}", wrong.join("\n"));
}
