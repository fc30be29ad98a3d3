//! Generates the items that a declaration expands to.

use auth_proxy_rules::{Draft, OptionKey};
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, LitStr, Meta};

use super::model::{Block, Declaration, Env, Value};
use super::{docs, variables as read_variables};
use crate::caller::is_editor;

/// The items of a declaration: types and data only. All code is in the library. `known` has the values that are known at
/// compile time.
pub(super) fn items(declaration: &Declaration, known: &Draft) -> TokenStream {
    let Declaration { krate, attrs, vis, name, block, .. } = declaration;
    let docs = (!attrs.iter().any(has_text))
        .then(|| quote!(#[doc = "A login shared with every app behind the same Auth.js server."]));
    let configuration = docs::configuration(block, known);
    let variables = variables(declaration);
    let types = types(declaration);
    let spec = spec(declaration);
    let fetch = block.fetch.as_ref().map(|expr| {
        let span = if is_editor() { Span::call_site() } else { expr.span() };
        let new = quote_spanned!(span=> #krate::__private::DynFetch::new(#expr));
        quote! {
            fn fetch() -> ::core::option::Option<#krate::__private::DynFetch> {
                ::core::option::Option::Some(#new)
            }
        }
    });
    // The names are long because a pattern with the name of a constant in the user's scope refers to that constant,
    // even with `Span::mixed_site`.
    let inner = Ident::new("__auth_proxy_inner", Span::mixed_site());
    let f = Ident::new("__auth_proxy_f", Span::mixed_site());
    let impl_attributes = impl_attributes(attrs);
    // If the name is taken, rustc points at the struct, at the headers of the impls and at the field, from the first
    // token of each to the last. These tokens have the place of the name, so that no error covers the whole block. The
    // struct has the span of the name itself, so that rustc leaves out its note about the macro. The impls, paths and
    // `self` have the place only: with the span itself they would be resolved in the user's code.
    // An editor takes each token at a place for a part of what is defined there: the generated tokens have no place.
    let name_span = if is_editor() { Span::call_site() } else { name.span() };
    let at_name = Span::call_site().located_at(name_span);
    let struct_token = quote_spanned!(name_span=> struct);
    let parentheses = |inside| {
        let mut group = Group::new(Delimiter::Parenthesis, inside);
        group.set_span(name_span);
        group
    };
    let fields = parentheses(quote!(#krate::Proxy<#name>));
    let end = quote_spanned!(name_span=> ;);
    let impl_token = quote_spanned!(at_name=> impl);
    let fn_token = quote_spanned!(at_name=> fn);
    let from_env_result = quote_spanned!(at_name=> ::core::result::Result<Self, #krate::ConfigError>);
    let builder_result = quote_spanned!(at_name=> #krate::options::Builder<Self>);
    let text = quote_spanned!(at_name=> ::std::string::String);
    let this = quote_spanned!(at_name=> Self);
    let field = quote_spanned!(at_name=> self.0);
    // Where an editor goes for the definition of a generated function: a word with no definition of its own.
    let method_span = if is_editor() { declaration.keyword.span } else { at_name };
    let [from_env, builder, env_example, variables_name] =
        ["from_env", "builder", "env_example", "VARIABLES"].map(|name| Ident::new(name, method_span));
    let variables_item = quote_spanned! {at_name=>
        const #variables_name: &'static [#krate::options::Variable] =
            <Self as #krate::__private::Declared>::VARIABLES;
    };
    let from_inner = parentheses(quote!(#inner));
    let from_clone = parentheses(quote!(::core::clone::Clone::clone(&#field)));
    quote! {
        #docs
        #(#attrs)*
        #[doc = #configuration]
        #vis #struct_token #name #fields #end

        #impl_attributes
        #[automatically_derived]
        #impl_token #krate::AuthProxy for #name {
            #types
        }

        #impl_attributes
        #[automatically_derived]
        #impl_token #krate::__private::Declared for #name {
            const SPEC: &'static #krate::__private::Spec = #spec;
            const VARIABLES: &'static [#krate::options::Variable] = &[#(#variables),*];

            fn from_proxy(#inner: #krate::Proxy<Self>) -> #this {
                #name #from_inner
            }

            fn proxy(&self) -> &#krate::Proxy<Self> {
                &#field
            }

            #fetch
        }

        #impl_attributes
        #[automatically_derived]
        #impl_token #krate::__private::ProxyArgument for #name {}

        #impl_attributes
        #[automatically_derived]
        #impl_token ::core::clone::Clone for #name {
            fn clone(&self) -> #this {
                #name #from_clone
            }
        }

        #impl_attributes
        #[automatically_derived]
        #impl_token ::core::fmt::Debug for #name {
            fn fmt(&self, #f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Debug::fmt(&#field, #f)
            }
        }

        #impl_attributes
        #[automatically_derived]
        #impl_token ::core::ops::Deref for #name {
            type Target = #krate::Proxy<#name>;

            fn deref(&self) -> &Self::Target {
                &#field
            }
        }

        #impl_attributes
        #[automatically_derived]
        impl #name {
            /// The environment variables that [`from_env`](Self::from_env) reads, with the options that they set.
            #vis #variables_item

            /// The text of a `.env.example` with the variables of [`VARIABLES`](Self::VARIABLES): what each is for,
            /// whether it is required, and its default.
            #[must_use]
            #vis #fn_token #env_example() -> #text {
                #krate::__private::env_example::<Self>()
            }

            /// Builds the proxy, reading every environment variable that the declaration names.
            ///
            /// # Errors
            ///
            /// Lists every variable that is missing and every value that breaks a rule, by name and
            /// without the values.
            #vis #fn_token #from_env() -> #from_env_result {
                #krate::__private::from_env::<Self>()
            }

            /// Returns a builder that starts from the declaration. Options set on it replace the declared ones.
            #[must_use]
            #vis #fn_token #builder() -> #builder_result {
                #krate::__private::builder::<Self>()
            }
        }
    }
}

/// Whether the attribute gives the type a documentation of its own, as `///` does and `#[doc(alias = "..")]` does not.
fn has_text(attr: &Attribute) -> bool {
    attr.path().is_ident("doc") && matches!(attr.meta, Meta::NameValue(_))
}

/// The associated types. An error about a type, such as that it is private, points at the type in the declaration.
fn types(declaration: &Declaration) -> TokenStream {
    let Declaration { krate, user, claims, .. } = declaration;
    let user = match user {
        Some(user) => quote_spanned!(user.span()=> type User = #user;),
        None => quote!(type User = #krate::User;),
    };
    let claims = match claims {
        Some(claims) => quote_spanned!(claims.span()=> type Claims = #claims;),
        None => quote!(type Claims = #krate::Claims;),
    };
    quote!(#user #claims)
}

/// The attributes of the declaration that its `impl` blocks need too.
fn impl_attributes(attrs: &[Attribute]) -> TokenStream {
    let mut tokens = TokenStream::new();
    for attr in attrs {
        if attr.path().is_ident("cfg") {
            attr.to_tokens(&mut tokens);
        } else if attr.path().is_ident("deprecated") {
            // The generated impls of a `#[deprecated]` proxy must not warn about it.
            tokens.extend(quote!(#[allow(deprecated)]));
        }
    }
    tokens
}

/// The entries of `VARIABLES`. The default of a header is not among them, since it may be a key.
fn variables(declaration: &Declaration) -> Vec<TokenStream> {
    let Declaration { krate, block, .. } = declaration;
    let entry = |(env, option): (&Env, String)| {
        let Env { name, default, optional, .. } = env;
        let is_required = default.is_none() && !optional;
        let is_header = option.starts_with(&format!("{}[", OptionKey::Headers));
        let default = option_of(default.as_ref().filter(|_| !is_header));
        quote!(#krate::options::Variable::new(#name, #option, #is_required, #default))
    };
    read_variables::of(block).into_iter().map(entry).collect()
}

fn spec(declaration: &Declaration) -> TokenStream {
    let Declaration { krate, name, block, .. } = declaration;
    let Block { options, headers, secrets, webhook_secrets, .. } = block;
    let name = name.to_string();
    let options = options.iter().filter_map(|entry| {
        let option = variant(entry.option);
        let value = value(krate, entry.value.as_ref()?);
        Some(quote!((#krate::__private::OptionKey::#option, #value)))
    });
    let headers = headers.iter().filter_map(|header| {
        let name = &header.name;
        let value = value(krate, header.value.as_ref()?);
        Some(quote!((#name, #value)))
    });
    let secrets = secrets.iter().map(|secret| env(krate, secret));
    let webhook_secrets = webhook_secrets.iter().map(|secret| env(krate, secret));
    quote! {
        &#krate::__private::Spec {
            name: #name,
            options: &[#(#options),*],
            headers: &[#(#headers),*],
            secrets: &[#(#secrets),*],
            webhook_secrets: &[#(#webhook_secrets),*],
        }
    }
}

fn value(krate: &TokenStream, value: &Value) -> TokenStream {
    match value {
        Value::Literal { text, .. } => quote!(#krate::__private::Value::Literal(#text)),
        Value::Env(found) => env(krate, found),
    }
}

fn env(krate: &TokenStream, env: &Env) -> TokenStream {
    let Env { name, default, optional, .. } = env;
    let default = option_of(default.as_ref());
    quote! {
        #krate::__private::Value::Env { name: #name, default: #default, optional: #optional }
    }
}

fn option_of(text: Option<&LitStr>) -> TokenStream {
    match text {
        Some(text) => quote!(::core::option::Option::Some(#text)),
        None => quote!(::core::option::Option::None),
    }
}

/// The name of the variant, as `Debug` writes it.
fn variant(option: OptionKey) -> Ident {
    Ident::new(&format!("{option:?}"), Span::call_site())
}
