//! The committed header is that of the source.
#![allow(clippy::unwrap_used)]

use std::path::Path;

#[test]
fn the_header_is_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(folder.join("cbindgen.toml")).unwrap();
    let mut header = Vec::new();
    cbindgen::generate_with_config(folder, config).unwrap().write(&mut header);
    let (header, path) = (String::from_utf8(header).unwrap(), folder.join("include/rescorer.h"));
    if std::env::var_os("UPDATE_HEADER").is_some() {
        std::fs::write(&path, &header).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == header,
        "include/rescorer.h is not that of the source: run this test with UPDATE_HEADER=1"
    );
}
