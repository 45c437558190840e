// SPDX-License-Identifier: MIT
//! Collections in BEIR's form: a zip file with `corpus.jsonl`, `queries.jsonl` and `qrels/SPLIT.tsv`, in a folder or not.
//!
//! Passages are title and text; a query's relevant passages have grades of 1 and more. A passage with a query's own id
//! is left out of that query's ranking, as BEIR does (ArguAna's queries are passages of its corpus).
//! Source: Thakur et al., BEIR (2021), and the form of its published archives.
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;

use crate::collection::{Collection, Question};

type Archive = zip::ZipArchive<File>;
/// Query → (document, grade).
type Judgements = BTreeMap<String, Vec<(String, u32)>>;

/// An id: a string, in some collections a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Text(String),
    Number(u64),
}

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "_id")]
    id: Id,
    title: Option<String>,
    text: Option<String>,
}

/// Reads a zip file in BEIR's form, with the judgements of one split ("test", "dev", "train").
///
/// # Errors
/// A file that cannot be read, is no zip file, lacks one of the three, or has a line of another form: file and line are named.
pub fn beir(path: &Path, split: &str) -> Result<Collection> {
    let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    let archive = zip::ZipArchive::new(file).with_context(|| format!("{} is no zip file", path.display()))?;
    let collection = read(archive, split).with_context(|| path.display().to_string())?;
    collection.check(path)
}

fn read(mut archive: Archive, split: &str) -> Result<Collection> {
    let (mut collection, mut places) = (Collection::default(), HashMap::new());
    documents(&mut archive, "corpus.jsonl", |id, text| {
        places.insert(id, collection.passages.len());
        collection.passages.push(text);
    })?;
    let mut texts = HashMap::new();
    documents(&mut archive, "queries.jsonl", |id, text| drop(texts.insert(id, text)))?;
    for (query, answers) in qrels(&mut archive, &format!("qrels/{split}.tsv"))? {
        let Some(text) = texts.remove(&query) else { continue };
        let known = answers.iter().filter_map(|(id, grade)| Some((*places.get(id)?, *grade)));
        let relevant: BTreeMap<usize, u32> = known.filter(|(_, grade)| *grade > 0).collect();
        if !relevant.is_empty() {
            collection.questions.push(Question { text, relevant, own: places.get(&query).copied() });
        }
    }
    Ok(collection)
}

/// Calls `each` with every document's id and its title and text.
fn documents(archive: &mut Archive, name: &str, mut each: impl FnMut(String, String)) -> Result<()> {
    for_each_line(archive, name, |_, line| {
        let Document { id, title, text } = serde_json::from_str(line).map_err(without_place)?;
        let id = match id {
            Id::Text(id) => id,
            Id::Number(id) => id.to_string(),
        };
        let text = format!("{} {}", title.unwrap_or_default(), text.unwrap_or_default());
        each(id, text.trim().to_owned());
        Ok(())
    })
}

/// serde_json calls every line of such a file line 1.
fn without_place(error: serde_json::Error) -> anyhow::Error {
    let text = error.to_string();
    anyhow!("column {}: {}", error.column(), text.split(" at line ").next().unwrap_or_default())
}

/// The judgements; the first line may be a heading.
fn qrels(archive: &mut Archive, name: &str) -> Result<Judgements> {
    let mut judged = Judgements::new();
    for_each_line(archive, name, |number, line| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [query, document, grade] = fields[..] else {
            bail!("{} columns between tabs, not 3 (query, document, grade)", fields.len())
        };
        match grade.trim().parse::<f64>() {
            Ok(grade) => {
                judged.entry(query.to_owned()).or_default().push((document.to_owned(), grade as u32))
            }
            Err(_) if number == 1 => (),
            Err(_) => bail!("the grade {grade:?} is no number"),
        }
        Ok(())
    })?;
    Ok(judged)
}

/// Calls `each` with the number and the text of every line that is not blank, of the file whose path ends in `name`.
fn for_each_line(
    archive: &mut Archive,
    name: &str,
    mut each: impl FnMut(usize, &str) -> Result<()>,
) -> Result<()> {
    let path = find(archive, name)?;
    let mut file = BufReader::new(archive.by_name(&path)?);
    let mut bytes = Vec::new();
    for number in 1.. {
        let place = || format!("{path}, line {number}");
        bytes.clear();
        if file.read_until(b'\n', &mut bytes).with_context(place)? == 0 {
            break;
        }
        let line = std::str::from_utf8(&bytes).map_err(|_| anyhow!("not UTF-8")).with_context(place)?;
        let line = line.trim_start_matches('\u{feff}').trim_end_matches(['\n', '\r']);
        if !line.trim().is_empty() {
            each(number, line).with_context(place)?;
        }
    }
    Ok(())
}

fn find(archive: &Archive, name: &str) -> Result<String> {
    let all: Vec<String> = archive.file_names().flatten().map(|name| name.to_string()).collect();
    let ends = |path: &&String| path.as_str() == name || path.ends_with(&format!("/{name}"));
    if let Some(found) = all.iter().find(ends) {
        return Ok(found.clone());
    }
    let there =
        all.iter().filter(|path| !path.ends_with('/')).take(20).cloned().collect::<Vec<_>>().join(", ");
    bail!("there is no {name} in it, but: {there}")
}
