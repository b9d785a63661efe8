//! One page of a browser.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::pipe::Pipe;

/// How long a page may take to show something.
const PATIENCE: Duration = Duration::from_secs(120);

/// A page with cookies of its own.
#[derive(Debug)]
pub struct Page<'a> {
    pipe: &'a Mutex<Pipe>,
    session: String,
    context: Value,
}

impl<'a> Page<'a> {
    pub(super) fn open(pipe: &'a Mutex<Pipe>) -> Result<Self> {
        let context = lock(pipe).call("Target.createBrowserContext", None, &json!({}))?;
        Self::open_in(pipe, context["browserContextId"].clone())
    }

    /// Another page with the same cookies.
    ///
    /// # Errors
    /// When the browser has ended.
    pub fn beside(&self) -> Result<Self> {
        Self::open_in(self.pipe, self.context.clone())
    }

    fn open_in(pipe: &'a Mutex<Pipe>, context: Value) -> Result<Self> {
        let mut browser = lock(pipe);
        let target = json!({"url": "about:blank", "browserContextId": context});
        let target = browser.call("Target.createTarget", None, &target)?;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = browser.call("Target.attachToTarget", None, &attach)?;
        drop(browser);
        let session = attached["sessionId"].as_str().context("a session")?.to_owned();
        let page = Self { pipe, session, context };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.call(&format!("{domain}.enable"), &json!({}))?;
        }
        Ok(page)
    }

    /// Calls a method of the protocol.
    ///
    /// # Errors
    /// What the browser says is wrong.
    pub fn call(&self, method: &str, params: &Value) -> Result<Value> {
        lock(self.pipe).call(method, Some(&self.session), params)
    }

    /// The size of the window in pixels, and whether it is a phone's.
    ///
    /// # Errors
    /// When the browser has ended.
    pub fn resize(&self, width: u32, height: u32, mobile: bool) -> Result<()> {
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile});
        self.call("Emulation.setDeviceMetricsOverride", &size).map(drop)
    }

    /// What the reader prefers.
    ///
    /// # Errors
    /// When the browser has ended.
    pub fn prefer_dark(&self, dark: bool) -> Result<()> {
        let value = if dark { "dark" } else { "light" };
        let feature = json!({"name": "prefers-color-scheme", "value": value});
        self.call("Emulation.setEmulatedMedia", &json!({"features": [feature]})).map(drop)
    }

    /// Goes to an address.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn open_url(&self, url: &str) -> Result<()> {
        let answer = self.call("Page.navigate", &json!({"url": url}))?;
        if let Some(error) = answer["errorText"].as_str() {
            bail!("{url}: {error}");
        }
        self.until("document.readyState === 'complete'").map(drop)
    }

    /// The value of an expression of JavaScript, once it is there if it is a promise.
    ///
    /// # Errors
    /// What it throws.
    pub fn evaluate(&self, expression: &str) -> Result<Value> {
        let params = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let mut answer = self.call("Runtime.evaluate", &params)?;
        if let Some(thrown) = answer.get("exceptionDetails") {
            let what = thrown["exception"]["description"].as_str().unwrap_or_default();
            bail!("{expression}: {what} {}", thrown["text"]);
        }
        Ok(answer["result"]["value"].take())
    }

    /// The value of an expression as soon as it is true.
    ///
    /// # Errors
    /// When it does not become so; holds what the page shows.
    pub fn until(&self, expression: &str) -> Result<Value> {
        let wait = format!(
            "new Promise((done, fail) => {{ const end = Date.now() + {}; const look = () => {{
               let value; try {{ value = ({expression}) }} catch {{}}
               if (value) return done(value === true ? true : String(value));
               if (Date.now() > end) return fail(new Error('it never was: ' + (document.body?.innerText ?? '')));
               setTimeout(look, 15) }}; look() }})",
            PATIENCE.as_millis()
        );
        self.evaluate(&wait).with_context(|| format!("waited for {expression}"))
    }

    /// Waits for an element.
    ///
    /// # Errors
    /// When it does not come.
    pub fn wait_for(&self, selector: &str) -> Result<()> {
        self.until(&format!("document.querySelector({})", json!(selector))).map(drop)
    }

    /// Waits for a text.
    ///
    /// # Errors
    /// When it does not come.
    pub fn wait_for_text(&self, text: &str) -> Result<()> {
        self.until(&format!("document.body.innerText.includes({})", json!(text))).map(drop)
    }

    /// Clicks with the mouse in the middle of an element, once it is there.
    ///
    /// # Errors
    /// When it is not there, or something lies over it.
    pub fn click(&self, selector: &str) -> Result<()> {
        self.wait_for(selector)?;
        self.click_on(&format!("document.querySelector({})", json!(selector)))
    }

    /// Clicks a button or link with these words, once it is there.
    ///
    /// # Errors
    /// As [`Page::click`].
    pub fn press(&self, words: &str) -> Result<()> {
        let found = format!(
            "[...document.querySelectorAll('dialog[open] button, button, a')].find(it => \
             (it.getAttribute('aria-label') ?? it.innerText).trim() === {} && it.checkVisibility())",
            json!(words)
        );
        self.until(&found)?;
        self.click_on(&found)
    }

    fn click_on(&self, element: &str) -> Result<()> {
        let place = format!(
            "(() => {{ const it = {element}; it.scrollIntoView({{block: 'center'}});
               const box = it.getBoundingClientRect();
               const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
               const top = document.elementFromPoint(x, y);
               if (!it.contains(top)) throw new Error('covered by ' + top?.outerHTML.slice(0, 200));
               return [x, y] }})()"
        );
        let place = self.evaluate(&place)?;
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({
                "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1,
            });
            self.call("Input.dispatchMouseEvent", &event)?;
        }
        Ok(())
    }

    /// Puts the cursor into a field and types over what it holds.
    ///
    /// # Errors
    /// When there is no such field.
    pub fn fill(&self, selector: &str, text: &str) -> Result<()> {
        self.wait_for(selector)?;
        let field = format!("document.querySelector({})", json!(selector));
        self.evaluate(&format!("{field}.focus(), {field}.select?.()"))?;
        self.call("Input.insertText", &json!({"text": text})).map(drop)
    }

    /// Presses and lets go a key, such as `Tab`.
    ///
    /// # Errors
    /// When the browser has ended.
    pub fn key(&self, key: &str) -> Result<()> {
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            "Tab" => (9, ""),
            "Escape" => (27, ""),
            letter => (letter.to_uppercase().bytes().next().map_or(0, i32::from), letter),
        };
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let event =
                json!({"type": kind, "key": key, "text": text, "windowsVirtualKeyCode": code});
            self.call("Input.dispatchKeyEvent", &event)?;
        }
        Ok(())
    }

    /// Keeps a picture of the whole page as PNG, but of no more than 4,000 pixels of it.
    ///
    /// # Errors
    /// When it cannot be made or written.
    pub fn screenshot(&self, file: &Path) -> Result<()> {
        let size = self.evaluate("[innerWidth, document.documentElement.scrollHeight]")?;
        let height = size[1].as_f64().unwrap_or(800.0).min(4_000.0);
        let clip = json!({"x": 0, "y": 0, "width": size[0], "height": height, "scale": 1});
        let params = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let answer = self.call("Page.captureScreenshot", &params)?;
        let text = answer["data"].as_str().context("a picture")?;
        let bytes = decode(text).context("a picture that is no base64")?;
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))
    }

    /// What went wrong in the page since this was asked last: what scripts threw, and what the content
    /// policy has stopped. Answers of the server that are errors are not among it.
    pub fn faults(&self) -> Vec<String> {
        let told = lock(self.pipe).told(&self.session);
        let faults = told.iter().filter_map(|told| match told["method"].as_str()? {
            "Runtime.exceptionThrown" => Some(told["params"]["exceptionDetails"].to_string()),
            "Log.entryAdded" => {
                let entry = &told["params"]["entry"];
                let is_fault = entry["level"] == "error" && entry["source"] != "network";
                is_fault.then(|| entry.to_string())
            }
            _ => None,
        });
        faults.collect()
    }
}

fn lock(pipe: &Mutex<Pipe>) -> MutexGuard<'_, Pipe> {
    pipe.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Base64 (RFC 4648, section 4), as the browser writes it.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0);
    for byte in text.bytes().filter(|byte| *byte != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xff_ffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_is_read() {
        assert_eq!(super::decode("aGVsbG8="), Some(b"hello".to_vec()));
        assert_eq!(super::decode("//79"), Some(vec![255, 254, 253]));
        assert_eq!(super::decode("a b"), None);
    }
}
