//! The trace context of requests to the upstream: W3C Trace Context and Baggage, B3 of Zipkin, or that of Jaeger.

use std::sync::Arc;

use http::HeaderMap;

/// Writes the headers of the current span's context.
pub(crate) type Inject = Arc<dyn Fn(&mut HeaderMap) + Send + Sync>;

/// The headers with which a client names its own trace, has it sampled, or adds values to it: those of the propagators of
/// OpenTelemetry (<https://opentelemetry.io/docs/specs/otel/context/api-propagators/#propagators-distribution>).
const OF_CLIENTS: [&str; 10] = [
    "traceparent",
    "tracestate",
    "baggage",
    "b3",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-flags",
    "uber-trace-id",
];

/// How the headers of Jaeger with values begin.
const OF_CLIENTS_PREFIX: &str = "uberctx-";

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
        let prefixed = headers.keys().filter(|name| name.as_str().starts_with(OF_CLIENTS_PREFIX));
        for name in prefixed.cloned().collect::<Vec<_>>() {
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
        let sent = [
            ("traceparent", "client"),
            ("tracestate", "client"),
            ("baggage", "user=admin"),
            ("b3", "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1"),
            ("x-b3-traceid", "80f198ee56343ba864fe8b2a57d3eff7"),
            ("x-b3-spanid", "e457b5a2e4d86bd1"),
            ("x-b3-parentspanid", "05e3ac9a4f6e3b90"),
            ("x-b3-sampled", "1"),
            ("x-b3-flags", "1"),
            ("uber-trace-id", "80f198ee56343ba864fe8b2a57d3eff7:e457b5a2e4d86bd1:0:1"),
            ("uberctx-user", "admin"),
            ("cookie", "a=b"),
        ];
        for (own, expected) in [
            (None, &sent[..]),
            (Some(&[][..]), &[("cookie", "a=b")]),
            (Some(&[("traceparent", "own")]), &[("cookie", "a=b"), ("traceparent", "own")]),
            (Some(&[("b3", "own")]), &[("cookie", "a=b"), ("b3", "own")]),
        ] {
            let own = own.map(headers);
            let inject = own.map(|own| -> Inject { Arc::new(move |headers| headers.extend(own.clone())) });
            let mut request = headers(&sent);
            TraceContext::new(inject).write(&mut request);
            assert_eq!(request, headers(expected));
        }
    }
}
