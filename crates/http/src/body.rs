//! The bodies of requests: bounded, then checked against the schema that the API document shows.

use std::mem;

use axum::BoxError;
use axum::extract::{FromRequest, Request};
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use outrigger_domain::json;
use outrigger_kernel::{Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::problem::Problem;
use crate::state::App;

/// A JSON body of a known type.
#[derive(Debug)]
pub struct Body<T>(pub T);

/// The bytes of a JSON body, whose shape the service checks itself.
#[derive(Debug)]
pub struct RawBody(pub Bytes);

impl<T: DeserializeOwned + JsonSchema + 'static> FromRequest<App> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let RawBody(bytes) = RawBody::from_request(request, app).await?;
        let value = json::parse(&bytes).map_err(|error| error.within(&["body"]))?;
        app.schema_of::<T>().check(&value).map_err(|error| error.within(&["body"]))?;
        let typed = serde_json::from_value(value)
            .map_err(|error| Error::invalid(&["body"], "type", error.to_string()))?;
        Ok(Self(typed))
    }
}

impl FromRequest<App> for RawBody {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        require_json(request.headers())?;
        Ok(Self(read(request, app.settings.body_bytes_max).await?))
    }
}

/// Reads a body up to a bound.
pub(crate) async fn read(request: Request, bytes_max: usize) -> Result<Bytes> {
    match gather(Limited::new(request.into_body(), bytes_max)).await {
        Ok(bytes) => Ok(bytes),
        Err(error) if error.is::<LengthLimitError>() => Err(Error::new(
            ErrorKind::TooLarge,
            "body_too_large",
            format!("the body is larger than {bytes_max} bytes"),
        )),
        Err(_) => Err(Error::bad_request("incomplete_body", "the body ended too early")),
    }
}

/// All pieces as one. The first is taken as it is, since most bodies have no other; those that follow are
/// copied: each may be a single byte, of a buffer that it keeps.
async fn gather(mut body: Limited<axum::body::Body>) -> Result<Bytes, BoxError> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame?.into_data() else { continue };
        if first.is_empty() && all.is_empty() {
            first = piece;
            continue;
        }
        all.extend_from_slice(&mem::take(&mut first));
        all.extend_from_slice(&piece);
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

fn require_json(headers: &HeaderMap) -> Result<()> {
    let Some(value) = headers.get(CONTENT_TYPE) else { return Err(not_json()) };
    let essence = value.to_str().unwrap_or("").split(';').next().unwrap_or("").trim();
    let is_json = essence.eq_ignore_ascii_case("application/json")
        || (essence.len() > 5 && essence.to_ascii_lowercase().ends_with("+json"));
    if is_json { Ok(()) } else { Err(not_json()) }
}

fn not_json() -> Error {
    Error::new(
        ErrorKind::UnsupportedMediaType,
        "unsupported_media_type",
        "send the body with the header Content-Type: application/json",
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::body::Body;
    use futures_util::{StreamExt, stream};

    use super::*;

    struct Piece([u8; 1], #[expect(dead_code, reason = "is counted")] Arc<()>);

    impl AsRef<[u8]> for Piece {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }

    #[tokio::test]
    async fn a_body_of_single_bytes_is_kept_as_one() {
        let kept = Arc::new(());
        let pieces = stream::iter(0..10_000).map(move |_| {
            // The stream's own, the first piece until the second has come, and the one before this.
            assert!(Arc::strong_count(&kept) <= 3, "pieces are kept");
            Ok::<_, Error>(Bytes::from_owner(Piece([b'x'], kept.clone())))
        });
        let request = Request::new(Body::from_stream(pieces));
        assert_eq!(read(request, 10_000).await.unwrap(), vec![b'x'; 10_000]);
    }

    #[tokio::test]
    async fn a_body_is_bounded() {
        for (pieces, size) in [(vec![], 0), (vec!["abc"], 3), (vec!["ab", "", "c"], 3)] {
            let given = stream::iter(pieces.clone()).map(Ok::<_, Error>);
            let request = Request::new(Body::from_stream(given));
            assert_eq!(read(request, 3).await.unwrap(), "abc"[..size]);
            let given = stream::iter(pieces).chain(stream::iter(["xx", "xx"])).map(Ok::<_, Error>);
            let error = read(Request::new(Body::from_stream(given)), 3).await.unwrap_err();
            assert_eq!(error.code(), "body_too_large");
        }
    }
}
