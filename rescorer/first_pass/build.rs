//! Links PocketSphinx where the feature asks for it.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "pocketsphinx")]
    if let Err(reason) = pocketsphinx() {
        println!(
            "cargo::error=the feature `pocketsphinx` needs PocketSphinx 5prealpha and pkg-config: {reason}"
        );
        println!("cargo::error=Debian: apt install pkg-config libpocketsphinx-dev pocketsphinx-en-us");
    }
}

/// Version 5 has another interface, and no sphinxbase.
#[cfg(feature = "pocketsphinx")]
fn pocketsphinx() -> Result<(), pkg_config::Error> {
    for library in ["pocketsphinx", "sphinxbase"] {
        pkg_config::Config::new().probe(library)?;
    }
    let models = pkg_config::get_variable("pocketsphinx", "modeldir")?;
    println!("cargo::rustc-env=POCKETSPHINX_MODELS={models}");
    Ok(())
}
