//! Reading what `/metrics` shows.

/// One line of the metrics: a name, labels, a value.
pub(crate) struct Sample<'a> {
    pub(crate) name: &'a str,
    labels: &'a str,
    pub(crate) value: f64,
}

impl<'a> Sample<'a> {
    /// All of a text.
    pub(crate) fn all(text: &'a str) -> impl Iterator<Item = Self> {
        text.lines().filter(|line| !line.starts_with('#')).filter_map(Self::parse)
    }

    fn parse(line: &'a str) -> Option<Self> {
        let (series, value) = line.rsplit_once(' ')?;
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        Some(Self { name, labels, value: value.parse().ok()? })
    }

    /// Name and value of each label. Our own labels hold no quotes.
    fn labels(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let mut rest = self.labels;
        std::iter::from_fn(move || {
            let (name, after) = rest.split_once("=\"")?;
            let (value, after) = after.split_once('"')?;
            rest = after;
            Some((name.trim_start_matches(','), value))
        })
    }

    /// The value of a label; empty when it has none.
    pub(crate) fn label(&self, name: &str) -> &'a str {
        self.labels().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }
}
