//! What readers get.

use std::collections::{BTreeMap, BTreeSet};

use outrigger_kernel::Timestamp;

use super::{Catalogue, Language, Reader, Saying, Variables, formats};

fn variables() -> Variables {
    let until = Timestamp::parse("2026-01-31T12:00:00Z").unwrap();
    Variables::from([("until".to_owned(), until.into())])
}

fn reader() -> Reader {
    Reader { time_zone: Some("Asia/Jakarta".to_owned()), ..Reader::default() }
}

#[test]
fn what_a_variable_holds_cannot_leave_its_place() {
    let catalogue = Catalogue::new("<b>Shop</b> & Co").unwrap();
    let variables = variables();
    let link = "https://example.com/?a=1&b=\"2\"";
    let saying = Saying { message: "reset-password", variables: &variables, link: Some(link) };
    let name = Some("<script>alert('x')</script>".to_owned());
    let said = catalogue.render(&saying, &Reader { name, ..reader() }, None).unwrap();
    assert!(!said.html.contains("<script>") && !said.html.contains("<b>"), "{}", said.html);
    assert!(said.html.contains("href=\"https://example.com/?a=1&amp;b=&quot;2&quot;\""));
    assert!(said.text.contains(link), "{}", said.text);
    assert!(said.text.starts_with("Hello <script>"), "the text part is plain");
}

#[test]
fn a_subject_is_one_line_whatever_stands_in_it() {
    let catalogue = Catalogue::new("Shop\r\nBcc: all@example.com").unwrap();
    let variables = variables();
    let saying = Saying { message: "reset-password", variables: &variables, link: None };
    let said = catalogue.render(&saying, &reader(), None).unwrap();
    assert!(!said.subject.contains(['\r', '\n']), "{:?}", said.subject);
}

#[test]
fn a_missing_variable_and_an_unknown_message_are_named() {
    let catalogue = Catalogue::new("Shop").unwrap();
    let saying = Saying { message: "reset-password", variables: &Variables::new(), link: None };
    let error = catalogue.render(&saying, &reader(), None).unwrap_err();
    assert!(error.fields()[0].message.contains("until"), "{error}");
    let variables = variables();
    for unknown in ["no-such", "greeting", "", "reset-password.text"] {
        let saying = Saying { message: unknown, variables: &variables, link: None };
        let error = catalogue.render(&saying, &reader(), None).unwrap_err();
        assert_eq!(error.fields()[0].code, "unknown_message", "{unknown}");
    }
}

/// The rules differ in the order of parts, the words, the clock, the era and the spaces, and they
/// change a little with each release of CLDR: what must not change is what is looked for.
#[test]
fn instants_and_amounts_are_told_as_the_reader_is_used_to_them() {
    let at = Timestamp::parse("2026-01-31T12:00:00Z").unwrap();
    for (locale, zone, time, currency, amount) in [
        ("en-US", "America/New_York", "January 31, 2026 at 7:00 AM GMT-5", "USD", "$1,234,567.50"),
        ("en-GB", "Europe/London", "31 January 2026 at 12:00 GMT", "GBP", "£1,234,567.50"),
        ("id-ID", "Asia/Jakarta", "31 Januari 2026 pukul 19.00 GMT+7", "IDR", "Rp 1.234.568"),
        (
            "ms",
            "Asia/Kuala_Lumpur",
            "31 Januari 2026 pada 8:00 PTG GMT+8",
            "MYR",
            "RM 1,234,567.50",
        ),
        ("th", "Asia/Bangkok", "31 มกราคม 2569 เวลา 19:00 GMT+7", "THB", "฿1,234,567.50"),
        ("vi", "Asia/Ho_Chi_Minh", "lúc 19:00 GMT+7 31 tháng 1 2026", "VND", "1.234.568 ₫"),
        ("tl", "Asia/Manila", "Enero 31, 2026 nang 8:00 PM GMT+8", "PHP", "₱1,234,567.50"),
        ("zh-CN", "Asia/Shanghai", "2026年1月31日 GMT+8 20:00", "CNY", "¥1,234,567.50"),
    ] {
        let reader = Reader {
            locale: Some(locale.to_owned()),
            time_zone: Some(zone.to_owned()),
            ..Reader::default()
        };
        let spaced = |text: String| text.replace(['\u{a0}', '\u{202f}'], " ");
        let told = spaced(formats::time(at, &reader).unwrap());
        assert!(told.starts_with(time), "{locale}: {told}");
        let told = spaced(formats::amount("1234567.5", currency, &reader).unwrap());
        assert_eq!(told, amount, "{locale}");
    }
}

#[test]
fn what_is_no_amount_is_refused() {
    for (amount, currency) in
        [("", "EUR"), ("1,5", "EUR"), ("x", "EUR"), ("1", "euro"), ("1", "eur"), ("1", "")]
    {
        let error = formats::amount(amount, currency, &Reader::default()).unwrap_err();
        assert_eq!(error.fields()[0].loc, ["body", "variables"], "{amount} {currency}");
    }
    assert!(formats::amount(&"1".repeat(41), "EUR", &Reader::default()).is_err());
}

/// What a file says: its messages and their parts, and which variables stand in each.
fn shape(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    let mut shape = BTreeMap::new();
    let mut message = String::new();
    for line in language.source().lines().filter(|line| !line.starts_with('#')) {
        let Some((name, words)) = line.split_once(" =") else { continue };
        let part = name.trim();
        if !name.starts_with(' ') {
            part.clone_into(&mut message);
        }
        let place = if part == message { part.to_owned() } else { format!("{message}{part}") };
        let variables = words.split("{ $").skip(1).filter_map(|rest| rest.split(' ').next());
        shape.insert(place, variables.map(ToOwned::to_owned).collect());
    }
    shape
}

#[test]
fn all_languages_have_the_same_messages_with_the_same_variables() {
    let english = shape(Language::English);
    assert!(english.len() > 15 && english["verify-email.note"].contains("until"));
    for language in Language::ALL {
        assert_eq!(shape(language), english, "{}.ftl", language.tag());
    }
}

#[test]
fn a_locale_leads_to_its_language_and_an_unknown_one_to_english() {
    for (locale, tag) in [
        ("id", "id"),
        ("zh-Hans-SG", "zh"),
        ("VI-vn", "vi"),
        ("fil-PH", "tl"),
        ("de-AT", "en"),
        ("", "en"),
    ] {
        assert_eq!(Language::of(Some(locale)).tag(), tag, "{locale}");
    }
    assert_eq!(Language::of(None), Language::English);
}

#[test]
fn each_language_says_each_message() {
    let catalogue = Catalogue::new("Shop").unwrap();
    let mut variables = variables();
    let at = Timestamp::parse("2026-01-31T12:00:00Z").unwrap();
    variables.insert("time".to_owned(), at.into());
    variables.insert("title".to_owned(), "A title".into());
    variables.insert("text".to_owned(), "A text".into());
    let mut subjects = BTreeSet::new();
    for language in Language::ALL {
        let locale = Some(language.tag().to_owned());
        let reader = Reader { locale, name: Some("Ann".to_owned()), ..reader() };
        for message in ["verify-email", "reset-password", "password-changed", "notice"] {
            let saying =
                Saying { message, variables: &variables, link: Some("https://example.com/x") };
            let said = catalogue.render(&saying, &reader, None).unwrap();
            assert_eq!(said.language, language);
            assert!(said.text.contains("Ann") && said.text.contains("Shop"), "{}", said.text);
            assert!(said.html.contains(&format!("lang=\"{}\"", language.tag())));
            subjects.insert(said.subject);
        }
    }
    assert_eq!(subjects.len(), 3 * 7 + 1, "each language has its own words: {subjects:?}");
}
