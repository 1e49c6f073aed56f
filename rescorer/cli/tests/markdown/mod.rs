//! The pages that users read, and the fenced blocks in them.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

/// A fenced block: ` ```LANGUAGE file=NAME `.
#[derive(Debug)]
pub struct Block {
    pub language: String,
    /// The name of the file that it shows.
    pub file: Option<String>,
    pub text: String,
    /// Where it begins, as `docs/c.md:17`.
    pub place: String,
}

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// All pages with commands, as paths from the root: README files and the book.
pub fn pages() -> Vec<String> {
    let mut pages = vec![String::from("README.md"), String::from("CONTRIBUTING.md")];
    let folders = ["docs", "docs/adr", "examples/*", "rescorer/*", ".", "*"];
    for folder in folders.iter().flat_map(|folder| folders_of(folder)) {
        let readme_only = !folder.starts_with("docs");
        for entry in fs::read_dir(root().join(&folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".md") && (!readme_only || name == "README.md") {
                pages.push(folder.join(name).to_str().unwrap().trim_start_matches("./").to_owned());
            }
        }
    }
    pages.sort();
    pages.dedup();
    pages
}

/// The folder itself, or with `/*` at its end the folders inside.
fn folders_of(pattern: &str) -> Vec<PathBuf> {
    let Some(parent) = pattern.strip_suffix('*') else { return vec![pattern.into()] };
    let skipped =
        |name: &str| name.starts_with('.') || name == "target" || name == "fuzz" || name == "shared";
    let inside = fs::read_dir(root().join(parent)).unwrap().map(Result::unwrap);
    let folders = inside.filter(|entry| entry.file_type().unwrap().is_dir());
    let names = folders.map(|entry| entry.file_name().into_string().unwrap()).filter(|name| !skipped(name));
    names.map(|name| Path::new(parent).join(name)).collect()
}

/// The text of a page, named from the root.
pub fn read(page: &str) -> String {
    fs::read_to_string(root().join(page)).unwrap()
}

/// The fenced blocks of a page.
pub fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for (number, line) in read(page).lines().enumerate() {
        match line.strip_prefix("```") {
            Some(_) if inside => inside = false,
            Some(information) => {
                inside = true;
                let mut words = information.split([' ', ',']);
                let language = words.next().unwrap().to_owned();
                let file = words.find_map(|word| word.strip_prefix("file=")).map(str::to_owned);
                let place = format!("{page}:{}", number + 1);
                blocks.push(Block { language, file, text: String::new(), place });
            }
            None if inside => {
                let block = blocks.last_mut().unwrap();
                block.text += line;
                block.text.push('\n');
            }
            None => {}
        }
    }
    assert!(!inside, "{page}: a block is not closed");
    blocks
}

/// The page without its fenced blocks and inline code.
pub fn prose(page: &str) -> String {
    let mut inside = false;
    let lines = read(page).lines().map(str::to_owned).collect::<Vec<_>>();
    let kept = lines.into_iter().filter(|line| {
        let fence = line.starts_with("```");
        inside ^= fence;
        !inside && !fence
    });
    kept.map(|line| without_code(&line)).collect::<Vec<_>>().join("\n")
}

/// Every second stretch between back quotes is code.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

/// Lines joined where they end in a backslash.
pub fn joined(text: &str) -> Vec<String> {
    let text = text.replace("\\\n", " ");
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}
