//! The Rust programs of the pages and READMEs, as documentation tests.

/// A page whose blocks of Rust are compiled, and run unless they say `no_run`.
macro_rules! page {
    ($name:ident, $path:literal) => {
        #[doc = include_str!($path)]
        mod $name {}
    };
}

page!(perturb, "../../perturb/README.md");
page!(models, "../../models/README.md");
page!(lora, "../../lora/README.md");
page!(nbest, "../../rescorer/nbest/README.md");
page!(engine, "../../rescorer/engine/README.md");
page!(rust, "../../docs/rust.md");
