//! The trace context of requests to the upstream (W3C Trace Context).

use std::sync::Arc;

use http::HeaderMap;

/// Writes the headers of the current span's context.
pub(crate) type Inject = Arc<dyn Fn(&mut HeaderMap) + Send + Sync>;

/// The headers of a client that name its own trace.
const OF_CLIENTS: [&str; 2] = ["traceparent", "tracestate"];

/// The app's function for the trace context of a request, if it has one.
#[derive(Clone, Default)]
pub(crate) struct TraceContext(Option<Inject>);

impl TraceContext {
    pub(crate) fn new(inject: Option<Inject>) -> Self {
        Self(inject)
    }

    /// Writes the context of the current span into a request, in place of that of the client.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let Some(inject) = &self.0 else { return };
        let mut own = HeaderMap::new();
        inject(&mut own);
        for name in OF_CLIENTS {
            headers.remove(name);
        }
        for (name, value) in &own {
            headers.insert(name, value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn context_of_a_client_is_replaced_where_the_app_has_its_own() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            pairs
                .iter()
                .map(|(n, v)| (n.parse().unwrap(), HeaderValue::from_static(v)))
                .collect::<HeaderMap>()
        };
        let sent = [("traceparent", "client"), ("tracestate", "client"), ("cookie", "a=b")];
        for (own, expected) in [
            (None, &sent[..]),
            (Some(&[][..]), &[("cookie", "a=b")]),
            (Some(&[("traceparent", "own")]), &[("cookie", "a=b"), ("traceparent", "own")]),
        ] {
            let own = own.map(headers);
            let inject = own.map(|own| -> Inject { Arc::new(move |headers| headers.extend(own.clone())) });
            let mut request = headers(&sent);
            TraceContext::new(inject).write(&mut request);
            assert_eq!(request, headers(expected));
        }
    }
}
