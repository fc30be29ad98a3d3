/// The sign-in page, in the shape of `core/lib/pages/signin.tsx`.
pub(super) fn sign_in(base: &str, csrf: &str, callback: &str, error: Option<&str>) -> String {
    let error = if error.is_some() {
        r#"<p role="alert">Sign in failed. Check the details you provided.</p>"#
    } else {
        ""
    };
    page(
        "Sign In",
        &format!(
            r#"{error}<form action="{base}/callback/credentials" method="POST">
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

/// The sign-out page, in the shape of `core/lib/pages/signout.tsx`.
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
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><style>{STYLE}</style></head>\
         <body><main><h1>{title}</h1>{body}</main></body></html>"
    )
}

const STYLE: &str = "body{font:16px system-ui;background:#f4f4f5;display:grid;place-items:center;min-height:100vh;\
margin:0}main{background:#fff;border-radius:12px;padding:2rem;width:18rem;box-shadow:0 2px 12px #0002}\
label{display:block;margin:.8rem 0}input{width:100%;box-sizing:border-box;padding:.5rem;margin-top:.2rem}\
button{width:100%;padding:.6rem;border:0;border-radius:8px;background:#2563eb;color:#fff;font-size:1rem}\
[role=alert]{color:#b91c1c}";

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
