//! A form with a file (RFC 7578), read piece by piece.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use multer::{Field, Multipart};
use outrigger_domain::files::NewFile;
use outrigger_kernel::{Error, Result};

use super::create::read_rule;

/// Longest value of a field that is no file, in bytes.
const FIELD_BYTES_MAX: usize = 128;
/// What a form may have before a field begins, and between two pieces of its file, in bytes: all of it is
/// kept in memory until it is known what it is.
const FRAMING_BYTES_MAX: usize = 64 * 1024;
const FILE: &str = "file";
const READ: &str = "read";

/// The form, up to its file.
///
/// # Errors
/// `bad_request` when it is none; `invalid` naming a field that is not known, too long, or missing.
pub(super) async fn open<S>(content_type: &str, body: S) -> Result<(NewFile, FormFile)>
where
    S: Stream<Item = Result<Bytes>> + Send + Unpin + 'static,
{
    let boundary = multer::parse_boundary(content_type).map_err(|error| malformed(&error))?;
    let unread = Arc::new(AtomicUsize::new(0));
    let sips = Sips { pieces: body, unread: unread.clone(), rests: false };
    let mut form = Multipart::new(sips, boundary);
    let mut new = NewFile::default();
    while let Some(mut field) = form.next_field().await.map_err(fault)? {
        unread.store(0, Ordering::Relaxed);
        match field.name() {
            Some(READ) => new.read = Some(read_rule("body", &text(&mut field).await?)?),
            Some(FILE) => {
                new.name = field.file_name().map(ToOwned::to_owned);
                new.media_type = field.content_type().map(ToString::to_string);
                return Ok((new, FormFile { form, file: Some(field), unread }));
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
pub(super) struct FormFile {
    form: Multipart<'static>,
    file: Option<Field<'static>>,
    unread: Arc<AtomicUsize>,
}

/// A body that is read a piece at a time, and no further than a form may reach without a field.
struct Sips<S> {
    pieces: S,
    /// Bytes that were given since something came of them.
    unread: Arc<AtomicUsize>,
    /// The parser reads for as long as there is something: it is told to look at each piece first.
    rests: bool,
}

impl<S: Stream<Item = Result<Bytes>> + Unpin> Stream for Sips<S> {
    type Item = Result<Bytes>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes>>> {
        if std::mem::take(&mut self.rests) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.unread.load(Ordering::Relaxed) > FRAMING_BYTES_MAX {
            let message = "the form has more than 64 KiB before its first field or after its file";
            return Poll::Ready(Some(Err(Error::bad_request("malformed_form", message))));
        }
        let piece = ready!(Pin::new(&mut self.pieces).poll_next(context));
        if let Some(Ok(piece)) = &piece {
            self.unread.fetch_add(piece.len(), Ordering::Relaxed);
            self.rests = true;
        }
        Poll::Ready(piece)
    }
}

impl FormFile {
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
            self.unread.store(0, Ordering::Relaxed);
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

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=b";

    /// These bytes, and then the same piece for as long as somebody asks; how often that was.
    fn endless(
        head: &'static str,
        piece: &'static [u8],
    ) -> (impl Stream<Item = Result<Bytes>> + Send + Unpin, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let more = stream::repeat_with(move || {
            count.fetch_add(1, Ordering::Relaxed);
            Ok(Bytes::from_static(piece))
        });
        (stream::iter([Ok(Bytes::from_static(head.as_bytes()))]).chain(more), asked)
    }

    #[tokio::test]
    async fn a_form_without_a_field_is_not_kept_for_ever() {
        for head in ["", "--b\r\n", "--b\r\ncontent-disposition: form-data; name=\"fi"] {
            let (body, asked) = endless(head, &[b'x'; 8_192]);
            let error = open(TYPE, body).await.err().expect("it is refused");
            assert_eq!(error.code(), "malformed_form", "{head:?}");
            assert!(asked.load(Ordering::Relaxed) < 20, "{head:?}");
        }
    }

    #[tokio::test]
    async fn a_file_is_given_on_as_it_comes() {
        let head = "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n";
        let (body, asked) = endless(head, &[b'x'; 8_192]);
        let (new, form) = open(TYPE, body).await.unwrap();
        assert_eq!(new.name.as_deref(), Some("a"));
        let mut pieces = form.pieces();
        let mut taken = 0;
        while taken < 64 << 20 {
            taken += pieces.next().await.unwrap().unwrap().len();
            let given = asked.load(Ordering::Relaxed) * 8_192;
            assert!(given < taken + (1 << 20), "{given} bytes were read for {taken}");
        }
    }
}
