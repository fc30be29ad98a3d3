/// What a `Set-Cookie` does to the session cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetCookieKind {
    /// Takes it away: an empty value, or no time to live.
    Clears,
    /// Sets it, or one of its chunks.
    Sets,
}

/// Whether a `Set-Cookie` value concerns the session cookie of this name, or one of its chunks.
pub(crate) fn is_session_cookie(set_cookie: &[u8], name: &str) -> Option<SetCookieKind> {
    let mut parts = set_cookie.split(|byte| *byte == b';');
    let pair = parts.next()?.trim_ascii();
    let equals = pair.iter().position(|byte| *byte == b'=')?;
    let (key, value) = pair.split_at(equals);
    let suffix = key.trim_ascii_end().strip_prefix(name.as_bytes())?;
    let is_ours = suffix.is_empty()
        || suffix.strip_prefix(b".").is_some_and(|n| !n.is_empty() && n.iter().all(u8::is_ascii_digit));
    if !is_ours {
        return None;
    }
    let empty = value.strip_prefix(b"=").is_none_or(|value| value.trim_ascii().is_empty());
    Some(if empty || parts.any(is_spent) { SetCookieKind::Clears } else { SetCookieKind::Sets })
}

/// `Max-Age` of zero or less (RFC 6265, section 5.2.2).
fn is_spent(attribute: &[u8]) -> bool {
    let mut parts = attribute.splitn(2, |byte| *byte == b'=');
    let name = parts.next().unwrap_or_default().trim_ascii();
    let value = parts.next().unwrap_or_default().trim_ascii();
    name.eq_ignore_ascii_case(b"max-age") && (value.starts_with(b"-") || value == b"0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_setting_from_clearing() {
        let kind = |text: &str| is_session_cookie(text.as_bytes(), "s");
        for text in ["s=", "s=; Path=/", "s=x; max-age=0", "s=x; Max-Age = -1", "s.2=; Path=/"] {
            assert_eq!(kind(text), Some(SetCookieKind::Clears), "{text}");
        }
        for text in ["s=x", "s=x; Path=/; Max-Age=10", "s.0=x; Path=/", "s =x"] {
            assert_eq!(kind(text), Some(SetCookieKind::Sets), "{text}");
        }
        for text in ["", "s", "t=x", "ss=x", "s.x=1", "s.=1", "=s"] {
            assert_eq!(kind(text), None, "{text}");
        }
    }
}
