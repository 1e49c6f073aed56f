//! Who is served.

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::error::ApiError;

/// The tokens that open a server, as hashes: comparing those takes as long for a wrong token as for a right one.
#[derive(Debug)]
pub struct Tokens(Vec<[u8; 32]>);

impl Tokens {
    pub fn new(tokens: &[String]) -> Self {
        Self(tokens.iter().map(|token| Sha256::digest(token).into()).collect())
    }

    /// Whether a request may be answered, by the value of its header `Authorization`.
    pub fn allow(&self, authorization: Option<&[u8]>) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let token = authorization.and_then(|value| value.strip_prefix(b"Bearer "));
        let given = token.map(|token| <[u8; 32]>::from(Sha256::digest(token)));
        // No early end: how long it takes says nothing of which token it is.
        given.is_some_and(|given| self.0.iter().fold(false, |found, own| found | (*own == given)))
    }
}

/// Turns away whoever has no token.
pub async fn check(State(app): State<App>, request: Request, next: Next) -> Response {
    let authorization = request.headers().get(header::AUTHORIZATION).map(|value| value.as_bytes());
    if app.tokens.allow(authorization) {
        return next.run(request).await;
    }
    let message = "no valid token; send the header Authorization: Bearer TOKEN";
    ApiError::new(StatusCode::UNAUTHORIZED, "token", message).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_and_nothing_else_does() {
        assert!(Tokens::new(&[]).allow(None));
        let tokens = Tokens::new(&["one".to_owned(), "two".to_owned()]);
        assert!(tokens.allow(Some(b"Bearer one")) && tokens.allow(Some(b"Bearer two")));
        for wrong in [&b"Bearer three"[..], b"one", b"Bearer ", b"bearer one", b"Basic one", b""] {
            assert!(!tokens.allow(Some(wrong)), "{wrong:?}");
        }
        assert!(!tokens.allow(None));
    }
}
