//! `/v1/adapters`: which adapters there are.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use rescorer::{AdapterPool, AdapterStatus};

use crate::app::{Adapters, App};
use crate::error::ApiError;

/// Bytes of a name at most.
const LONGEST: usize = 64;

/// Refuses names that could lead out of the folder of adapters.
pub fn check_name(name: &str) -> Result<(), &'static str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match !name.is_empty() && name.len() <= LONGEST && !name.starts_with('.') && name.chars().all(is_plain) {
        true => Ok(()),
        false => Err("names have up to 64 letters, digits, hyphens, underscores and dots, the first no dot"),
    }
}

fn adapters(app: &App) -> Result<&Adapters, ApiError> {
    app.adapters.as_ref().ok_or_else(|| {
        ApiError::new(StatusCode::NOT_FOUND, "adapter", "the server was started without a folder of adapters")
    })
}

fn unknown(name: &str) -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        "adapter",
        format!("there is no adapter {name:?}; GET /v1/adapters lists them"),
    )
}

/// All adapters, by name.
pub async fn list(State(app): State<App>) -> Result<Json<Vec<AdapterStatus>>, ApiError> {
    Ok(Json(adapters(&app)?.pool.adapters()))
}

/// One adapter.
pub async fn get(State(app): State<App>, Path(name): Path<String>) -> Result<Json<AdapterStatus>, ApiError> {
    adapters(&app)?.pool.adapter(&name).map(Json).ok_or_else(|| unknown(&name))
}

/// Registers the folder of this name, or reads it anew after its files have changed.
pub async fn put(State(app): State<App>, Path(name): Path<String>) -> Result<Json<AdapterStatus>, ApiError> {
    let Adapters { pool, root } = adapters(&app)?;
    check_name(&name).map_err(ApiError::bad_request)?;
    let (pool, folder) = (pool.clone(), root.join(&name));
    if !folder.join(AdapterPool::CONFIG_FILE).exists() {
        let message = format!(
            "the folder of adapters has no {name:?} with a file {}; put it there first",
            AdapterPool::CONFIG_FILE
        );
        return Err(ApiError::new(StatusCode::NOT_FOUND, "adapter", message));
    }
    let registered = tokio::task::spawn_blocking(move || pool.register(name, folder)).await;
    let status = registered.map_err(|_| ApiError::stopping())??;
    Ok(Json(status))
}

/// Forgets an adapter; its folder stays.
pub async fn delete(State(app): State<App>, Path(name): Path<String>) -> Result<StatusCode, ApiError> {
    match adapters(&app)?.pool.remove(&name) {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(unknown(&name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside_the_folder() {
        for name in ["medical", "user-17.v2", "A_b"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", ".", "..", "../x", "a/b", "a\\b", "/etc", ".hidden", "a b", "ä", "a\0b"] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
        assert!(check_name(&"x".repeat(65)).is_err());
    }
}
