//! A client of bytes, which need be no text and are not held in memory.

use std::io::{Cursor, Read};

use serde_json::Value;

use crate::support::Api;

/// What came back.
pub(super) struct Bytes {
    pub(super) status: u16,
    pub(super) headers: ureq::http::HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Bytes {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    #[track_caller]
    pub(super) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    pub(super) fn id(&self) -> String {
        self.json()["id"].as_str().expect("an id").to_owned()
    }
}

/// Who asks which server.
pub(super) struct Client<'a> {
    api: &'a Api,
    base: String,
}

impl<'a> Client<'a> {
    pub(super) fn of(api: &'a Api, port: u16) -> Self {
        Self { api, base: format!("http://127.0.0.1:{port}/api/v1/files") }
    }

    fn agent() -> ureq::Agent {
        ureq::Agent::config_builder().http_status_as_error(false).build().into()
    }

    /// Sends this as it is; the answer with its body still to be read.
    pub(super) fn stream(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        mut body: impl Read,
    ) -> ureq::http::Response<ureq::Body> {
        let mut request = Self::agent().post(format!("{}{path}", self.base));
        if !self.api.token().is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.api.token()));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send(ureq::SendBody::from_reader(&mut body)).expect("an answer")
    }

    pub(super) fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Bytes {
        let length = body.len().to_string();
        let mut all = vec![("content-length", length.as_str())];
        all.extend(headers);
        read(self.stream(path, &all, Cursor::new(body.to_vec())))
    }

    /// Asks with GET; the answer with its body still to be read.
    pub(super) fn open(
        &self,
        path: &str,
        headers: &[(&str, &str)],
    ) -> ureq::http::Response<ureq::Body> {
        let mut request = Self::agent().get(format!("{}{path}", self.base));
        if !self.api.token().is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.api.token()));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.call().expect("an answer")
    }

    pub(super) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Bytes {
        read(self.open(path, headers))
    }
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> Bytes {
    let body = response.body_mut().with_config().limit(64 << 20).read_to_vec().expect("a body");
    let (parts, _) = response.into_parts();
    Bytes { status: parts.status.as_u16(), headers: parts.headers, body }
}

/// A form with these fields and the file.
pub(super) fn form(fields: &[(&str, &str)], file: (&str, &str, &[u8])) -> (String, Vec<u8>) {
    let mut body = Vec::new();
    for (name, value) in fields {
        let head = format!("--frontier\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(format!("{value}\r\n").as_bytes());
    }
    let (name, media_type, bytes) = file;
    let head = format!(
        "--frontier\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: {media_type}\r\n\r\n"
    );
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(bytes);
    body.extend_from_slice(b"\r\n--frontier--\r\n");
    ("multipart/form-data; boundary=frontier".to_owned(), body)
}
