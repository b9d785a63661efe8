//! Files: up and down, in a folder and on an emulator of S3.

mod client;
mod interrupted;
mod large;
mod limits;
mod rules;
mod signed;
mod slow;
mod transfer;

use crate::support::{Api, Backend, Server, ServerOptions};

/// Makes each named function a test on each backend with files in a folder, and in object storage.
macro_rules! on_each_backend_and_s3 {
    ($($name:ident),+ $(,)?) => {
        crate::support::on_each_backend!($($name),+);
        #[cfg(feature = "s3")]
        mod s3 {
            $( #[test] fn $name() { super::$name(crate::files::on_s3()); } )+
        }
    };
}
use on_each_backend_and_s3;

/// Settings of a server that keeps files in a bucket of its own.
#[cfg(feature = "s3")]
fn in_s3() -> ServerOptions {
    let aws = outrigger_testkit::Aws::shared().unwrap();
    ServerOptions::on(Backend::Sqlite).set("BLOB_URL", &aws.fresh_blob_url().unwrap())
}

/// The shared server that does.
#[cfg(feature = "s3")]
fn on_s3() -> &'static Server {
    static SERVER: std::sync::OnceLock<Server> = std::sync::OnceLock::new();
    SERVER.get_or_init(|| Server::start(&in_s3()))
}

/// Settings of a server that keeps files in its folder.
fn in_folder() -> ServerOptions {
    ServerOptions::on(Backend::Sqlite)
}

/// What lies in the place of files and is no part of one: names of objects, of blobs that are
/// written, and of parts.
fn kept(server: &Server) -> Vec<String> {
    let options = &server.options.environment;
    let Some((_, url)) = options.iter().find(|(name, _)| name == "BLOB_URL") else {
        return below(&server.path().join("data/blobs"));
    };
    let (bucket, endpoint) = url.strip_prefix("s3://").unwrap().split_once('/').unwrap();
    let emulator = Api::new(&format!("http://{}", endpoint.rsplit_once("http://").unwrap().1));
    let ask = |query: &str| emulator.get(&format!("/{bucket}?{query}")).expect(200).text;
    let (objects, parts) = (ask("list-type=2"), ask("uploads"));
    let all = objects.split("<Key>").skip(1).chain(parts.split("<UploadId>").skip(1));
    all.map(|rest| rest.split('<').next().unwrap_or_default().to_owned()).collect()
}

fn below(folder: &std::path::Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path());
    let (folders, files): (Vec<_>, Vec<_>) = paths.partition(|path| path.is_dir());
    let files = files.into_iter().map(|path| path.display().to_string());
    files.chain(folders.iter().flat_map(|folder| below(folder))).collect()
}
