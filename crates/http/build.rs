//! Packs the pages that describe the API, and the files of the console: the binary carries them
//! compressed, and sends them so.

use std::collections::hash_map::DefaultHasher;
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::{Result, Write};
use std::path::{Path, PathBuf};

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
        pack(html.as_bytes(), &folder.join(format!("{name}.html.gz")))?;
    }
    console(&folder)
}

fn pack(bytes: &[u8], to: &Path) -> Result<()> {
    let mut encoder = GzEncoder::new(File::create(to)?, Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()?;
    Ok(())
}

/// Packs every file of the console, and writes their list as Rust.
fn console(out: &Path) -> Result<()> {
    println!("cargo::rerun-if-changed=console");
    let source = Path::new("console").canonicalize()?;
    let mut files = Vec::new();
    walk(&source, &mut files)?;
    files.sort();
    let mut hasher = DefaultHasher::new();
    let mut list = Vec::new();
    for (number, path) in files.iter().enumerate() {
        let name = path.strip_prefix(&source).unwrap_or(path).to_string_lossy().replace('\\', "/");
        let bytes = std::fs::read(path)?;
        (&name, &bytes).hash(&mut hasher);
        let packed = format!("console-{number}.gz");
        pack(&bytes, &out.join(&packed))?;
        let packed = format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{packed}\"))");
        list.push(format!("    ({name:?}, {packed}),\n"));
    }
    let text = format!(
        "/// Names what the files hold.\nconst CONTENT: &str = \"{:016x}\";\n\
         /// Each file, packed.\nconst FILES: &[(&str, &[u8])] = &[\n{}];\n",
        hasher.finish(),
        list.concat()
    );
    std::fs::write(out.join("console.rs"), text)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
