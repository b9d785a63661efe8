//! The languages that messages are written in.

/// A language with a file of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English, which every other falls back to.
    English,
    /// Indonesian.
    Indonesian,
    /// Malay.
    Malay,
    /// Thai.
    Thai,
    /// Vietnamese.
    Vietnamese,
    /// Tagalog.
    Tagalog,
    /// Chinese, in simplified characters.
    Chinese,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::English,
        Self::Indonesian,
        Self::Malay,
        Self::Thai,
        Self::Vietnamese,
        Self::Tagalog,
        Self::Chinese,
    ];

    /// The subtag of BCP 47.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Indonesian => "id",
            Self::Malay => "ms",
            Self::Thai => "th",
            Self::Vietnamese => "vi",
            Self::Tagalog => "tl",
            Self::Chinese => "zh",
        }
    }

    /// The messages, in Fluent.
    pub(super) fn source(self) -> &'static str {
        match self {
            Self::English => include_str!("en.ftl"),
            Self::Indonesian => include_str!("id.ftl"),
            Self::Malay => include_str!("ms.ftl"),
            Self::Thai => include_str!("th.ftl"),
            Self::Vietnamese => include_str!("vi.ftl"),
            Self::Tagalog => include_str!("tl.ftl"),
            Self::Chinese => include_str!("zh.ftl"),
        }
    }

    /// The names of the messages: what stands at the beginning of a line, with parts below it.
    pub(crate) fn messages(self) -> impl Iterator<Item = &'static str> {
        self.source().lines().filter_map(|line| line.strip_suffix(" ="))
    }

    /// The language of a locale; English when its own is not there.
    pub fn of(locale: Option<&str>) -> Self {
        let subtag = locale.unwrap_or_default().split('-').next().unwrap_or_default();
        // Filipino is Tagalog as it is written in offices.
        let subtag = if subtag.eq_ignore_ascii_case("fil") { "tl" } else { subtag };
        let is_it = |language: &Self| language.tag().eq_ignore_ascii_case(subtag);
        Self::ALL.into_iter().find(is_it).unwrap_or(Self::English)
    }
}
