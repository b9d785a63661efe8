//! The jobs of this module.

mod records_export;
mod records_import;

pub use records_export::ExportRecords;
pub use records_import::ImportRecords;
