//! What stands in a setting in place of a secret: a reference, or a URL with references in braces, such as
//! `postgres://{aws-sm://rds#username}:{aws-sm://rds#password}@db.internal/shop`.

use std::time::Duration;

use anyhow::{Error, Result, anyhow};
use outrigger_kernel::Secret;
use outrigger_kernel::secret::ExposeSecret as _;
use outrigger_ports::secrets::SecretFault;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::{Instant, sleep};

use super::places::Places;
use super::reference::{Place, Reference};

/// What is not percent-encoded in a URL (RFC 3986, 2.3), besides letters and digits.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// So long a process that starts asks again when nobody answers.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two such tries: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// A setting's text that refers to secrets. What stands between the references may be secret too.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Piece>);

#[derive(Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// The secret as it is.
    Whole(Reference),
    /// The secret as a part of a URL.
    Part(Reference),
}

impl Template {
    /// `None` when the text is the secret itself.
    pub(super) fn parse(text: &str) -> Option<Result<Self>> {
        if let Some(reference) = Reference::parse(text) {
            return Some(reference.map(|it| Self(vec![Piece::Whole(it)])));
        }
        let (mut pieces, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some((before, behind)) = rest.split_once('{') {
            plain.push_str(before);
            let inside =
                behind.split_once('}').map(|(inside, after)| (Reference::parse(inside), after));
            rest = match inside {
                Some((Some(Ok(reference)), after)) => {
                    pieces
                        .extend([Piece::Text(std::mem::take(&mut plain)), Piece::Part(reference)]);
                    after
                }
                Some((Some(Err(error)), _)) => return Some(Err(error)),
                _ => {
                    plain.push('{');
                    behind
                }
            };
        }
        if pieces.is_empty() {
            return None;
        }
        pieces.push(Piece::Text(plain + rest));
        let is_url = matches!(&pieces[0], Piece::Text(text) if text.contains("://"));
        let form = "references stand in braces within URLs only, behind the ://; one that is the whole value without";
        Some(if is_url { Ok(Self(pieces)) } else { Err(anyhow!(form)) })
    }

    /// The text as it is now. Each secret is read once, so its parts go together.
    ///
    /// # Errors
    /// Says which secret cannot be had, and why.
    pub(super) async fn read(&self, places: &Places) -> Result<Secret> {
        let mut known: Vec<(&Place, Secret)> = Vec::new();
        let mut text = String::new();
        for piece in &self.0 {
            let reference = match piece {
                Piece::Text(plain) => {
                    text.push_str(plain);
                    continue;
                }
                Piece::Whole(reference) | Piece::Part(reference) => reference,
            };
            let place = &reference.place;
            let found = known.iter().find(|(known, _)| *known == place);
            let whole = match found {
                Some((_, whole)) => whole.clone(),
                None => places.read(place).await?,
            };
            let value = reference.of(&whole)?;
            known.push((place, whole));
            match piece {
                Piece::Part(_) => text.extend(utf8_percent_encode(value.expose_secret(), PART)),
                _ => text.push_str(value.expose_secret()),
            }
        }
        Ok(Secret::from(text))
    }

    /// As [`Template::read`], for a process that starts: it knows no value yet, so when nobody answers it
    /// asks again for a while.
    ///
    /// # Errors
    /// As there; what is refused, at once.
    pub(super) async fn read_first(&self, places: &Places) -> Result<Secret> {
        let until = Instant::now() + PATIENCE;
        let (mut pause, longest) = PAUSES;
        loop {
            match self.read(places).await {
                Err(error) if is_away(&error) && Instant::now() + pause < until => {}
                read => return read,
            }
            sleep(pause).await;
            pause = longest.min(pause * 2);
        }
    }
}

fn is_away(error: &Error) -> bool {
    matches!(error.downcast_ref(), Some(SecretFault::Away(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use outrigger_testkit::TempDir;

    fn error(text: &str) -> String {
        Template::parse(text).unwrap().err().unwrap().to_string()
    }

    #[test]
    fn braces_without_a_reference_are_braces() {
        for text in ["", "{", "postgres://u:{p}@h/d", "postgres://{u", "{}{", "p{ostgres://x}"] {
            assert!(Template::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn references_stand_within_urls() {
        for text in ["{file:///run/x}", "Bearer {file:///run/x}", "{file:///run/x}://h"] {
            assert!(error(text).contains("within URLs only"), "{text}");
        }
        #[cfg(feature = "aws-sm")]
        assert!(error("postgres://{aws-sm://#x}@h/d").contains("a reference is aws-sm://NAME"));
    }

    #[tokio::test]
    async fn what_is_put_into_a_url_is_percent_encoded() {
        let folder = TempDir::new("template").unwrap();
        std::fs::write(folder.join("user"), "shop\n").unwrap();
        std::fs::write(folder.join("password"), "a/b@c:d?e#f%g{h} é~\n").unwrap();
        let at = |name: &str| format!("{{file://{}}}", folder.join(name).display());
        let text = format!("postgres://{}:{}@h/d?x={{y}}", at("user"), at("password"));
        let template = Template::parse(&text).unwrap().ok().unwrap();
        let read = template.read(&Places::default()).await.unwrap();
        let expected = "postgres://shop:a%2Fb%40c%3Ad%3Fe%23f%25g%7Bh%7D%20%C3%A9~@h/d?x={y}";
        assert_eq!(read.expose_secret(), expected);
        let whole = format!("file://{}", folder.join("password").display());
        let whole = Template::parse(&whole).unwrap().ok().unwrap();
        let read = whole.read(&Places::default()).await.unwrap();
        assert_eq!(read.expose_secret(), "a/b@c:d?e#f%g{h} é~");
    }
}
