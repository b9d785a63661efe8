//! A form with a file (RFC 7578), read piece by piece.

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use multer::{Field, Multipart};
use outrigger_domain::files::NewFile;
use outrigger_kernel::{Error, Result};

use super::create::read_rule;

/// Longest value of a field that is no file, in bytes.
const FIELD_BYTES_MAX: usize = 128;
const FILE: &str = "file";
const READ: &str = "read";

/// The form, up to its file.
///
/// # Errors
/// `bad_request` when it is none; `invalid` naming a field that is not known, too long, or missing.
pub(super) async fn open<S>(content_type: &str, body: S) -> Result<(NewFile, Form)>
where
    S: Stream<Item = Result<Bytes>> + Send + 'static,
{
    let boundary = multer::parse_boundary(content_type).map_err(|error| malformed(&error))?;
    let mut form = Multipart::new(body, boundary);
    let mut new = NewFile::default();
    while let Some(mut field) = form.next_field().await.map_err(fault)? {
        match field.name() {
            Some(READ) => new.read = Some(read_rule("body", &text(&mut field).await?)?),
            Some(FILE) => {
                new.name = field.file_name().map(ToOwned::to_owned);
                new.media_type = field.content_type().map(ToString::to_string);
                return Ok((new, Form { form, file: Some(field) }));
            }
            other => {
                let name = other.unwrap_or_default();
                let message = "this form takes read and, after it, file";
                return Err(Error::invalid(&["body", name], "unknown_field", message));
            }
        }
    }
    Err(Error::invalid(&["body", FILE], "required", "the form has no file"))
}

async fn text(field: &mut Field<'static>) -> Result<String> {
    let mut text = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(fault)? {
        text.extend_from_slice(&piece);
        if text.len() > FIELD_BYTES_MAX {
            let message = format!("at most {FIELD_BYTES_MAX} bytes");
            return Err(Error::invalid(&["body", READ], "too_long", message));
        }
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// The bytes of the file; its end is the end of the form.
pub(super) struct Form {
    form: Multipart<'static>,
    file: Option<Field<'static>>,
}

impl Form {
    /// The pieces of the file.
    ///
    /// # Errors
    /// Each what the body says; the last one `invalid` when a field follows.
    pub(super) fn pieces(self) -> impl Stream<Item = Result<Bytes>> + Send + Unpin {
        futures_util::stream::unfold(self, |mut form| async {
            let next = form.next().await.transpose()?;
            Some((next, form))
        })
        .boxed()
    }

    async fn next(&mut self) -> Result<Option<Bytes>> {
        let Some(file) = &mut self.file else { return Ok(None) };
        if let Some(piece) = file.chunk().await.map_err(fault)? {
            return Ok(Some(piece));
        }
        self.file = None;
        match self.form.next_field().await.map_err(fault)? {
            None => Ok(None),
            Some(field) => {
                let message = "the file is the last field of this form";
                let name = field.name().unwrap_or_default();
                Err(Error::invalid(&["body", name], "unknown_field", message))
            }
        }
    }
}

/// What the body said stays what it is.
fn fault(error: multer::Error) -> Error {
    match error {
        multer::Error::StreamReadFailed(source) => match source.downcast::<Error>() {
            Ok(ours) => *ours,
            Err(source) => {
                Error::bad_request("incomplete_body", "the body ended too early").caused_by(source)
            }
        },
        other => malformed(&other),
    }
}

fn malformed(error: &multer::Error) -> Error {
    Error::bad_request("malformed_form", format!("the form cannot be read: {error}"))
}
