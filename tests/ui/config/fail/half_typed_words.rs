use auth_proxy::auth_proxy;

auth_proxy! {
    struct StartOfEnv {
        upstream: { base_url: e },
    }
}

auth_proxy! {
    struct StartOfAWord {
        upstream: { base_url: "http://auth", kind: au, host: u },
        session: { cache: o },
    }
}

auth_proxy! {
    struct StartOfAKey {
        upstream: { base_u },
    }
}

auth_proxy! {
    struct KeyAlone {
        upstream: { base_url },
    }
}

auth_proxy! {
    struct OneLetter {
        upstream: { b },
    }
}

auth_proxy! {
    struct StartOfABlock {
        upst
    }
}

auth_proxy! {
    struct BlockAlone {
        upstream
    }
}

fn main() {}

// first: 5:31 `e`
// advice: none: `b` begins several options
