//! Disk images as people and Cloister see them: made, filled, grown, checked by the system's own tools.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use tools_disk::{Addition, Change, DiskError, Sizes};

const SMALL: Sizes = Sizes { files: 40 << 20, data: 2 << 20 };

struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("disk").join(test);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn image(&self) -> PathBuf {
        self.0.join("disk.img")
    }

    /// A file with contents that follow from its name and size.
    fn file(&self, name: &str, size: usize) -> PathBuf {
        let path = self.0.join(name);
        let contents: Vec<u8> = (0..size).map(|i| (i * 7 + i / 251 + name.len()) as u8).collect();
        fs::write(&path, contents).unwrap();
        path
    }

    fn names(&self) -> Vec<(String, u64)> {
        let mut names: Vec<_> =
            tools_disk::list(&self.image()).unwrap().into_iter().map(|e| (e.path, e.size)).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn quiet(_: u64, _: u64) {}

/// The files partition as a stream.
fn partition(image: &Path) -> fatfs::FileSystem<Part> {
    let layout = tools_disk::layout(image).unwrap();
    fatfs::FileSystem::new(Part::new(image, layout.files), fatfs::FsOptions::new()).unwrap()
}

struct Part(File, u64);

impl Part {
    fn new(image: &Path, start: u64) -> Self {
        let mut file = File::options().read(true).write(true).open(image).unwrap();
        file.seek(SeekFrom::Start(start)).unwrap();
        Self(file, start)
    }
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Part {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        self.0.write(buffer)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

impl Seek for Part {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let to = if let SeekFrom::Start(at) = to { SeekFrom::Start(at + self.1) } else { to };
        Ok(self.0.seek(to)? - self.1)
    }
}

fn contents(image: &Path, path: &str) -> Vec<u8> {
    let fat = partition(image);
    let mut bytes = Vec::new();
    fat.root_dir().open_file(path).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

/// Runs a tool that may not be installed; its output must not contain what it says of damage.
fn tool(name: &str, arguments: &[&str]) {
    let found = ["", "/usr/sbin/", "/sbin/"]
        .iter()
        .find_map(|folder| Command::new(format!("{folder}{name}")).args(arguments).output().ok());
    let Some(output) = found else {
        println!("skipped: {name} is not installed");
        return;
    };
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {text}");
}

fn check(folder: &Folder) {
    let layout = tools_disk::layout(&folder.image()).unwrap();
    tool("sfdisk", &["--verify", &folder.image().display().to_string()]);
    let mut bytes = vec![0; layout.files_size as usize];
    let mut file = File::open(folder.image()).unwrap();
    file.seek(SeekFrom::Start(layout.files)).unwrap();
    file.read_exact(&mut bytes).unwrap();
    let copy = folder.0.join("files.fat");
    fs::write(&copy, bytes).unwrap();
    tool("fsck.vfat", &["-n", &copy.display().to_string()]);
}

#[test]
fn a_new_disk_has_the_model_under_its_long_name_and_a_note() {
    let folder = Folder::new("new");
    let model = folder.file("A rather long model name, Q4_K_M (2026).gguf", 3_000_001);
    tools_disk::create(&folder.image(), SMALL, &[Addition::model(&model)], &mut quiet).unwrap();
    check(&folder);
    let path = "models/A rather long model name, Q4_K_M (2026).gguf";
    assert_eq!(contents(&folder.image(), path), fs::read(&model).unwrap());
    let readme = String::from_utf8(contents(&folder.image(), "README.TXT")).unwrap();
    assert!(readme.contains("\r\n") && readme.contains("NAME.gguf"));
    assert!(partition(&folder.image()).root_dir().open_dir("docs").is_ok());
}

#[test]
fn the_same_files_give_the_same_image() {
    let (one, two) = (Folder::new("same1"), Folder::new("same2"));
    for folder in [&one, &two] {
        let additions =
            [Addition::model(folder.file("m.gguf", 99_999)), Addition::document(folder.file("d.md", 10))];
        tools_disk::create(&folder.image(), SMALL, &additions, &mut quiet).unwrap();
    }
    assert!(fs::read(one.image()).unwrap() == fs::read(two.image()).unwrap());
}

#[test]
fn a_default_disk_is_sparse() {
    let folder = Folder::new("sparse");
    tools_disk::prepare(&folder.image(), &[], &mut quiet).unwrap();
    let metadata = fs::metadata(folder.image()).unwrap();
    assert_eq!(metadata.len(), (1 + 320 + 32 + 1 + 1) << 20);
    #[cfg(unix)]
    assert!(std::os::unix::fs::MetadataExt::blocks(&metadata) * 512 < 4 << 20);
}

/// Writes into the data partition and returns what it then holds.
fn mark(image: &Path) -> Vec<u8> {
    let layout = tools_disk::layout(image).unwrap();
    let mut file = File::options().read(true).write(true).open(image).unwrap();
    for at in [0, 70_000, layout.data_size - 8] {
        file.seek(SeekFrom::Start(layout.data + at)).unwrap();
        file.write_all(b"episodes").unwrap();
    }
    data(image)
}

fn data(image: &Path) -> Vec<u8> {
    let layout = tools_disk::layout(image).unwrap();
    let mut file = File::open(image).unwrap();
    let mut bytes = vec![0; layout.data_size as usize];
    file.seek(SeekFrom::Start(layout.data)).unwrap();
    file.read_exact(&mut bytes).unwrap();
    bytes
}

#[test]
fn models_are_added_in_place_and_data_stays() {
    let folder = Folder::new("add");
    tools_disk::create(&folder.image(), SMALL, &[], &mut quiet).unwrap();
    let kept = mark(&folder.image());
    let model = folder.file("first.gguf", 1_000_000);
    let mut seen = Vec::new();
    let change =
        tools_disk::add_model(&folder.image(), &model, &mut |done, all| seen.push((done, all))).unwrap();
    assert_eq!((change, seen.last()), (Change::Written, Some(&(1_000_000, 1_000_000))));
    assert_eq!(tools_disk::add_model(&folder.image(), &model, &mut quiet).unwrap(), Change::Unchanged);
    let shorter = folder.file("first.gguf", 500);
    assert_eq!(tools_disk::add_model(&folder.image(), &shorter, &mut quiet).unwrap(), Change::Written);
    tools_disk::prepare(&folder.image(), &[Addition::document(folder.file("notes.md", 7))], &mut quiet)
        .unwrap();
    assert!(data(&folder.image()) == kept);
    let size = |name: &str| folder.names().into_iter().find(|(path, _)| path == name).map(|(_, size)| size);
    assert_eq!((size("models/first.gguf"), size("docs/notes.md")), (Some(500), Some(7)));
    check(&folder);
}

#[test]
fn a_model_of_the_same_name_and_other_contents_differs() {
    let folder = Folder::new("differs");
    tools_disk::create(&folder.image(), SMALL, &[], &mut quiet).unwrap();
    let differs = |model: &Path| tools_disk::differs(&folder.image(), &Addition::model(model)).unwrap();
    let model = folder.file("first.gguf", 3000);
    assert!(!differs(&model), "it is not there");
    tools_disk::add_model(&folder.image(), &model, &mut quiet).unwrap();
    assert!(!differs(&model), "it is the same");
    let mut bytes = std::fs::read(&model).unwrap();
    bytes[2999] ^= 1;
    std::fs::write(&model, bytes).unwrap();
    assert!(differs(&model), "one byte, the same size");
    assert!(differs(&folder.file("first.gguf", 500)));
}

#[test]
fn a_disk_that_is_full_grows_and_takes_everything_with_it() {
    let folder = Folder::new("grow");
    let model = folder.file("first.gguf", 20_000_000);
    tools_disk::create(&folder.image(), SMALL, &[Addition::model(&model)], &mut quiet).unwrap();
    let before = tools_disk::layout(&folder.image()).unwrap();
    {
        let fat = partition(&folder.image());
        let nested = fat.root_dir().create_dir("docs/a folder of mine").unwrap();
        nested.create_file("thoughts.txt").unwrap().write_all(b"mine").unwrap();
    }
    let kept = mark(&folder.image());
    let second = folder.file("second.gguf", 30_000_000);
    tools_disk::add_model(&folder.image(), &second, &mut quiet).unwrap();
    let after = tools_disk::layout(&folder.image()).unwrap();
    assert!(after.files_size > before.files_size && after.data_size == before.data_size);
    assert!(data(&folder.image()) == kept);
    assert_eq!(contents(&folder.image(), "docs/a folder of mine/thoughts.txt"), b"mine");
    assert!(contents(&folder.image(), "models/first.gguf") == fs::read(&model).unwrap());
    assert!(contents(&folder.image(), "models/second.gguf") == fs::read(&second).unwrap());
    check(&folder);
}

/// Writes into the partition of versions, or reads it.
fn versions(image: &Path, write: Option<&[u8]>) -> Vec<u8> {
    let layout = tools_disk::layout(image).unwrap();
    let mut file = File::options().read(true).write(true).open(image).unwrap();
    file.seek(SeekFrom::Start(layout.versions)).unwrap();
    write.into_iter().for_each(|bytes| file.write_all(bytes).unwrap());
    let mut bytes = vec![0; layout.versions_size as usize];
    file.seek(SeekFrom::Start(layout.versions)).unwrap();
    file.read_exact(&mut bytes).unwrap();
    bytes
}

#[test]
fn the_account_of_versions_is_kept_until_it_is_to_be_forgotten() {
    let folder = Folder::new("versions");
    tools_disk::create(&folder.image(), SMALL, &[], &mut quiet).unwrap();
    let kept = versions(&folder.image(), Some(b"CLSTVERS"));
    assert!(kept.len() == 1 << 20 && kept.starts_with(b"CLSTVERS"));
    let large = folder.file("large.gguf", 50_000_000);
    tools_disk::prepare(&folder.image(), &[Addition::model(&large)], &mut quiet).unwrap();
    assert!(versions(&folder.image(), None) == kept, "a disk that grows takes it along");
    tools_disk::forget_versions(&folder.image()).unwrap();
    assert!(versions(&folder.image(), None).iter().all(|byte| *byte == 0));
    assert!(contents(&folder.image(), "models/large.gguf") == fs::read(&large).unwrap());
}

#[test]
fn a_disk_without_the_partition_of_versions_gets_it() {
    let folder = Folder::new("without-versions");
    let model = folder.file("first.gguf", 500_000);
    tools_disk::create(&folder.image(), SMALL, &[Addition::model(&model)], &mut quiet).unwrap();
    let kept = mark(&folder.image());
    let disk = gpt::GptConfig::new().writable(true).open(folder.image()).unwrap();
    remove_partition(disk, 3);
    assert_eq!(tools_disk::layout(&folder.image()).unwrap().versions_size, 0);
    tools_disk::prepare(&folder.image(), &[], &mut quiet).unwrap();
    assert!(versions(&folder.image(), None).iter().all(|byte| *byte == 0));
    assert!(data(&folder.image()) == kept);
    assert!(contents(&folder.image(), "models/first.gguf") == fs::read(&model).unwrap());
    check(&folder);
}

fn remove_partition(mut disk: gpt::GptDisk<File>, number: u32) {
    let mut partitions = disk.partitions().clone();
    partitions.remove(&number);
    disk.update_partitions(partitions).unwrap();
    disk.write().unwrap();
}

#[test]
fn files_that_cannot_be_put_are_refused_and_leave_nothing() {
    let folder = Folder::new("refused");
    let try_ = |source: &Path| {
        let error = tools_disk::create(&folder.image(), SMALL, &[Addition::model(source)], &mut quiet);
        assert!(!folder.image().exists() && !folder.0.join("disk.img.partial").exists());
        error.unwrap_err().to_string()
    };
    assert!(try_(&folder.0.join("none.gguf")).contains("none.gguf: No such file"));
    assert!(try_(&folder.0).contains("is not a file; name a file"));
    let colon = try_(&folder.file("a:b.gguf", 1));
    assert!(colon.contains("'a:b.gguf' cannot be a file name") && colon.ends_with("rename it"), "{colon}");
    let huge = folder.0.join("huge.gguf");
    File::create(&huge).unwrap().set_len(5 << 30).unwrap();
    assert!(try_(&huge).contains("FAT32 holds files below 4 GiB: use a smaller quantisation"));
}

#[test]
fn images_of_something_else_are_left_alone() {
    let folder = Folder::new("strange");
    for (what, bytes) in [("empty", vec![]), ("text", b"hello\n".repeat(1000)), ("zeros", vec![0; 1 << 20])] {
        fs::write(folder.image(), &bytes).unwrap();
        let error = tools_disk::prepare(&folder.image(), &[], &mut quiet);
        assert!(matches!(error, Err(DiskError::NotADisk { .. })), "{what}");
        assert!(fs::read(folder.image()).unwrap() == bytes, "{what}");
    }
}

#[test]
fn a_cut_or_damaged_image_is_an_error_and_no_panic() {
    let folder = Folder::new("damaged");
    let image = folder.image();
    tools_disk::create(&image, SMALL, &[Addition::model(folder.file("m.gguf", 50_000))], &mut quiet).unwrap();
    let mut file = File::options().read(true).write(true).open(&image).unwrap();
    for step in 0..400_usize {
        // The table, the boot sector, the allocation table and the root folder take turns.
        let start = [512, 1 << 20, (1 << 20) + 4096, (1 << 20) + 700_000][step % 4];
        let mut whole = [0; 2048];
        file.seek(SeekFrom::Start(start)).unwrap();
        file.read_exact(&mut whole).unwrap();
        let mut bytes = whole;
        (0..8).for_each(|i| bytes[(step * 977 + i * 131) % 2048] = (step * 31 + i * 7) as u8);
        for bytes in [bytes, whole] {
            file.seek(SeekFrom::Start(start)).unwrap();
            file.write_all(&bytes).unwrap();
            let listed = tools_disk::list(&image);
            assert!(listed.is_ok() || bytes != whole);
        }
    }
    file.set_len(tools_disk::layout(&image).unwrap().disk_size() / 2).unwrap();
    assert!(matches!(tools_disk::list(&image), Err(DiskError::NotADisk { .. })));
}
