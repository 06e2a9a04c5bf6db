//! TLS as a request asks for it: which certificates are accepted, and under which name the peer is
//! reached.

use std::{error::Error as StdError, fmt, io, sync::Arc};

use ::reqwest as rq;
use ring::digest;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore,
    SignatureScheme,
    client::{
        WantsClientCert,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use url::{Host, Url};

use crate::platform::{Authorities, HttpRequest, TransportError, TransportErrorKind, Trust};

/// A TLS configuration for peers that `trust` accepts.
pub(super) fn config(trust: &Trust) -> Result<ClientConfig, TransportError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let unusable = |kind| {
        move |error: rustls::Error| {
            let message = format!("the HTTP client cannot be built: {error}");
            TransportError::new(kind, message)
        }
    };
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(unusable(TransportErrorKind::NoClient))?;
    let builder: rustls::ConfigBuilder<ClientConfig, WantsClientCert> = match trust {
        Trust::System => {
            use rustls_platform_verifier::BuilderVerifierExt as _;
            let builder = builder.with_platform_verifier();
            builder.map_err(unusable(TransportErrorKind::NoClient))?
        }
        Trust::Authority(authorities) => builder.with_root_certificates(roots(authorities)?),
        Trust::Thumbprint(thumbprint) => {
            let verifier = Pinned {
                thumbprint: *thumbprint,
                provider,
            };
            let builder = builder.dangerous();
            builder.with_custom_certificate_verifier(Arc::new(verifier))
        }
    };
    Ok(builder.with_no_client_auth())
}

fn roots(authorities: &Authorities) -> Result<RootCertStore, TransportError> {
    let mut roots = RootCertStore::empty();
    for der in authorities.certificates() {
        let added = roots.add(CertificateDer::from(der.to_vec()));
        added.map_err(|error| {
            TransportError::new(
                TransportErrorKind::Unsupported,
                format!("the certificate of an authority that the request trusts: {error}"),
            )
        })?;
    }
    Ok(roots)
}

/// Accepts the leaf certificate with this SHA-1. The peer proves in the handshake that it has the
/// certificate's key: those signatures are checked as for every peer.
#[derive(Debug)]
struct Pinned {
    thumbprint: [u8; 20],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let found = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, end_entity);
        if found.as_ref() == self.thumbprint {
            return Ok(ServerCertVerified::assertion());
        }
        let mismatch = Mismatch {
            expected: hex(&self.thumbprint),
            found: hex(found.as_ref()),
        };
        let mismatch = CertificateError::Other(OtherError(Arc::new(mismatch)));
        Err(rustls::Error::InvalidCertificate(mismatch))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        (self.provider.signature_verification_algorithms).supported_schemes()
    }
}

/// The peer has another certificate than the one that the request trusts. Thumbprints are public.
#[derive(Debug)]
struct Mismatch {
    expected: String,
    found: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { expected, found } = self;
        write!(f, "its thumbprint is {found}, and {expected} is expected")
    }
}

impl StdError for Mismatch {}

/// The error of a refused thumbprint, as text: rustls shows foreign errors by their `Debug`.
pub(super) fn mismatch(cause: &(dyn StdError + 'static)) -> Option<String> {
    if let Some(error) = cause.downcast_ref::<io::Error>() {
        return mismatch(error.get_ref()?);
    }
    match cause.downcast_ref()? {
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(why))) => {
            let mismatch = why.downcast_ref::<Mismatch>()?;
            Some(format!("invalid peer certificate: {mismatch}"))
        }
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A peer that is reached under another name than that of its URL.
///
/// reqwest takes the TLS name from the URL. So the URL gets that name, the client resolves it to
/// the host that the request named, and the `Host` header stays what it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Renamed {
    name: String,
    host: String,
}

impl Renamed {
    /// Returns the server name of `request`; `None` for the host of the URL.
    pub fn of(request: &HttpRequest) -> Result<Option<Self>, TransportError> {
        let Some(name) = &request.server_name else {
            return Ok(None);
        };
        let refuse = |why: &str| {
            TransportError::new(
                TransportErrorKind::Unsupported,
                format!("the server name {name:?} cannot be used: {why}"),
            )
        };
        if !matches!(
            ServerName::try_from(name.as_str()),
            Ok(ServerName::DnsName(_))
        ) {
            return Err(refuse("it is not a DNS name"));
        }
        let host = match request.url.host() {
            Some(Host::Domain(host)) => host.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => return Err(refuse("the URL has no host")),
        };
        Ok(Some(Self {
            name: name.to_ascii_lowercase(),
            host,
        }))
    }

    /// `url` with this name, and the `Host` header that belongs to it.
    pub fn apply(&self, url: &mut Url) -> Result<String, TransportError> {
        let host = url[url::Position::BeforeHost..url::Position::AfterPort].to_owned();
        url.set_host(Some(&self.name)).map_err(|error| {
            TransportError::new(
                TransportErrorKind::Unsupported,
                format!("the server name {:?} cannot be used: {error}", self.name),
            )
        })?;
        Ok(host)
    }

    /// Makes the client connect to the host of the request, and directly: a proxy would connect
    /// to the other name.
    pub fn build(&self, builder: rq::ClientBuilder) -> rq::ClientBuilder {
        let host: Arc<str> = self.host.as_str().into();
        builder.no_proxy().dns_resolver(ResolveTo(host))
    }
}

/// Resolves every name to the addresses of one host.
struct ResolveTo(Arc<str>);

impl rq::dns::Resolve for ResolveTo {
    fn resolve(&self, _: rq::dns::Name) -> rq::dns::Resolving {
        let host = Arc::clone(&self.0);
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((&*host, 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as rq::dns::Addrs)
        })
    }
}
