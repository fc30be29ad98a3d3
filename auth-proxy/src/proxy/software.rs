use http::HeaderMap;
use http::header::VARY;

/// What answers at the upstream, as far as its headers tell: only for what is said in warnings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Software {
    NextJs,
    Express,
    Unknown,
}

impl Software {
    /// Next.js 16 has `X-Powered-By` on pages only; its route handlers vary by the headers of its router.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let says = |name: &str, word: &str| {
            headers
                .get_all(name)
                .iter()
                .filter_map(|value| value.to_str().ok())
                .any(|value| value.contains(word))
        };
        if says("x-powered-by", "Next.js") || says(VARY.as_str(), "next-router-state-tree") {
            Self::NextJs
        } else if says("x-powered-by", "Express") {
            Self::Express
        } else {
            Self::Unknown
        }
    }

    /// Its name in a sentence.
    pub(super) fn name(self) -> &'static str {
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
    fn by_its_headers() {
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
