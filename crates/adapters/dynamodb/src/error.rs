//! What DynamoDB said, or that it said nothing.

use std::error::Error;
use std::io;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use outrigger_ports::store::{Cause, StoreError, in_one_line};

/// Why a request was not done.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Over the table's or the account's capacity; nothing was done.
    Throttled(Cause),
    /// Another transaction is at the same items; nothing was done.
    Conflict(Cause),
    /// There is nobody; the request was not sent.
    Away(Cause),
    /// It was sent, and no answer came, or none that says what became of it.
    Silent(Cause),
    /// A condition does not hold; nothing was done.
    Changed,
    /// As it stands; nothing was done.
    Final(StoreError),
}

impl Failure {
    /// What a failed request means.
    pub(crate) fn of<E>(error: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let Some(said) = error.as_service_error() else { return unsaid(error) };
        let code = said.code().unwrap_or_default();
        let text = format!("{code}: {}", said.message().unwrap_or("no message"));
        match code {
            "ProvisionedThroughputExceededException"
            | "ThrottlingException"
            | "Throttling"
            | "RequestLimitExceeded"
            | "LimitExceededException" => Self::Throttled(text.into()),
            "TransactionConflictException" => Self::Conflict(text.into()),
            "ConditionalCheckFailedException" => Self::Changed,
            "TransactionInProgressException" | "" => Self::Silent(text.into()),
            "ResourceNotFoundException" => Self::Final(StoreError::Schema(
                "there is no such table; run `outrigger migrate apply`".to_owned(),
            )),
            "ResourceInUseException" | "TableNotFoundException" => Self::Away(text.into()),
            _ if broke(error) => Self::Silent(text.into()),
            code if is_refusal(code) => Self::Final(StoreError::Unavailable(text.into())),
            _ => Self::Final(StoreError::Internal(text.into())),
        }
    }

    /// As a store's error, when it is not tried again.
    pub(crate) fn into_error(self, is_write: bool) -> StoreError {
        match self {
            Self::Throttled(cause) | Self::Conflict(cause) | Self::Away(cause) => {
                StoreError::Unavailable(cause)
            }
            Self::Silent(cause) if is_write => StoreError::OutcomeUnknown(cause),
            Self::Silent(cause) => StoreError::Unavailable(cause),
            Self::Changed => StoreError::Unavailable("others change the same documents".into()),
            Self::Final(error) => error,
        }
    }

    /// The word of the metric for trying again, if that may help.
    pub(crate) fn reason(&self) -> Option<Reason> {
        match self {
            Self::Throttled(_) => Some(Reason::Throttled),
            Self::Conflict(_) => Some(Reason::Conflict),
            Self::Away(_) | Self::Silent(_) => Some(Reason::Connection),
            Self::Changed | Self::Final(_) => None,
        }
    }
}

/// Why something is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Throttled,
    Conflict,
    Connection,
}

/// Keys that are wrong, have ended, or may not do this: somebody may be about to change that.
fn is_refusal(code: &str) -> bool {
    code.starts_with("AccessDenied")
        || code.starts_with("ExpiredToken")
        || code.starts_with("InvalidSignature")
        || code.starts_with("MissingAuthenticationToken")
        || code.starts_with("IncompleteSignature")
        || code == "UnrecognizedClientException"
        || code == "InvalidClientTokenId"
}

/// Whether the service failed at it, by whatever name: it may have done it.
fn broke<E>(error: &SdkError<E>) -> bool {
    error.raw_response().is_some_and(|answer| answer.status().is_server_error())
}

/// A failure without an answer of the service.
fn unsaid<E>(error: &SdkError<E>) -> Failure
where
    E: Error + 'static,
{
    let text = in_one_line(error);
    let cause = Cause::from(text.as_str());
    let is_unsent = match error {
        SdkError::ConstructionFailure(_) => true,
        SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) => {
            was_refused(error)
                || ["dns error", "connect timeout", "credentials", "identity"]
                    .iter()
                    .any(|words| text.contains(words))
        }
        _ => false,
    };
    if is_unsent { Failure::Away(cause) } else { Failure::Silent(cause) }
}

/// Whether nobody listens there.
fn was_refused(error: &(dyn Error + 'static)) -> bool {
    use io::ErrorKind::{AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable};
    let mut source = Some(error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<io::Error>()
            && [ConnectionRefused, HostUnreachable, NetworkUnreachable, AddrNotAvailable]
                .contains(&error.kind())
        {
            return true;
        }
        source = error.source();
    }
    false
}
