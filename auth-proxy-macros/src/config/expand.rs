//! Generates the items that a declaration expands to.

use auth_proxy_rules::OptionKey;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Attribute;
use syn::spanned::Spanned;

use super::model::{Block, Declaration, Env, Value};

/// The items of a declaration: types and data only. All code is in the library.
pub(super) fn items(declaration: &Declaration) -> TokenStream {
    let Declaration { krate, attrs, vis, name, user, claims, block } = declaration;
    let docs = if attrs.iter().any(|attr| attr.path().is_ident("doc")) {
        TokenStream::new()
    } else {
        quote!(#[doc = "A login shared with every app behind the same Auth.js server."])
    };
    let user = user.as_ref().map_or_else(|| quote!(#krate::User), ToTokens::to_token_stream);
    let claims = claims.as_ref().map_or_else(|| quote!(#krate::Claims), ToTokens::to_token_stream);
    let spec = spec(declaration);
    let fetch = block.fetch.as_ref().map(|expr| {
        let new = quote_spanned!(expr.span()=> #krate::__private::DynFetch::new(#expr));
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
    quote! {
        #docs
        #(#attrs)*
        #vis struct #name(#krate::Proxy<#name>);

        #impl_attributes
        #[automatically_derived]
        impl #krate::AuthProxy for #name {
            type User = #user;
            type Claims = #claims;
        }

        #impl_attributes
        #[automatically_derived]
        impl #krate::__private::Declared for #name {
            const SPEC: &'static #krate::__private::Spec = #spec;

            fn from_proxy(#inner: #krate::Proxy<Self>) -> Self {
                #name(#inner)
            }

            fn proxy(&self) -> &#krate::Proxy<Self> {
                &self.0
            }

            #fetch
        }

        #impl_attributes
        #[automatically_derived]
        impl #krate::__private::ProxyArgument for #name {}

        #impl_attributes
        #[automatically_derived]
        impl ::core::clone::Clone for #name {
            fn clone(&self) -> Self {
                #name(::core::clone::Clone::clone(&self.0))
            }
        }

        #impl_attributes
        #[automatically_derived]
        impl ::core::fmt::Debug for #name {
            fn fmt(&self, #f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Debug::fmt(&self.0, #f)
            }
        }

        #impl_attributes
        #[automatically_derived]
        impl ::core::ops::Deref for #name {
            type Target = #krate::Proxy<#name>;

            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }

        #impl_attributes
        #[automatically_derived]
        #[allow(dead_code, reason = "a program uses one of the two")]
        impl #name {
            /// Builds the proxy, reading every environment variable that the declaration names.
            ///
            /// # Errors
            ///
            /// Lists every variable that is missing and every value that breaks a rule, by name and
            /// without the values.
            #vis fn from_env() -> ::core::result::Result<Self, #krate::ConfigError> {
                #krate::__private::from_env::<Self>()
            }

            /// Returns a builder that starts from the declaration. Options set on it replace the declared ones.
            #[must_use]
            #vis fn builder() -> #krate::options::Builder<Self> {
                #krate::__private::builder::<Self>()
            }
        }
    }
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

fn spec(declaration: &Declaration) -> TokenStream {
    let Declaration { krate, name, block, .. } = declaration;
    let Block { options, headers, secrets, .. } = block;
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
    quote! {
        &#krate::__private::Spec {
            name: #name,
            options: &[#(#options),*],
            headers: &[#(#headers),*],
            secrets: &[#(#secrets),*],
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
    let default = match default {
        Some(text) => quote!(::core::option::Option::Some(#text)),
        None => quote!(::core::option::Option::None),
    };
    quote! {
        #krate::__private::Value::Env { name: #name, default: #default, optional: #optional }
    }
}

/// The name of the variant, as `Debug` writes it.
fn variant(option: OptionKey) -> Ident {
    Ident::new(&format!("{option:?}"), Span::call_site())
}
