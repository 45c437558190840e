//! Finding the models: `.gguf` files in `/` and `/models`, and their manifests beside them.

use crate::LoadError;
use crate::disk::{Description, Disk, Poll, StepError};
use crate::error::cut;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use drivers_fat::{Directory, Entry, FatError, Volume};
use ipc_protocol::Name;

/// Most models, and most manifests, that are taken note of.
pub const MAX_MODELS: usize = 64;
const FOLDER: &str = "models";
const ENDING: &str = ".gguf";
const MANIFEST: &str = ".sig";

/// Where a file begins, and its length in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct File {
    pub size: u32,
    pub cluster: u32,
}

/// A file on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Model {
    pub name: String,
    pub file: File,
    /// Of the same name with `.sig` behind it, in the same folder.
    pub manifest: Option<File>,
    /// Whether it lies in `/models`.
    in_folder: bool,
}

impl Model {
    /// As it goes into messages.
    pub fn wire_name(&self) -> Name {
        Name::new(cut(&self.name, 96).as_bytes())
    }

    /// Whether a person means this one: with or without folder and ending, in any case.
    fn is_called(&self, wanted: &str) -> bool {
        let wanted = wanted.trim_start_matches('/');
        let wanted = wanted.strip_prefix("models/").unwrap_or(wanted);
        let name = self.name.as_str();
        same(name, wanted) || same(stem(name), wanted) || same(cut(name, 96), wanted)
    }
}

fn same(a: &str, b: &str) -> bool {
    a.chars().flat_map(char::to_lowercase).eq(b.chars().flat_map(char::to_lowercase))
}

fn stem(name: &str) -> &str {
    without(name, ENDING)
}

/// The name without `ending`, in any case, where something is left of it.
fn without<'a>(name: &'a str, ending: &str) -> &'a str {
    let start = name.len().saturating_sub(ending.len());
    match name.split_at_checked(start) {
        Some((rest, end)) if start > 0 && end.eq_ignore_ascii_case(ending) => rest,
        _ => name,
    }
}

/// Files that begin with a dot are not for people (macOS leaves `._name` beside every file it copies).
fn is_model_name(name: &str) -> bool {
    !name.starts_with('.') && stem(name).len() < name.len()
}

fn is_manifest_name(name: &str) -> bool {
    without(name, MANIFEST).len() < name.len() && is_model_name(without(name, MANIFEST))
}

/// The models of a disk, sorted by name.
pub(crate) struct Models(pub Vec<Model>);

impl Models {
    fn new(mut found: Vec<Model>, manifests: &[Model]) -> Self {
        for model in &mut found {
            let belongs = |other: &&Model| {
                other.in_folder == model.in_folder && same(without(&other.name, MANIFEST), &model.name)
            };
            model.manifest = manifests.iter().find(belongs).map(|manifest| manifest.file);
        }
        found.sort_by_cached_key(|model| (model.name.to_lowercase(), !model.in_folder));
        found.dedup_by(|later, earlier| same(&later.name, &earlier.name));
        Self(found)
    }

    /// The model that `wanted` names; the first where it is empty.
    pub fn find(&self, wanted: &str) -> Result<&Model, LoadError> {
        let first = self.0.first().ok_or(LoadError::NoModel)?;
        if wanted.is_empty() {
            return Ok(first);
        }
        let found = self.0.iter().find(|model| model.is_called(wanted));
        found.ok_or_else(|| LoadError::UnknownName {
            wanted: cut(wanted, 64).to_string(),
            known: self.names(),
        })
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self.0.iter().take(16).map(|model| model.name.as_str()).collect();
        names.join(", ")
    }
}

/// The search.
pub(crate) enum Scan {
    Describe,
    Open(Description),
    Walk { volume: Volume, directory: Directory, in_folder: bool, folder: Option<Entry>, found: Found },
}

/// What was found so far.
#[derive(Default)]
pub(crate) struct Found {
    models: Vec<Model>,
    manifests: Vec<Model>,
}

impl Found {
    /// Takes note of a file that is a model or a manifest.
    fn note(&mut self, entry: Entry, in_folder: bool) {
        let Entry { name, size, cluster, .. } = entry;
        let name = name.as_str();
        let list = match (is_model_name(name), is_manifest_name(name)) {
            (true, _) => &mut self.models,
            (_, true) => &mut self.manifests,
            _ => return,
        };
        if list.len() < MAX_MODELS {
            let (name, file) = (name.to_string(), File { size, cluster });
            list.push(Model { name, file, manifest: None, in_folder });
        }
    }
}

impl Scan {
    pub fn new() -> Self {
        Self::Describe
    }

    /// Goes on with the search.
    pub fn step(&mut self, disk: &mut Disk) -> Result<Poll<(Volume, Models)>, LoadError> {
        loop {
            let next = match self {
                Self::Describe => disk.describe()?.map(Self::described)?,
                Self::Open(description) => {
                    let sectors = description.files;
                    let volume = disk.step(|source| Volume::open(source, sectors)).map_err(volume_error)?;
                    volume.map(|volume| Ok(Self::walk(volume, volume.root(), false, Found::default())))?
                }
                Self::Walk { .. } => match self.next_entry(disk)? {
                    Poll::Pending => Poll::Pending,
                    Poll::Ready(true) => continue,
                    Poll::Ready(false) => match self.next_directory()? {
                        Some(done) => return Ok(Poll::Ready(done)),
                        None => continue,
                    },
                },
            };
            match next {
                Poll::Ready(next) => *self = next,
                Poll::Pending => return Ok(Poll::Pending),
            }
        }
    }

    fn described(description: Description) -> Result<Self, LoadError> {
        match description {
            Description { device: false, .. } => Err(LoadError::NoDisk),
            Description { files: 0, .. } => Err(LoadError::NoPartition),
            _ => Ok(Self::Open(description)),
        }
    }

    fn walk(volume: Volume, directory: Directory, in_folder: bool, found: Found) -> Self {
        Self::Walk { volume, directory, in_folder, folder: None, found }
    }

    /// Takes note of the next entry; false at the directory's end.
    fn next_entry(&mut self, disk: &mut Disk) -> Result<Poll<bool>, LoadError> {
        let Self::Walk { volume, directory, in_folder, folder, found } = self else {
            return Ok(Poll::Ready(false));
        };
        let entry = disk.step(|source| directory.next(volume, source)).map_err(volume_error)?;
        let Poll::Ready(entry) = entry else { return Ok(Poll::Pending) };
        let Some(entry) = entry else { return Ok(Poll::Ready(false)) };
        if entry.directory && !*in_folder && same(&entry.name, FOLDER) {
            *folder = Some(entry);
        } else if !entry.directory {
            found.note(entry, *in_folder);
        }
        Ok(Poll::Ready(true))
    }

    /// Goes on to `/models`; the result where there is nothing left.
    fn next_directory(&mut self) -> Result<Option<(Volume, Models)>, LoadError> {
        let Self::Walk { volume, folder, found, .. } = self else { return Ok(None) };
        let (volume, found) = (*volume, core::mem::take(found));
        match folder.take() {
            Some(folder) => {
                let directory = Directory::of(&volume, &folder).map_err(LoadError::Volume)?;
                *self = Self::walk(volume, directory, true, found);
                Ok(None)
            }
            None => Ok(Some((volume, Models::new(found.models, &found.manifests)))),
        }
    }
}

fn volume_error(error: StepError) -> LoadError {
    match error {
        StepError::Disk(error) => error,
        StepError::Volume(error) => LoadError::Volume(error),
    }
}

impl<T> Poll<T> {
    fn map<U>(self, then: impl FnOnce(T) -> Result<U, LoadError>) -> Result<Poll<U>, LoadError> {
        match self {
            Self::Ready(value) => then(value).map(Poll::Ready),
            Self::Pending => Ok(Poll::Pending),
        }
    }
}

/// A chain that cannot be followed, of the file `name`.
pub(crate) fn file_error(name: &str, error: StepError) -> LoadError {
    let file = |error: FatError| LoadError::File { name: cut(name, 64).to_string(), error };
    match error {
        StepError::Disk(error) => error,
        StepError::Volume(error) => file(error),
    }
}
