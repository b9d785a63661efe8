//! The session of a console as cookies, and when they are believed.
//!
//! The access token and the refresh token are in cookies that scripts cannot read (`HttpOnly`) and
//! that come with requests of the same site only (`SameSite=Strict`). That alone proves nothing: a
//! cookie counts only beside the header `X-CSRF-Token`, whose value follows from the access token, so
//! that only who was told it by this server, or has the token itself, can send it. A browser that says
//! (`Sec-Fetch-Site`) that the request is another origin's is refused whatever it sends.
//!
//! Nothing is kept on the server: the token is a session's like any other, ends with it on every
//! replica, and a cookie that somebody plants is worth what its token is worth.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};
use outrigger_domain::auth::TokenAnswer;
use outrigger_kernel::{Error, ErrorKind, Result};

use crate::settings::Settings;

const CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// In front of what is hashed, so that the same hash elsewhere is no token.
const CSRF_PURPOSE: &[u8] = b"outrigger console: ";

/// The names of the cookies. Behind HTTPS they have the prefix that keeps other hosts of the same
/// domain, and pages without TLS, from setting them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    access: &'static str,
    refresh: &'static str,
    is_secure: bool,
}

impl Names {
    pub(super) fn of(settings: &Settings) -> Self {
        match settings.public_url.starts_with("https://") {
            true => Self {
                access: "__Host-outrigger-access",
                refresh: "__Host-outrigger-refresh",
                is_secure: true,
            },
            false => {
                Self { access: "outrigger-access", refresh: "outrigger-refresh", is_secure: false }
            }
        }
    }

    /// The access token in the cookie, whether or not it is to be believed.
    pub(super) fn access(self, headers: &HeaderMap) -> Option<&str> {
        cookie(headers, self.access)
    }

    /// The refresh token in the cookie, whether or not it is to be believed.
    pub(super) fn refresh(self, headers: &HeaderMap) -> Option<&str> {
        cookie(headers, self.refresh)
    }

    /// Puts the tokens into cookies that end with the browser.
    pub(super) fn keep(self, headers: &mut HeaderMap, tokens: &TokenAnswer) {
        self.set(headers, self.access, &tokens.access_token, "");
        self.set(headers, self.refresh, &tokens.refresh_token, "");
    }

    /// Takes the cookies away.
    pub(super) fn forget(self, headers: &mut HeaderMap) {
        for name in [self.access, self.refresh] {
            self.set(headers, name, "", "; Max-Age=0");
        }
    }

    fn set(self, headers: &mut HeaderMap, name: &str, value: &str, more: &str) {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{more}");
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.append(SET_COOKIE, value);
        }
    }
}

/// The access token of a request of the console; `None` for requests that are not the console's.
///
/// # Errors
/// `wrong_csrf_token`, `cross_origin`.
pub(crate) fn access_token<'a>(
    headers: &'a HeaderMap,
    settings: &Settings,
) -> Result<Option<&'a str>> {
    // Of the requests without an Authorization header only the console's have this one.
    if !settings.console || !headers.contains_key(CSRF_TOKEN) {
        return Ok(None);
    }
    let Some(token) = Names::of(settings).access(headers) else { return Ok(None) };
    check(headers, token)?;
    Ok(Some(token))
}

/// What the console sends beside this access token.
pub(super) fn csrf_token(access: &str) -> String {
    let bytes = [CSRF_PURPOSE, access.as_bytes()].concat();
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &bytes))
}

/// Whether the request is one of our own pages, as it says itself.
///
/// # Errors
/// `wrong_csrf_token`, `cross_origin`.
pub(super) fn check(headers: &HeaderMap, access: &str) -> Result<()> {
    check_site(headers)?;
    let given = headers.get(CSRF_TOKEN).map_or(&b""[..], HeaderValue::as_bytes);
    verify_slices_are_equal(given, csrf_token(access).as_bytes()).map_err(|_| {
        Error::new(
            ErrorKind::Forbidden,
            "wrong_csrf_token",
            "the header X-CSRF-Token does not belong to this session: ask /console/session for it",
        )
    })
}

/// Refuses what a browser says comes from a page of somebody else.
///
/// # Errors
/// `cross_origin`.
pub(super) fn check_site(headers: &HeaderMap) -> Result<()> {
    match headers.get(FETCH_SITE).map(HeaderValue::as_bytes) {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(_) => Err(Error::new(
            ErrorKind::Forbidden,
            "cross_origin",
            "the console's session is for pages of this server only",
        )),
    }
}

/// The value of a cookie (RFC 6265), if it occurs once: of two, one was planted.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    let mut found = pairs.filter(|(known, _)| known.trim() == name).map(|(_, value)| value.trim());
    let first = found.next().filter(|value| !value.is_empty());
    if found.next().is_some() { None } else { first }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let parse = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        };
        pairs.iter().map(parse).collect()
    }

    #[test]
    fn a_cookie_counts_only_beside_its_token_and_from_our_own_pages() {
        let settings = Settings { console: true, ..Settings::default() };
        let csrf = csrf_token("a.b.c");
        let cookie = ("cookie", "x=1; outrigger-access=a.b.c");
        let token = ("x-csrf-token", csrf.as_str());
        let read = |pairs: &[_]| {
            let headers = headers(pairs);
            access_token(&headers, &settings)
                .map(|token| token.map(str::to_owned))
                .map_err(|error| error.code().to_owned())
        };
        assert_eq!(read(&[cookie]), Ok(None));
        assert_eq!(read(&[token]), Ok(None));
        assert_eq!(read(&[cookie, token]), Ok(Some("a.b.c".to_owned())));
        let site = ("sec-fetch-site", "same-origin");
        assert_eq!(read(&[cookie, token, site]), Ok(Some("a.b.c".to_owned())));
        let other = csrf_token("a.b.d");
        for wrong in ["", "x", other.as_str()] {
            let found = read(&[cookie, ("x-csrf-token", wrong)]);
            assert_eq!(found, Err("wrong_csrf_token".to_owned()));
        }
        for site in ["cross-site", "same-site", "what"] {
            let found = read(&[cookie, token, ("sec-fetch-site", site)]);
            assert_eq!(found, Err("cross_origin".to_owned()), "{site}");
        }
        let twice = ("cookie", "outrigger-access=planted; outrigger-access=a.b.c");
        assert_eq!(read(&[twice, token]), Ok(None));
        let off = Settings { console: false, ..Settings::default() };
        assert!(access_token(&headers(&[cookie, token]), &off).unwrap().is_none());
    }

    #[test]
    fn behind_https_cookies_belong_to_this_host() {
        let settings =
            Settings { public_url: "https://api.example.com".to_owned(), ..Settings::default() };
        let mut set = HeaderMap::new();
        Names::of(&settings).forget(&mut set);
        for value in set.get_all(SET_COOKIE) {
            let text = value.to_str().unwrap();
            assert!(text.starts_with("__Host-outrigger-"), "{text}");
            assert!(text.ends_with("; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=0"));
        }
        let plain = headers(&[("cookie", "outrigger-access=planted.by.http")]);
        assert!(Names::of(&settings).access(&plain).is_none());
    }
}
