//! `options!`: generates everything that follows from the table of options.

/// Generates from one row for each option:
///
/// - [`OptionKey`](crate::OptionKey) with its key, block, shape, example and hints;
/// - [`Draft`](crate::Draft): a field, the text entry (`set`), the entry for variables (`set_later`) and a typed entry
///   (a method named after the field);
/// - [`Settings`](crate::Settings): a field for each row with a default, and the fields listed under `derived`;
/// - the macro `typed_options!`, which the builder calls for one method for each row.
///
/// A row is one of
///
/// ```text
/// Name: Group "key", takes_env, "example", "default", value { field: Rule = RULE, builder_method(Input), };
/// Name: Group "key", takes_env, "example", "default", value { field: Rule = RULE, builder_method(Input), default DEFAULT, };
/// Name: Group "key", takes_env, "example", "default", composite { Shape };
/// ```
///
/// `"default"` is the default in Markdown, for documentation: a value as it would be written, or words.
///
/// A deprecated option has `#[deprecated(note = "what to write instead")]` before its field: the macro and the builder
/// warn about its use.
///
/// `Input` is what the builder method takes: `text`, `list` or a type. The first token is `$`: a macro that generates a
/// macro with parameters needs it as an argument.
macro_rules! options {
    (
        ($d:tt)
        derived { $($(#[doc = $derived_doc:literal])+ $derived:ident: $derived_type:ty,)+ }
        $(
            $name:ident: $group:ident $key:literal, $env:literal, $example:literal, $default_text:literal,
            $(value {
                $(#[doc = $doc:literal])+
                $(#[deprecated(note = $note:literal)])?
                $field:ident: $rule:ty = $rule_value:expr, $method:ident($input:tt), $(default $default:expr,)?
            })?
            $(composite {
                $(#[doc = $composite_doc:literal])+
                $shape:expr
            })?
        ;)+
    ) => {
        /// The name of an option.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum OptionKey {
            $($($(#[doc = $doc])+)? $($(#[doc = $composite_doc])+)? $name,)+
        }

        impl OptionKey {
            /// Every option, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The block that the option is in.
            #[must_use]
            pub fn group(self) -> Group {
                match self { $(Self::$name => Group::$group,)+ }
            }

            /// The key within the block.
            #[must_use]
            pub fn key(self) -> &'static str {
                match self { $(Self::$name => $key,)+ }
            }

            /// How the value is written.
            #[must_use]
            pub fn shape(self) -> Shape {
                match self {
                    $(Self::$name => { $(let rule: $rule = $rule_value; rule.shape())? $($shape)? })+
                }
            }

            /// Whether the value may come from the environment.
            #[must_use]
            pub fn takes_env(self) -> bool {
                match self { $(Self::$name => $env,)+ }
            }

            /// A value for messages, as it would be written.
            #[must_use]
            pub fn example(self) -> &'static str {
                match self { $(Self::$name => $example,)+ }
            }

            /// The default in Markdown: a value as it would be written, or words such as `required`.
            #[must_use]
            pub fn default_text(self) -> &'static str {
                match self { $(Self::$name => $default_text,)+ }
            }

            /// The lines of the documentation. They begin with the full name.
            #[must_use]
            pub fn documentation(self) -> &'static [&'static str] {
                match self {
                    $(Self::$name => &[$($($doc,)+)? $($($composite_doc,)+)?],)+
                }
            }

            /// What to write in place of the option, if it is deprecated.
            #[must_use]
            pub fn deprecated(self) -> Option<&'static str> {
                match self {
                    $($($(Self::$name => Some($note),)?)?)+
                    _ => None,
                }
            }

            /// What to write in place of `text`, if it is another name for a word of this option.
            #[must_use]
            pub fn hint(self, text: &str) -> Option<&'static str> {
                match self {
                    $($(Self::$name => {
                        let rule: $rule = $rule_value;
                        rule.hint(text)
                    })?)+
                    _ => None,
                }
            }
        }

        /// A partial configuration: the values that are set so far. Every value has passed the rule of its option.
        #[derive(Clone, Debug, Default)]
        pub struct Draft {
            $($(pub(crate) $field: Setting<<$rule as Rule>::Value>,)?)+
            /// The names of the extra headers, in lower case.
            pub(crate) headers: Vec<String>,
            /// The secrets, newest first.
            pub(crate) secrets: Vec<Setting<SecretInfo>>,
            pub(crate) webhook_secrets: Vec<Setting<SecretInfo>>,
        }

        impl Draft {
            /// Checks a value that is given as text, and stores it.
            ///
            /// Returns a note for the log if the value is stored in another form than it was written.
            ///
            /// # Errors
            /// When the value breaks the rule of the option. Headers, secrets and `upstream.fetch` have no text form;
            /// see [`add_header`](Self::add_header) and [`add_secret`](Self::add_secret).
            pub fn set(&mut self, option: OptionKey, text: &str) -> Result<Option<&'static str>, InvalidValue> {
                match option {
                    $($(OptionKey::$name => {
                        let rule: $rule = $rule_value;
                        self.$field = Setting::Set(rule.parse(text)?);
                        Ok(rule.note(text))
                    })?)+
                    _ => Err(InvalidValue::new("this option has no text form: call the builder's method that is named after it")),
                }
            }

            /// Records that an option is read from a variable at start, and whether the variable may be unset.
            pub fn set_later(&mut self, option: OptionKey, optional: bool) {
                match option {
                    $($(OptionKey::$name => self.$field = Setting::read_at_start(optional),)?)+
                    OptionKey::Secret => self.secrets.push(Setting::read_at_start(optional)),
                    OptionKey::WebhookSecret => self.webhook_secrets.push(Setting::read_at_start(optional)),
                    _ => {}
                }
            }

            $($(
                $(#[doc = $doc])+
                ///
                /// Checks a typed value and stores it. Returns a note for the log if it is stored in another form than
                /// it was given.
                ///
                /// # Errors
                /// When the value breaks the rule of the option.
                pub fn $field(&mut self, input: <$rule as Rule>::Input) -> Result<Option<&'static str>, InvalidValue> {
                    let rule: $rule = $rule_value;
                    let note = rule.text(&input).and_then(|text| rule.note(text));
                    self.$field = Setting::Set(rule.check(input)?);
                    Ok(note)
                }
            )?)+

            /// Applies the defaults that do not depend on other options.
            pub(crate) fn with_defaults(&self, derived: Derived) -> Settings {
                Settings {
                    $($($($field: self.$field.or(|| $default),)?)?)+
                    $($derived: derived.$derived,)+
                }
            }
        }

        /// A whole configuration with every default applied. Holds no secret and no header value.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Settings {
            $($($(
                #[doc = concat!("See [`OptionKey::", stringify!($name), "`]. Default: `", stringify!($default), "`.")]
                pub $field: <$rule as Rule>::Value,
            )?)?)+
            $($(#[doc = $derived_doc])+ pub $derived: $derived_type,)+
        }

        /// The part of [`Settings`] that follows from several options.
        pub(crate) struct Derived { $(pub(crate) $derived: $derived_type,)+ }

        /// Calls the macro `callback` with one row for each option that has a typed value:
        /// `#[doc] #[deprecated] Name field builder_method input;`, with `#[deprecated]` for a deprecated option only.
        #[doc(hidden)]
        #[macro_export]
        macro_rules! typed_options {
            ($d callback:ident) => {
                $d callback! { $($( $(#[doc = $doc])+ $(#[deprecated(note = $note)])? $name $field $method $input; )?)+ }
            };
        }

        /// The name of each builder method, to compare it with the name of its option.
        #[cfg(test)]
        const BUILDER_METHODS: &[(OptionKey, &str)] = &[$($((OptionKey::$name, stringify!($method)),)?)+];
    };
}

pub(crate) use options;
