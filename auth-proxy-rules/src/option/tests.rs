//! Tests of the table of options.

use super::*;

#[test]
fn full_option_names_are_unique() {
    let mut names: Vec<String> = OptionKey::ALL.iter().map(ToString::to_string).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), OptionKey::ALL.len());
    assert_eq!(OptionKey::find(Group::Upstream, "base_path"), Some(OptionKey::UpstreamBasePath));
    assert_eq!(OptionKey::find(Group::Top, "base_url"), None);
}

#[test]
fn builder_methods_are_named_after_the_full_option() {
    for (option, method) in BUILDER_METHODS {
        // `session_store` takes a store of the app's own.
        let expected = match option {
            OptionKey::Store => "session_store_url".to_owned(),
            _ => option.to_string().replace('.', "_"),
        };
        assert_eq!(expected, *method);
    }
    // Headers, both kinds of secrets and the client have methods of their own.
    assert_eq!(BUILDER_METHODS.len() + 4, OptionKey::ALL.len());
}

#[test]
fn example_of_each_option_passes_its_rule() {
    for option in OptionKey::ALL {
        let text = match option.shape() {
            Shape::Headers
            | Shape::Secret
            | Shape::Store
            | Shape::Expression
            | Shape::List
            | Shape::Names => continue,
            _ if option.example().starts_with("env(") => continue,
            _ => option.example().trim_matches('"'),
        };
        assert_eq!(Draft::default().set(*option, text).map(|_| ()), Ok(()), "{option}: {text}");
    }
}

#[test]
fn documentation_of_each_option_begins_with_its_name() {
    for option in OptionKey::ALL {
        let text = option.documentation().concat();
        assert!(text.starts_with(&format!(" `{option}`: ")) && text.ends_with('.'), "{text}");
    }
}

#[test]
fn text_and_typed_value_give_the_same_setting() {
    let (mut text, mut typed) = (Draft::default(), Draft::default());
    text.set(OptionKey::Timeout, "1500ms").unwrap();
    typed.timeout(Duration::from_millis(1500)).unwrap();
    assert_eq!(text.timeout, typed.timeout);
    text.set(OptionKey::Hosts, "a, b").unwrap();
    typed.hosts(vec!["a".to_owned(), "b".to_owned()]).unwrap();
    assert_eq!(text.hosts, typed.hosts);
    assert_eq!(text.set(OptionKey::BasePath, "/a/"), typed.base_path("/a/".to_owned()));
    assert_eq!(text.base_path, Setting::Set("/a".to_owned()));
    assert_eq!(text.base_path, typed.base_path);
    assert!(typed.timeout(Duration::ZERO).is_err() && text.set(OptionKey::Timeout, "off").is_err());
}

#[test]
fn headers_secret_and_fetch_cannot_be_set_as_text() {
    for option in [OptionKey::Headers, OptionKey::Secret, OptionKey::WebhookSecret, OptionKey::Fetch] {
        assert!(Draft::default().set(option, "a").is_err(), "{option}");
    }
}
