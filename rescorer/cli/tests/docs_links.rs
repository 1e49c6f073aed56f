//! What can be said of the pages without running a command: links, the book's list of pages, and quoted messages.
#![allow(clippy::unwrap_used, clippy::panic)]

mod markdown;

use std::fs;
use std::path::{Path, PathBuf};

use markdown::{pages, prose, read, root};

#[test]
fn links_lead_to_files_and_headings() {
    let mut broken = Vec::new();
    for page in pages() {
        let place = root().join(&page);
        for target in links(&prose(&page)) {
            let (path, heading) = target.split_once('#').unwrap_or((&target, ""));
            let file = if path.is_empty() { place.clone() } else { place.parent().unwrap().join(path) };
            let inside = file
                .canonicalize()
                .is_ok_and(|file| !page.starts_with("docs/") || file.starts_with(root().join("docs")));
            if !inside || (!heading.is_empty() && !headings(&file).contains(&heading.to_owned())) {
                broken.push(format!("{page}: {target}"));
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere, or out of the book: {broken:#?}");
}

#[test]
fn the_book_lists_every_page_once() {
    let summary = read("docs/SUMMARY.md");
    for page in pages().iter().filter_map(|page| page.strip_prefix("docs/")) {
        let count = summary.matches(&format!("]({page})")).count();
        assert_eq!(count, usize::from(page != "SUMMARY.md"), "{page} in docs/SUMMARY.md");
    }
}

#[test]
fn the_front_page_is_short() {
    let words = read("README.md").split_whitespace().count();
    assert!(words <= 900, "README.md has {words} words, 900 are allowed");
}

#[test]
fn quoted_messages_are_in_the_source() {
    let source = source();
    let page = read("docs/troubleshooting.md");
    let rows: Vec<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert!(rows.len() > 30, "{} messages", rows.len());
    for message in rows {
        for part in
            message.split('…').map(|part| part.trim_matches([' ', ',', ';'])).filter(|part| part.len() > 2)
        {
            assert!(source.contains(part), "docs/troubleshooting.md: no message says {part:?}");
        }
    }
}

#[test]
fn files_that_pages_name_are_there() {
    let rooms =
        ["rescorer/", "models/", "lora/", "perturb/", "tests/", "benches/", "examples/", "docs/", "fuzz/"];
    let mut pages = pages();
    pages.push("ARCHITECTURE.md".into());
    let mut missing = Vec::new();
    for page in pages {
        let text = read(&page);
        for code in text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)) {
            let path = code.split_whitespace().next().unwrap_or_default();
            let named = rooms.iter().any(|room| path.starts_with(room)) && !path.contains(['*', '{', '(']);
            if named && !root().join(path).exists() {
                missing.push(format!("{page}: {path}"));
            }
        }
    }
    assert!(missing.is_empty(), "files that are not there: {missing:#?}");
}

/// Targets of links inside the repository.
fn links(text: &str) -> Vec<String> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.starts_with("http")).map(str::to_owned).collect()
}

/// Headings of a page as GitHub and mdBook make anchors of them.
fn headings(file: &Path) -> Vec<String> {
    let mut inside = false;
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().filter(|line| {
        inside ^= line.starts_with("```");
        !inside && line.starts_with('#')
    });
    lines.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
}

fn anchor(heading: &str) -> String {
    let kept = heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
        .collect::<String>();
    kept.replace(' ', "-")
}

/// All Rust and Python of the crates, with the lines of a text joined as the compiler joins them.
fn source() -> String {
    let mut folders: Vec<PathBuf> =
        ["rescorer", "models", "lora", "perturb"].map(|name| root().join(name)).into();
    let mut source = String::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let extension = entry.extension().and_then(|extension| extension.to_str());
            if entry.is_dir() {
                folders.push(entry);
            } else if matches!(extension, Some("rs" | "py" | "h")) {
                source += &fs::read_to_string(entry).unwrap();
            }
        }
    }
    let mut lines = source.split("\\\n");
    let start = lines.next().unwrap().to_owned();
    lines.fold(start, |joined, line| joined + line.trim_start()).replace("\\\"", "\"")
}
