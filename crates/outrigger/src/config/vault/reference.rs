//! One reference: which secret, and perhaps which part of it.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use outrigger_kernel::Secret;
use outrigger_kernel::secret::ExposeSecret as _;

/// A secret, or one member of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) place: Place,
    member: Option<String>,
}

/// Where a secret stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a file.
    File(PathBuf),
    /// In AWS Secrets Manager, under this name.
    #[cfg(feature = "aws-sm")]
    Aws(String),
    /// In Google's Secret Manager, under this project and name.
    #[cfg(feature = "gcp-sm")]
    Gcp(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file://{}", path.display()),
            #[cfg(feature = "aws-sm")]
            Self::Aws(name) => write!(f, "aws-sm://{name}"),
            #[cfg(feature = "gcp-sm")]
            Self::Gcp(name) => write!(f, "gcp-sm://{name}"),
        }
    }
}

impl Reference {
    /// What the text refers to; `None` when it is the secret itself.
    pub(super) fn parse(text: &str) -> Option<Result<Self>> {
        let (scheme, rest) = text.split_once("://")?;
        match scheme {
            "file" => Some(Ok(Self { place: Place::File(PathBuf::from(rest)), member: None })),
            #[cfg(feature = "aws-sm")]
            "aws-sm" => Some(Self::part(rest, Place::Aws)),
            #[cfg(feature = "gcp-sm")]
            "gcp-sm" => Some(Self::part(rest, Place::Gcp)),
            #[cfg(not(feature = "aws-sm"))]
            "aws-sm" => Some(absent(scheme)),
            #[cfg(not(feature = "gcp-sm"))]
            "gcp-sm" => Some(absent(scheme)),
            _ => None,
        }
    }

    #[cfg(any(feature = "aws-sm", feature = "gcp-sm"))]
    fn part(text: &str, place: fn(String) -> Place) -> Result<Self> {
        let (name, member) = match text.split_once('#') {
            Some((name, member)) => (name, Some(member)),
            None => (text, None),
        };
        if name.is_empty() || member == Some("") {
            bail!(
                "a reference is aws-sm://NAME, gcp-sm://PROJECT/NAME, and perhaps #MEMBER of JSON"
            );
        }
        Ok(Self { place: place(name.to_owned()), member: member.map(str::to_owned) })
    }

    /// The part that it speaks of, of what stands in its place.
    ///
    /// # Errors
    /// When there is no such part. What is wrong may hold parts of the secret, and is not said.
    pub(super) fn of(&self, whole: &Secret) -> Result<Secret> {
        let (place, text) = (&self.place, whole.expose_secret());
        let Some(member) = &self.member else {
            return Ok(Secret::from(text.trim_end_matches(['\n', '\r']).to_owned()));
        };
        let json: serde_json::Value = serde_json::from_str(text)
            .ok()
            .with_context(|| format!("{place} is no JSON, of which #{member} could be a part"))?;
        match json.get(member) {
            Some(serde_json::Value::String(text)) => Ok(Secret::from(text.clone())),
            Some(value @ serde_json::Value::Number(_)) => Ok(Secret::from(value.to_string())),
            _ => bail!("{place} has no text or number #{member}"),
        }
    }
}

#[cfg(not(all(feature = "aws-sm", feature = "gcp-sm")))]
fn absent(scheme: &str) -> Result<Reference> {
    bail!(
        "this binary is built without references {scheme}://: use the released image, or build it with \
         `--features {scheme}`; or use file://"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_no_references() {
        for text in ["", "hunter2", "postgres://u:p@h/d", "aws-sm:x"] {
            assert!(Reference::parse(text).is_none(), "{text}");
        }
        let file = Reference::parse("file:///run/x").unwrap().unwrap();
        assert_eq!(file.place, Place::File("/run/x".into()));
    }

    #[test]
    #[cfg(all(feature = "aws-sm", feature = "gcp-sm"))]
    fn references_name_a_secret_and_perhaps_a_member() {
        let part = |place: Place, member: Option<&str>| {
            Some(Reference { place, member: member.map(str::to_owned) })
        };
        let parsed = |text| Reference::parse(text).unwrap().ok();
        let aws = |name: &str| Place::Aws(name.to_owned());
        assert_eq!(parsed("aws-sm://a/b#url"), part(aws("a/b"), Some("url")));
        assert_eq!(parsed("aws-sm://a"), part(aws("a"), None));
        assert_eq!(parsed("aws-sm://#a"), None);
        assert_eq!(parsed("gcp-sm://p/n#"), None);
        assert_eq!(parsed("gcp-sm://p/n"), part(Place::Gcp("p/n".to_owned()), None));
    }
}
