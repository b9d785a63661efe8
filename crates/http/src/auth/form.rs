//! Bodies that HTML forms and OAuth2 clients send: `application/x-www-form-urlencoded`.

use std::collections::HashMap;

use axum::extract::{FromRequest, Request};
use http::header::CONTENT_TYPE;
use outrigger_kernel::{Error, ErrorKind};

use crate::body;
use crate::problem::Problem;
use crate::state::App;

/// The fields of a form, each at most once.
pub(crate) struct Form(HashMap<String, String>);

impl Form {
    /// Takes a field out.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// Takes a field out that must be there.
    ///
    /// # Errors
    /// `invalid` at `body.<name>`.
    pub(super) fn require(&mut self, name: &str) -> Result<String, Error> {
        let missing = || Error::invalid(&["body", name], "required", "this field is required");
        self.take(name).ok_or_else(missing)
    }
}

impl FromRequest<App> for Form {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let media_type = request.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let essence = media_type.unwrap_or("").split(';').next().unwrap_or("").trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Problem(Error::new(
                ErrorKind::UnsupportedMediaType,
                "unsupported_media_type",
                "send the body with the header Content-Type: application/x-www-form-urlencoded",
            )));
        }
        let bytes = body::read(request, app.settings.body_bytes_max).await?;
        let mut fields = HashMap::new();
        for (name, value) in form_urlencoded::parse(&bytes) {
            if fields.insert(name.to_string(), value.into_owned()).is_some() {
                let message = "this field occurs more than once";
                return Err(Problem(Error::invalid(&["body", &name], "repeated", message)));
            }
        }
        Ok(Self(fields))
    }
}
