//! Declares two services with one method each. With a `.proto` file, `tonic_prost_build::compile_protos` takes the place of
//! this.

use tonic_build::manual::{Builder, Method, Service};

fn service(name: &str, method: &str, route: &str) -> Service {
    let method = Method::builder()
        .name(method)
        .route_name(route)
        .input_type("crate::Nothing")
        .output_type("crate::Text")
        .codec_path("tonic_prost::ProstCodec")
        .build();
    Service::builder().name(name).package("example").method(method).build()
}

fn main() {
    Builder::new().compile(&[service("Greeter", "hello", "Hello"), service("Reports", "figures", "Figures")]);
}
