//! What a binary without some of its features says of URLs that need them.

use outrigger_testkit::TempDir;

use crate::support::{Backend, ServerOptions, run};

#[test]
fn what_is_not_compiled_in_is_said_with_what_to_do() {
    let rows = [
        #[cfg(not(feature = "dynamodb"))]
        ("DATABASE_URL", "dynamodb://eu-central-1/shop", "dynamodb"),
        #[cfg(not(feature = "mongodb"))]
        ("DATABASE_URL", "mongodb://127.0.0.1/shop", "mongodb"),
        #[cfg(not(feature = "aws-sm"))]
        ("DATABASE_URL", "aws-sm://shop#url", "aws-sm"),
        #[cfg(not(feature = "gcp-sm"))]
        ("DATABASE_URL", "gcp-sm://project/shop", "gcp-sm"),
        #[cfg(not(feature = "s3"))]
        ("BLOB_URL", "s3://shop/files", "s3"),
        #[cfg(not(feature = "gcs"))]
        ("BLOB_URL", "gs://shop/files", "gcs"),
        #[cfg(not(feature = "ses"))]
        ("MAIL_URL", "ses://eu-central-1", "ses"),
    ];
    for (variable, url, feature) in rows {
        let folder = TempDir::new("features").unwrap();
        let options = ServerOptions::on(Backend::Sqlite).set(variable, url);
        let (done, text) = run(&options, folder.path(), &["doctor"], "");
        let remedy = format!("--features {feature}");
        assert!(!done && text.contains("built without") && text.contains(&remedy), "{url}: {text}");
    }
}
