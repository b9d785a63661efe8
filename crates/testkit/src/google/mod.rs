//! What stands for Google Cloud: emulators behind servers that look at tokens and signatures as Google's
//! documentation says that Google does. None of it is Google's.

mod account;
mod passing;
mod secret_manager;
mod signed;
mod storage;

pub use account::ServiceAccount;
pub use secret_manager::SecretManager;
pub use storage::CloudStorage;

/// What is answered instead of passing a request on: the status, and Google's name of the error.
#[derive(Clone, Copy, Debug)]
pub struct GoogleFault(pub u16, pub &'static str);
