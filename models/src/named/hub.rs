//! The second source: the Hugging Face hub.

use std::path::Path;

#[cfg(feature = "hub")]
use super::hub_client::download;
use super::source::{Report, Source};
use super::{HubFile, ModelFile, NamedError, NamedModel, Progress};

/// The files of a model, and where the hub has them.
pub(super) struct Hub(Vec<(ModelFile, HubFile)>);

impl Hub {
    /// The hub, where it has every file of `model`.
    pub(super) fn of(model: &NamedModel) -> Option<Self> {
        let places = model.files().iter().map(|file| Some((*file, file.hub?)));
        places.collect::<Option<Vec<_>>>().map(Self)
    }
}

impl Source for Hub {
    fn label(&self) -> &'static str {
        "Hugging Face hub"
    }

    fn fetch(&self, model: &NamedModel, folder: &Path, report: Report<'_>) -> Result<(), NamedError> {
        let total = Some(model.size());
        let mut before = 0;
        for (file, place) in &self.0 {
            let mut arrived = |done| report(Progress::Downloading { done: before + done, total });
            download(*place, folder, &folder.join(file.file), &mut arrived)?;
            before += file.size;
        }
        Ok(())
    }
}

/// Stands for the client in a build without it, so that the list of failures is complete.
#[cfg(not(feature = "hub"))]
fn download(
    HubFile { repo, .. }: HubFile,
    _folder: &Path,
    _target: &Path,
    _arrived: &mut dyn FnMut(u64),
) -> Result<(), NamedError> {
    let reason = "left out of this build (cargo feature `hub`)".to_owned();
    Err(NamedError::Hub { repo: repo.to_owned(), reason })
}

#[cfg(test)]
mod tests {
    use super::super::{Layout, catalog};
    use super::*;

    #[test]
    fn the_hub_is_asked_only_for_a_model_of_which_it_has_every_file() {
        let (first, other) = (catalog()[0].files()[0], catalog()[1].files()[0]);
        assert!(first.hub.is_some() && other.hub.is_none());
        let with = |files: &[ModelFile]| {
            let files = files.to_vec().leak();
            NamedModel { layout: Layout::Folder { name: "folder", files }, ..catalog()[0] }
        };
        let names = |hub: Hub| hub.0.iter().map(|(file, _)| file.file).collect::<Vec<_>>();
        assert_eq!(Hub::of(&with(&[first, first])).map(names), Some(vec![first.file; 2]));
        assert!(Hub::of(&with(&[first, other])).is_none());
    }
}
