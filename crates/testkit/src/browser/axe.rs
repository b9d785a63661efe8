//! The accessibility check axe-core, in a page.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Page;
use crate::emulator;

/// The check as text, read once.
#[derive(Debug)]
pub struct Axe(String);

impl Axe {
    /// What brings it: a package of PyPI, whose file is taken and nothing else.
    pub const PACKAGE: &str = "axe-playwright-python==0.1.8";
    /// The file in that package.
    const FILE: &str = "axe_playwright_python/axe.min.js";

    /// Reads it from where `cargo xtask test` has put it.
    ///
    /// # Errors
    /// Says how to get it.
    pub fn find() -> Result<Self> {
        let path = Self::path();
        let text = std::fs::read_to_string(&path);
        text.map(Self).with_context(|| {
            format!(
                "not found: {}; install with: pip3 install --no-deps --target {} {}",
                path.display(),
                path.ancestors().nth(2).unwrap_or(&path).display(),
                Self::PACKAGE
            )
        })
    }

    /// Where it is looked for.
    pub fn path() -> PathBuf {
        emulator::installed("axe").join(Self::FILE)
    }

    /// What it finds in the page as it is now that is serious or critical: a line for each.
    ///
    /// # Errors
    /// When it cannot run there.
    pub fn serious(&self, page: &Page<'_>) -> Result<Vec<String>> {
        if page.evaluate("typeof axe")? != "object" {
            page.evaluate(&format!("{};0", self.0))?;
        }
        let found = page.evaluate(
            "axe.run(document, {resultTypes: ['violations']}).then(({violations}) => violations
               .filter(({impact}) => impact === 'serious' || impact === 'critical')
               .flatMap(({id, help, nodes}) => nodes.map(({html, any}) =>
                 `${id}: ${help}: ${html.slice(0, 200)} ${any[0]?.message ?? ''}`)))",
        )?;
        let lines = found.as_array().context("axe-core has changed its answer")?;
        Ok(lines.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect())
    }
}
