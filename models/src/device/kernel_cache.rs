//! Where the results of tuning, and with CUDA compiled kernels, are kept between runs.

use cubecl::config::cache::CacheConfig;
use cubecl::config::{CubeClRuntimeConfig, RuntimeConfig};
use cubecl::records::{RecordLevel, RecordsConfig};

use crate::named::Cache;

/// The folder in the user's cache, beside `models`.
const FOLDER: &str = "kernels";

/// Points the runtime at the user's cache (see [`Cache::from_env`]). Left to itself it would look for its
/// settings and write its files in the working directory, and keep no kernels.
///
/// The variables of the runtime (`CUBECL_AUTOTUNE_LEVEL` and others) still count, and an application that has
/// configured the runtime before keeps its settings. A folder that can't be written costs a new tuning in every
/// run, nothing else.
pub fn configure() {
    let mut config = CubeClRuntimeConfig::default();
    // The account of how kernels were tuned: it grows with every run and nothing reads it.
    config.environment.records = RecordsConfig { level: RecordLevel::Off, keep_sessions: Some(0) };
    let folder = match Cache::from_env() {
        Ok(cache) => {
            config.compilation.cache = true;
            cache.root().join(FOLDER)
        }
        Err(_) => {
            config.autotune.disable_cache = true;
            config.throughput.disable_cache = true;
            std::env::temp_dir().join("rescorer").join(FOLDER)
        }
    };
    config.environment.path = CacheConfig::Directory(folder);
    CubeClRuntimeConfig::try_set(config.override_from_env());
}
