use auth_proxy::auth_proxy;

auth_proxy! {
    export struct One { upstream: { base_url: "http://auth" } }
}

auth_proxy! {
    export default class Two { upstream: { base_url: "http://auth" } }
}

auth_proxy! {
    interface Three { upstream: { base_url: "http://auth" } }
}

fn main() {}

// first: 4:5 `export`
