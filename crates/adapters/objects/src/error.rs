//! What the errors of a bucket mean to the port.

use object_store::Error;
use outrigger_ports::blobs::BlobError;

/// The bucket cannot be asked, or does not let us.
pub(crate) fn fault(error: Error) -> BlobError {
    BlobError::Unavailable(error.into())
}

/// What is not there is no fault.
pub(crate) fn found<T>(result: Result<T, Error>) -> Result<Option<T>, BlobError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(fault(error)),
    }
}

/// Whether it is the keys, or the rights that they have.
pub(crate) fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::PermissionDenied { .. } | Error::Unauthenticated { .. })
}
