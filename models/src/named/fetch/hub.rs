//! The first source: the Hugging Face hub, or the mirror that `HF_ENDPOINT` names.
//!
//! The revision is a commit, and size and sum of every file are known, so that a plain download is all that is
//! needed. Models of the catalogue are public: no token is read or sent.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use ureq::Agent;

use super::check::FETCHED;
use super::source::{Progress, Report, Source};
use crate::named::{HubFile, ModelFile, NamedError, NamedModel};

/// Longest wait for a name, for a connection and for the head of an answer. A hub that can't be reached shall
/// cost little: another source is there.
const PATIENCE: Duration = Duration::from_secs(5);

const BUFFER: usize = 256 * 1024;

/// The files of a model, and where the hub has them.
pub(super) struct Hub<'a> {
    endpoint: &'a str,
    files: Vec<(ModelFile, HubFile)>,
}

impl<'a> Hub<'a> {
    /// The hub at this address, where it has every file of `model`.
    pub(super) fn of(model: &NamedModel, endpoint: &'a str) -> Option<Self> {
        let places = model.files().iter().map(|file| Some((*file, file.hub?)));
        Some(Self { endpoint: endpoint.trim_end_matches('/'), files: places.collect::<Option<_>>()? })
    }

    fn failed(&self, HubFile { repo, .. }: HubFile, error: &ureq::Error) -> NamedError {
        let reason = match error {
            ureq::Error::StatusCode(status) => format!("{} answers with status {status}", self.endpoint),
            error => format!("no answer from {}: {error}", self.endpoint),
        };
        NamedError::Hub { repo: repo.to_owned(), reason }
    }

    /// Brings one file to `target`. `arrived` hears how many bytes of it are there.
    fn download(
        &self,
        file: &ModelFile,
        place: HubFile,
        target: &Path,
        arrived: &mut dyn FnMut(u64),
    ) -> Result<(), NamedError> {
        let agent = agent();
        let url = format!("{}/{}/resolve/{}/{}", self.endpoint, place.repo, place.revision, place.file);
        let failed = |error: ureq::Error| self.failed(place, &error);
        if let Some(found) = announced_sum(&agent, &url).map_err(failed)?
            && found != file.sha256
        {
            let (name, expected) = (format!("`{}` of {}", place.file, place.repo), file.sha256.to_owned());
            return Err(NamedError::Checksum { file: name, expected, found, remedy: NOT_FETCHED });
        }
        let response = agent.get(&url).call().map_err(failed)?;
        // One byte beyond the size of the catalogue tells that there is more.
        let mut body = response.into_body().into_reader().take(file.size.saturating_add(1));
        let unwritable = |source| NamedError::CacheFolder { path: target.to_owned(), source };
        let mut out = File::create(target).map_err(unwritable)?;
        let (mut buffer, mut done) = (vec![0; BUFFER], 0);
        loop {
            let count = body.read(&mut buffer).map_err(|error| failed(error.into()))?;
            if count == 0 {
                break;
            }
            out.write_all(&buffer[..count]).map_err(unwritable)?;
            done += count as u64;
            arrived(done);
        }
        if done > file.size {
            let (name, expected) = (format!("`{}` of {}", place.file, place.repo), file.size);
            return Err(NamedError::Size { file: name, expected, found: done, remedy: FETCHED });
        }
        out.sync_all().map_err(unwritable)
    }
}

/// Remedy for a file of another sum at the hub.
const NOT_FETCHED: &str = "it was not fetched";

fn agent() -> Agent {
    Agent::config_builder()
        .user_agent(concat!("rescorer/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(PATIENCE))
        .timeout_connect(Some(PATIENCE))
        .timeout_recv_response(Some(PATIENCE))
        .build()
        .into()
}

/// SHA-256 of a large file as the hub announces it in the head of its answer, before it sends the reader elsewhere.
fn announced_sum(agent: &Agent, url: &str) -> Result<Option<String>, ureq::Error> {
    let response = agent.head(url).config().max_redirects(0).build().call()?;
    let tag = response.headers().get("x-linked-etag").and_then(|tag| tag.to_str().ok());
    let sum = tag.map(|tag| tag.trim_matches('"'));
    let is_sum = |text: &&str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    Ok(sum.filter(is_sum).map(str::to_ascii_lowercase))
}

impl Source for Hub<'_> {
    fn label(&self) -> &'static str {
        "Hugging Face hub"
    }

    fn fetch(&self, model: &NamedModel, folder: &Path, report: Report<'_>) -> Result<(), NamedError> {
        let total = Some(model.size());
        let mut before = 0;
        for (file, place) in &self.files {
            let mut arrived = |done| report(Progress::Downloading { done: before + done, total });
            self.download(file, *place, &folder.join(file.file), &mut arrived)?;
            before += file.size;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "hub_tests.rs"]
mod tests;
