//! Packs the pages that describe the API: the binary carries them compressed, and sends them so.

use std::fs::File;
use std::io::{Result, Write};
use std::path::PathBuf;

use aide::redoc::Redoc;
use aide::swagger::Swagger;
use flate2::Compression;
use flate2::write::GzEncoder;

const DOCUMENT: &str = "/openapi.json";
const TITLE: &str = "Outrigger";

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let folder = std::env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    let pages = [
        ("swagger", Swagger::new(DOCUMENT).with_title(TITLE).html()),
        ("redoc", Redoc::new(DOCUMENT).with_title(TITLE).html()),
    ];
    for (name, html) in pages {
        // Browsers hash a script after bringing its line ends to one form.
        let html = html.replace("\r\n", "\n").replace('\r', "\n");
        let file = File::create(folder.join(format!("{name}.html.gz")))?;
        let mut encoder = GzEncoder::new(file, Compression::best());
        encoder.write_all(html.as_bytes())?;
        encoder.finish()?;
    }
    Ok(())
}
