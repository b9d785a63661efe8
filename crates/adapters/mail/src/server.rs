//! From a URL to what is known of a mail server.

use std::borrow::Cow;

use lettre::transport::smtp::authentication::Credentials;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

/// How a connection is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Security {
    /// TLS from the first byte: `smtps://`.
    Tls,
    /// STARTTLS, without which nothing is sent: `smtp://`.
    StartTls,
    /// None, to this machine itself: `smtp://localhost`.
    Plain,
}

impl Security {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::StartTls => "starttls",
            Self::Plain => "none",
        }
    }
}

/// A mail server.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) security: Security,
    pub(crate) credentials: Option<Credentials>,
}

impl Server {
    /// What `smtp://USER:PASSWORD@HOST:PORT` and `smtps://…` say; `?tls=required` asks for STARTTLS
    /// on this machine too.
    ///
    /// # Errors
    /// Says what is wrong, without the URL, which holds a password.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let refuse = |why: &str| Err(why.to_owned());
        let Ok(url) = Url::parse(text) else {
            return refuse("expected smtp://USER:PASSWORD@HOST:PORT, smtps://… or log://");
        };
        let is_smtps = match url.scheme() {
            "smtp" => false,
            "smtps" => true,
            other => {
                return Err(format!(
                    "{other}:// is not compiled into this binary; use smtp://, smtps:// or log://"
                ));
            }
        };
        let Some(host) = url.host_str().filter(|host| !host.is_empty()) else {
            return refuse("names no host");
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return refuse("has more than a host and a port");
        }
        let must_secure = match url.query() {
            None => false,
            Some("tls=required") => true,
            Some(_) => return refuse("the only option is ?tls=required"),
        };
        let security = match is_smtps {
            true => Security::Tls,
            false if is_this_machine(host) && !must_secure => Security::Plain,
            false => Security::StartTls,
        };
        let default_port = match security {
            Security::Tls => 465,
            Security::StartTls => 587,
            Security::Plain => 25,
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = url.port().unwrap_or(default_port);
        Ok(Self { host, port, security, credentials: credentials(&url)? })
    }
}

fn credentials(url: &Url) -> Result<Option<Credentials>, String> {
    let plain = |part: &str| {
        let decoded = percent_decode_str(part).decode_utf8().map(Cow::into_owned);
        decoded.map_err(|_| "the user or the password is not UTF-8".to_owned())
    };
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) | (_, None) => Err("needs both a user and a password, or neither".to_owned()),
        (user, Some(password)) => Ok(Some(Credentials::new(plain(user)?, plain(password)?))),
    }
}

/// Whether the host is this machine, whatever a resolver says.
fn is_this_machine(host: &str) -> bool {
    match Host::parse(host) {
        Ok(Host::Domain(name)) => name == "localhost",
        Ok(Host::Ipv4(address)) => address.is_loopback(),
        Ok(Host::Ipv6(address)) => address.is_loopback(),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(url: &str) -> (String, u16, &'static str) {
        let server = Server::parse(url).unwrap();
        (server.host, server.port, server.security.as_str())
    }

    #[test]
    fn only_this_machine_may_be_spoken_to_without_tls() {
        let found = |host: &str, port, security| (host.to_owned(), port, security);
        assert_eq!(known("smtp://mail.example"), found("mail.example", 587, "starttls"));
        assert_eq!(known("smtp://10.0.0.1:25"), found("10.0.0.1", 25, "starttls"));
        assert_eq!(known("smtps://mail.example"), found("mail.example", 465, "tls"));
        assert_eq!(known("smtps://localhost:1465"), found("localhost", 1465, "tls"));
        assert_eq!(known("smtp://localhost"), found("localhost", 25, "none"));
        assert_eq!(known("smtp://127.0.0.1:1025/"), found("127.0.0.1", 1025, "none"));
        assert_eq!(known("smtp://[::1]:1025"), found("::1", 1025, "none"));
        assert_eq!(known("smtp://[2001:db8::1]"), found("2001:db8::1", 587, "starttls"));
        let secured = known("smtp://localhost:2525?tls=required");
        assert_eq!(secured, found("localhost", 2525, "starttls"));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for (url, part) in [
            ("hunter2", "expected smtp://"),
            ("ses://hunter2@eu-west-1", "ses://"),
            ("smtp://u:hunter2@", "expected smtp://"),
            ("smtp://u:hunter2@h/inbox", "more than"),
            ("smtp://u:hunter2@h?tls=never", "?tls=required"),
            ("smtp://hunter2@h", "both a user and a password"),
            ("smtp://u:%ff@h", "UTF-8"),
        ] {
            let error = Server::parse(url).unwrap_err();
            assert!(error.contains(part) && !error.contains("hunter2"), "{url}: {error}");
        }
    }

    #[test]
    fn users_and_passwords_may_hold_anything() {
        let server = Server::parse("smtps://me%40shop:p%3A%2Fw%C3%A9@mail.example").unwrap();
        let wanted = Credentials::new("me@shop".to_owned(), "p:/wé".to_owned());
        assert_eq!(server.credentials, Some(wanted));
    }
}
