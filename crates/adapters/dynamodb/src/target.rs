//! What a URL says: which table of which region on which server.

use outrigger_cloud::Endpoint;
use outrigger_ports::store::StoreError;
use url::Url;

/// A table and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) region: String,
    pub(crate) table: String,
    /// Another server than that of AWS.
    pub(crate) endpoint: Option<Endpoint>,
    /// Read and write units of a new table; else it is paid by request.
    pub(crate) provisioned: Option<(i64, i64)>,
}

impl Target {
    /// Reads the URL.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] says what is wrong with it.
    pub(crate) fn parse(url: &str) -> Result<Self, StoreError> {
        Self::read(url).map_err(|what| {
            let form = "expected dynamodb://REGION/TABLE";
            StoreError::Unavailable(format!("the database URL is not valid: {what}; {form}").into())
        })
    }

    /// Whether the server is on this machine.
    pub(crate) fn is_local(&self) -> bool {
        self.endpoint.as_ref().is_some_and(|endpoint| endpoint.is_local)
    }

    fn read(url: &str) -> Result<Self, String> {
        let url = Url::parse(url).map_err(|error| error.to_string())?;
        let region = url.host_str().unwrap_or_default().to_owned();
        let table = url.path().trim_start_matches('/').to_owned();
        if url.scheme() != "dynamodb" || region.is_empty() {
            return Err("it names no region".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() || url.port().is_some() {
            return Err("keys and ports have no place in it".to_owned());
        }
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        if !(3..=255).contains(&table.len()) || !table.bytes().all(is_name) {
            return Err("a table's name has 3 to 255 letters, digits, _ . -".to_owned());
        }
        let mut target = Self { region, table, endpoint: None, provisioned: None };
        let (mut read, mut write) = (None, None);
        for (name, value) in url.query_pairs() {
            match &*name {
                "endpoint" => target.endpoint = Some(Endpoint::parse(&value)?),
                "read_units" => read = Some(units(&value)?),
                "write_units" => write = Some(units(&value)?),
                other => return Err(format!("{other} is not known")),
            }
        }
        target.provisioned = match (read, write) {
            (None, None) => None,
            (Some(read), Some(write)) => Some((read, write)),
            _ => return Err("read_units and write_units go together".to_owned()),
        };
        Ok(target)
    }
}

fn units(value: &str) -> Result<i64, String> {
    let units = value.parse().ok().filter(|units| *units > 0);
    units.ok_or_else(|| format!("{value} is no number of units"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_region_table_and_perhaps_a_server() {
        let target = Target::parse("dynamodb://eu-central-1/shop.prod").unwrap();
        assert_eq!((&*target.region, &*target.table), ("eu-central-1", "shop.prod"));
        assert_eq!((target.endpoint, target.provisioned), (None, None));
        let local =
            "dynamodb://us-east-1/t_1?endpoint=http://127.0.0.1:8000&read_units=5&write_units=7";
        let target = Target::parse(local).unwrap();
        assert_eq!(target.provisioned, Some((5, 7)));
        let endpoint = target.endpoint.unwrap();
        assert_eq!((&*endpoint.url, endpoint.is_local), ("http://127.0.0.1:8000", true));
        let far = "dynamodb://us-east-1/tab?endpoint=https://vpce-1.dynamodb.us-east-1.vpce.amazonaws.com";
        assert!(!Target::parse(far).unwrap().endpoint.unwrap().is_local);
    }

    #[test]
    fn what_is_wrong_with_a_url_is_said() {
        for (url, words) in [
            ("dynamodb:///tab", "region"),
            ("dynamodb://us-east-1/", "3 to 255"),
            ("dynamodb://us-east-1/a/b", "3 to 255"),
            ("dynamodb://key:secret@us-east-1/tab", "keys and ports"),
            ("dynamodb://us-east-1/tab?tabel=x", "tabel is not known"),
            ("dynamodb://us-east-1/tab?endpoint=http://10.0.0.1:8000", "must be https"),
            ("dynamodb://us-east-1/tab?read_units=5", "go together"),
            ("dynamodb://us-east-1/tab?read_units=0&write_units=1", "no number of units"),
        ] {
            let said = Target::parse(url).unwrap_err().to_string();
            assert!(said.contains(words) && !said.contains("secret"), "{url}: {said}");
        }
    }
}
