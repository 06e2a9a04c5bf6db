//! How a client in Rust finds its way into a served world: by the variables that it is given.

use std::{env, sync::Arc};

use reqwest::{ClientBuilder, NoProxy, Proxy};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};

/// Trusts the certificate authorities in the file that `SSL_CERT_FILE` names, and no others.
pub fn of_the_environment() -> ClientConfig {
    let mut roots = RootCertStore::empty();
    if let Some(file) = env::var_os("SSL_CERT_FILE") {
        for certificate in CertificateDer::pem_file_iter(file).unwrap() {
            roots.add(certificate.unwrap()).unwrap();
        }
    }
    trusting(roots)
}

/// Trusts `roots` and no others.
pub fn trusting(roots: RootCertStore) -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// Uses the proxies of the environment.
pub fn with_proxies(mut builder: ClientBuilder) -> ClientBuilder {
    let excepted = NoProxy::from_env();
    for (variable, proxy) in [
        ("HTTP_PROXY", Proxy::http as fn(String) -> _),
        ("HTTPS_PROXY", Proxy::https),
    ] {
        if let Ok(url) = env::var(variable) {
            let proxy: Proxy = proxy(url).unwrap();
            builder = builder.proxy(proxy.no_proxy(excepted.clone()));
        }
    }
    builder
}
