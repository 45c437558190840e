// SPDX-License-Identifier: MIT
//! Collections of passages, questions, and which passages answer which question.
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

/// A collection: passages are named by their index.
#[derive(Debug, Default)]
pub struct Collection {
    /// Texts to be found.
    pub passages: Vec<String>,
    /// Questions.
    pub questions: Vec<Question>,
}

/// A question and its answers.
#[derive(Debug)]
pub struct Question {
    /// The question.
    pub text: String,
    /// Passages that answer it, and how well (1 or more).
    pub relevant: BTreeMap<usize, u32>,
}

#[derive(Deserialize)]
struct Squad {
    data: Vec<Article>,
}

#[derive(Deserialize)]
struct Article {
    paragraphs: Vec<Paragraph>,
}

#[derive(Deserialize)]
struct Paragraph {
    context: String,
    qas: Vec<Qa>,
}

#[derive(Deserialize)]
struct Qa {
    question: String,
    #[serde(default)]
    is_impossible: bool,
}

/// Reads a file in SQuAD's form (1.1 or 2.0). Equal paragraphs are one passage; questions without answer are left out.
///
/// # Errors
/// A file that cannot be read or has another form.
pub fn squad(path: &Path) -> Result<Collection> {
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let squad: Squad = serde_json::from_slice(&bytes).with_context(|| {
        format!("{} has not the form of SQuAD (data, paragraphs, context, qas)", path.display())
    })?;
    let (mut collection, mut known) = (Collection::default(), HashMap::new());
    for paragraph in squad.data.into_iter().flat_map(|article| article.paragraphs) {
        let index = *known.entry(paragraph.context.clone()).or_insert_with(|| {
            collection.passages.push(paragraph.context);
            collection.passages.len() - 1
        });
        for qa in paragraph.qas.into_iter().filter(|qa| !qa.is_impossible) {
            collection.questions.push(Question { text: qa.question, relevant: BTreeMap::from([(index, 1)]) });
        }
    }
    collection.check(path)
}

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "_id")]
    id: String,
    #[serde(default)]
    title: String,
    text: String,
}

/// Reads a zip file in BEIR's form: `corpus.jsonl`, `queries.jsonl` and `qrels/SPLIT.tsv`.
///
/// # Errors
/// A file that cannot be read, is no zip file, or lacks one of the three.
pub fn beir(path: &Path, split: &str) -> Result<Collection> {
    let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    let mut archive =
        zip::ZipArchive::new(file).with_context(|| format!("{} is no zip file", path.display()))?;
    let (mut collection, mut passages) = (Collection::default(), HashMap::new());
    for document in documents(&mut archive, "corpus.jsonl")? {
        passages.insert(document.id, collection.passages.len());
        let text = format!("{} {}", document.title, document.text);
        collection.passages.push(text.trim().to_owned());
    }
    let texts: HashMap<String, String> =
        documents(&mut archive, "queries.jsonl")?.into_iter().map(|query| (query.id, query.text)).collect();
    let judged = qrels(&mut archive, &format!("qrels/{split}.tsv"))?;
    for (query, answers) in judged {
        let Some(text) = texts.get(&query) else { continue };
        let known = answers.iter().filter_map(|(id, grade)| Some((*passages.get(id)?, *grade)));
        let relevant: BTreeMap<usize, u32> = known.filter(|(_, grade)| *grade > 0).collect();
        if !relevant.is_empty() {
            collection.questions.push(Question { text: text.clone(), relevant });
        }
    }
    collection.check(path)
}

type Archive = zip::ZipArchive<File>;

/// The lines of the file whose path ends in `name`.
fn lines(archive: &mut Archive, name: &str) -> Result<Vec<String>> {
    let all: Vec<String> = archive.file_names().flatten().map(|name| name.to_string()).collect();
    let ends = |path: &&String| path.as_str() == name || path.ends_with(&format!("/{name}"));
    let Some(found) = all.iter().find(ends) else {
        bail!(
            "the archive has no {name}; it has: {}",
            all.iter().take(20).cloned().collect::<Vec<_>>().join(", ")
        );
    };
    let file = BufReader::new(archive.by_name(found)?);
    file.lines().collect::<Result<_, _>>().with_context(|| format!("unpacking {found}"))
}

fn documents(archive: &mut Archive, name: &str) -> Result<Vec<Document>> {
    let parse = |(number, line): (usize, &String)| {
        serde_json::from_str(line).with_context(|| format!("{name}, line {}", number + 1))
    };
    let lines = lines(archive, name)?;
    lines.iter().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(parse).collect()
}

/// Query → (document, grade); the first line may be a heading.
fn qrels(archive: &mut Archive, name: &str) -> Result<BTreeMap<String, Vec<(String, u32)>>> {
    let mut judged: BTreeMap<String, Vec<(String, u32)>> = BTreeMap::new();
    for (number, line) in lines(archive, name)?.iter().enumerate() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [query, document, grade] = fields[..] else {
            bail!("{name}, line {}: not three columns", number + 1)
        };
        match grade.trim().parse::<i64>() {
            Ok(grade) => {
                let grade = u32::try_from(grade).unwrap_or(0);
                judged.entry(query.to_owned()).or_default().push((document.to_owned(), grade));
            }
            Err(_) if number == 0 => (),
            Err(_) => bail!("{name}, line {}: the grade {grade:?} is no number", number + 1),
        }
    }
    Ok(judged)
}

impl Collection {
    fn check(self, path: &Path) -> Result<Self> {
        ensure!(!self.passages.is_empty(), "{} holds no passages", path.display());
        ensure!(!self.questions.is_empty(), "{} holds no questions with an answer", path.display());
        Ok(self)
    }
}
