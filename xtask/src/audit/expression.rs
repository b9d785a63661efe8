//! SPDX licence expressions: `MIT OR (Apache-2.0 AND BSD-3-Clause)`.

use anyhow::{Result, bail};

/// Whether the expression can be met with the allowed licences. The old `MIT/Apache-2.0` means OR.
pub(super) fn allowed(expression: &str, licenses: &[String]) -> Result<bool> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { words: &words, licenses };
    let met = reader.any()?;
    if !reader.words.is_empty() {
        bail!("cannot read the licence expression {expression}");
    }
    Ok(met)
}

struct Reader<'a> {
    words: &'a [&'a str],
    licenses: &'a [String],
}

impl Reader<'_> {
    fn any(&mut self) -> Result<bool> {
        let mut met = self.all()?;
        while self.take("OR") {
            met |= self.all()?;
        }
        Ok(met)
    }

    fn all(&mut self) -> Result<bool> {
        let mut met = self.one()?;
        while self.take("AND") {
            met &= self.one()?;
        }
        Ok(met)
    }

    fn one(&mut self) -> Result<bool> {
        if self.take("(") {
            let met = self.any()?;
            if !self.take(")") {
                bail!("a licence expression lacks its )");
            }
            return Ok(met);
        }
        let Some((name, rest)) = self.words.split_first() else {
            bail!("a licence expression ends too early");
        };
        self.words = rest;
        let mut name = (*name).to_owned();
        if self.take("WITH") {
            let Some((exception, rest)) = self.words.split_first() else {
                bail!("a licence expression ends after WITH");
            };
            name = format!("{name} WITH {exception}");
            self.words = rest;
        }
        Ok(self.licenses.contains(&name))
    }

    fn take(&mut self, word: &str) -> bool {
        let here = self.words.first() == Some(&word);
        if here {
            self.words = &self.words[1..];
        }
        here
    }
}

#[cfg(test)]
mod tests {
    use super::allowed;

    #[test]
    fn expressions_are_met_or_not() {
        let licenses = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
        let met = |expression| allowed(expression, &licenses).unwrap();
        assert!(met("MIT"));
        assert!(met("GPL-2.0 OR MIT"));
        assert!(met("GPL-2.0/MIT"));
        assert!(met("ISC AND (MIT OR OpenSSL)"));
        assert!(met("Apache-2.0 WITH LLVM-exception"));
        assert!(!met("Apache-2.0"));
        assert!(!met("MIT AND OpenSSL"));
        assert!(!met("(GPL-2.0 OR OpenSSL) AND MIT"));
    }

    #[test]
    fn broken_expressions_are_errors() {
        for broken in ["", "MIT OR", "(MIT", "MIT MIT", "MIT WITH"] {
            assert!(allowed(broken, &[]).is_err(), "{broken}");
        }
    }
}
