//! TLS: the name in the URL is the one in the certificate.

use std::net::SocketAddr;
use std::sync::Arc;

use outrigger_ports::http_client::{HttpClient, HttpFault};
use outrigger_testkit::Tls;
use outrigger_web::{WebClient, WebOptions};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::{block_on, request};

/// Answers one request after the other with 204.
async fn serve(tls: &Tls) -> SocketAddr {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let certs = CertificateDer::pem_file_iter(tls.cert_path()).unwrap();
    let key = PrivateKeyDer::from_pem_file(tls.key_path()).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certs.map(Result::unwrap).collect(), key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(tcp).await else { continue };
            let mut head = [0_u8; 4096];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
            let _ = stream.shutdown().await;
        }
    });
    address
}

fn client(authorities: Vec<CertificateDer<'static>>) -> WebClient {
    let options = WebOptions { allow_private: true, authorities, ..WebOptions::default() };
    WebClient::new(options).unwrap()
}

#[test]
fn a_certificate_of_a_known_authority_is_believed_and_no_other() {
    let (tls, stranger) = (Tls::generate().unwrap(), Tls::generate().unwrap());
    let authority = |tls: &Tls| CertificateDer::from_pem_file(tls.ca_path()).unwrap();
    block_on(async {
        let port = serve(&tls).await.port();
        let knowing = client(vec![authority(&tls)]);
        for host in ["localhost", "127.0.0.1"] {
            let answer = knowing.send(request(&format!("https://{host}:{port}/"))).await;
            assert_eq!(answer.unwrap().status, 204, "{host}");
        }
        let other_name = knowing.send(request(&format!("https://127.0.0.2:{port}/"))).await;
        let unknown = client(vec![authority(&stranger)]);
        let unknown = unknown.send(request(&format!("https://localhost:{port}/"))).await;
        for fault in [other_name.unwrap_err(), unknown.unwrap_err()] {
            assert!(matches!(&fault, HttpFault::Connection(_)), "{fault:?}");
        }
    });
}
