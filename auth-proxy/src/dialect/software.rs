//! [`Software`]: the server software that an upstream runs in.

use http::HeaderMap;
use http::header::VARY;

/// The server software at the upstream, as its response headers show. Used for warnings only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Software {
    NextJs,
    Express,
    Unknown,
}

impl Software {
    /// Next.js 16 sends `X-Powered-By` with pages only. The `Vary` of its route handlers names headers of its router.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let contains = |name: &str, word: &str| {
            headers
                .get_all(name)
                .iter()
                .filter_map(|value| value.to_str().ok())
                .any(|value| value.contains(word))
        };
        if contains("x-powered-by", "Next.js") || contains(VARY.as_str(), "next-router-state-tree") {
            Self::NextJs
        } else if contains("x-powered-by", "Express") {
            Self::Express
        } else {
            Self::Unknown
        }
    }

    /// The name of the software in a log message.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NextJs => "Next.js",
            Self::Express => "Express",
            Self::Unknown => "the upstream",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_is_recognised_by_its_headers() {
        for (name, value, software) in [
            ("x-powered-by", "Next.js", Software::NextJs),
            ("vary", "rsc, next-router-state-tree, next-router-prefetch, Accept-Encoding", Software::NextJs),
            ("x-powered-by", "Express", Software::Express),
            ("x-powered-by", "PHP/8", Software::Unknown),
            ("vary", "Accept-Encoding", Software::Unknown),
        ] {
            let headers = [(name.parse().unwrap(), value.parse().unwrap())].into_iter().collect();
            assert_eq!(Software::of(&headers), software, "{name}: {value}");
        }
    }
}
