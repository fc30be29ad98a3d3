//! The sign-in and sign-out pages of the fake.

/// The sign-in page, with the same form fields as that of Auth.js (`docs/authjs.md#pages`).
pub(super) fn sign_in(base: &str, csrf: &str, callback: &str, error: Option<&str>) -> String {
    let error = if error.is_some() {
        r#"<p role="alert">Sign in failed. Check the details you provided.</p>"#
    } else {
        ""
    };
    page(
        "Sign In",
        &format!(
            r#"{error}<p>This is a test server. Its user is <code>demo</code> with the password <code>demo</code>, unless
other users were set up.</p>
<form action="{base}/callback/credentials" method="POST">
<input type="hidden" name="csrfToken" value="{csrf}">
<input type="hidden" name="callbackUrl" value="{callback}">
<label>Username <input name="username" autocomplete="username" autofocus></label>
<label>Password <input name="password" type="password" autocomplete="current-password"></label>
<button type="submit">Sign in</button></form>"#,
            base = escape(base),
            csrf = escape(csrf),
            callback = escape(callback),
        ),
    )
}

/// The sign-out page, with the same form fields as that of Auth.js (`docs/authjs.md#pages`).
pub(super) fn sign_out(base: &str, csrf: &str, callback: &str) -> String {
    page(
        "Sign Out",
        &format!(
            r#"<p>Are you sure you want to sign out?</p><form action="{base}/signout" method="POST">
<input type="hidden" name="csrfToken" value="{csrf}">
<input type="hidden" name="callbackUrl" value="{callback}">
<button type="submit">Sign out</button></form>"#,
            base = escape(base),
            csrf = escape(csrf),
            callback = escape(callback),
        ),
    )
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><style>{STYLE}</style></head>\
         <body><main><h1>{title}</h1>{body}</main></body></html>"
    )
}

/// An inline style, as in Auth.js. Form fields have a font of 16 pixels: phones zoom into smaller ones.
const STYLE: &str = ":root{color-scheme:light dark;--page:#f4f4f5;--card:#fff;--text:#18181b;--line:#71717a;\
--link:#1d4ed8;--on-link:#fff;--error:#b91c1c}\
@media(prefers-color-scheme:dark){:root{--page:#18181b;--card:#27272a;--text:#f4f4f5;--line:#a1a1aa;\
--link:#93c5fd;--on-link:#172554;--error:#fca5a5}}\
*{box-sizing:border-box}\
body{font:1rem/1.5 system-ui,sans-serif;background:var(--page);color:var(--text);display:grid;place-items:center;\
min-height:100vh;margin:0;padding:1rem;overflow-wrap:anywhere}\
main{background:var(--card);border-radius:12px;padding:1.5rem;width:min(100%,22rem);box-shadow:0 2px 12px #0003}\
h1{margin:0 0 1rem;font-size:1.5rem}label{display:block;margin:1rem 0}\
input{display:block;width:100%;min-height:2.75rem;margin-top:.25rem;padding:.5rem .75rem;font:inherit;\
border:1px solid var(--line);border-radius:8px;background:var(--card);color:inherit}\
button{width:100%;min-height:2.75rem;border:0;border-radius:8px;background:var(--link);color:var(--on-link);\
font:inherit;font-weight:600;cursor:pointer}\
:focus-visible{outline:3px solid var(--link);outline-offset:2px}\
[role=alert]{color:var(--error)}";

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
