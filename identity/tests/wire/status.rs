//! What each status means to a credential, and how often it is asked for (PR-01, PR-10, PR-14,
//! MI-60 to MI-68).

use credsim_identity::{DefaultAzureCredential, ErrorKind, TokenCredential};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use crate::{
    host::{
        ACCESS_TOKEN, TOKEN, both, client_secret, failure, managed_identity, platform, request,
    },
    peer::{Peer, answer},
};

/// The status; the requests that it costs at IMDS; those that it costs at Entra.
const ATTEMPTS: [(u16, u64, u64); 27] = [
    (201, 1, 1),
    (204, 1, 1),
    (300, 1, 1),
    (302, 1, 1),
    (304, 1, 1),
    (400, 1, 1),
    (401, 1, 1),
    (403, 1, 1),
    (404, 6, 1),
    (405, 1, 1),
    (407, 1, 1),
    (408, 6, 4),
    (409, 1, 1),
    (410, 6, 1),
    (418, 1, 1),
    (429, 6, 4),
    (499, 1, 1),
    (500, 6, 4),
    (501, 1, 4),
    (502, 6, 4),
    (503, 6, 4),
    (504, 6, 4),
    (505, 1, 4),
    (507, 6, 4),
    (599, 6, 4),
    (600, 1, 1),
    (999, 1, 1),
];

async fn server(answer: ResponseTemplate, requests: u64) -> MockServer {
    let server = MockServer::start().await;
    let mock = Mock::given(any()).respond_with(answer).expect(requests);
    mock.mount(&server).await;
    server
}

#[tokio::test]
async fn every_status_has_its_number_of_attempts() {
    for (status, at_imds, at_entra) in ATTEMPTS {
        let mut answer = ResponseTemplate::new(status);
        if !matches!(status, 204 | 304) {
            answer = answer.set_body_string("<html>busy</html>");
        }
        let imds = server(answer.clone(), at_imds).await;
        let entra = server(answer, at_entra).await;
        for error in [
            failure(&managed_identity(&imds.uri())).await,
            failure(&client_secret(&entra.uri())).await,
        ] {
            assert_eq!(error.kind(), ErrorKind::Failed, "{error}");
            assert_eq!(error.status(), Some(status), "{error}");
            assert!(error.message().contains(&status.to_string()), "{error}");
            assert!(error.help().is_some(), "{error}");
        }
        imds.verify().await;
        entra.verify().await;
    }
}

#[tokio::test]
async fn a_200_is_a_token_only_if_it_holds_one() {
    for (body, wrong) in [
        (TOKEN, None),
        ("", Some("not a token in JSON")),
        ("<html>Sign in</html>", Some("not a token in JSON")),
        (r#"{"access_token":"","expires_in":3599}"#, Some("is empty")),
        (
            r#"{"access_token":"eyJ0eXAi.x.y"}"#,
            Some("it has no expires_"),
        ),
    ] {
        let server = server(ResponseTemplate::new(200).set_body_string(body), 2).await;
        for credential in both(&server.uri()) {
            let Some(wrong) = wrong else {
                let token = credential.get_token(&request()).await.unwrap();
                assert_eq!(token.secret(), ACCESS_TOKEN);
                continue;
            };
            let error = failure(&*credential).await;
            assert_eq!(error.kind(), ErrorKind::Failed, "{error}");
            assert!(error.message().contains(wrong), "{error}");
        }
    }
}

/// PR-01: which refusals mean that there is no managed identity here. Entra is always there.
#[tokio::test]
async fn some_refusals_mean_that_the_service_is_absent() {
    let unreachable = "A socket operation was attempted to an Unreachable network";
    let unknown = r#"{"error":"invalid_request","error_description":"Identity not found"}"#;
    for (status, body, kind) in [
        (403, unreachable, ErrorKind::Unavailable),
        (403, "Forbidden", ErrorKind::Failed),
        (502, unreachable, ErrorKind::Failed),
        (400, unknown, ErrorKind::Unavailable),
        (400, "Bad Request", ErrorKind::Failed),
    ] {
        let attempts = if status == 502 { 6 + 4 } else { 2 };
        let answer = ResponseTemplate::new(status).set_body_string(body);
        let server = server(answer, attempts).await;
        let [imds, entra] = both(&server.uri());
        assert_eq!(failure(&*imds).await.kind(), kind, "{status} {body}");
        assert_eq!(failure(&*entra).await.kind(), ErrorKind::Failed);
    }
}

/// MI-68, PR-13: the proxy that answers in place of IMDS costs the default chain one probe.
#[tokio::test]
async fn the_probe_recognises_the_proxy_that_reports_unreachable() {
    let answer = ResponseTemplate::new(403).set_body_string("connecting to it: unreachable");
    let server = server(answer, 1).await;
    let variables = [
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", &*server.uri()),
        ("AZURE_TOKEN_CREDENTIALS", "prod"),
    ];
    let credential = DefaultAzureCredential::builder()
        .platform(platform(&variables))
        .build()
        .unwrap();
    let error = failure(&credential).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.message().contains("unreachable"), "{error}");
}

#[tokio::test]
async fn informational_answers_come_before_the_answer() {
    let informational = b"HTTP/1.1 100 Continue\r\n\r\n\
        HTTP/1.1 102 Processing\r\nX-Progress: 50\r\n\r\n\
        HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\nRetry-After: 7200\r\n\r\n";
    let answer = [&informational[..], &answer("200 OK", "", TOKEN)].concat();
    let peer = Peer::answering([answer]).await;
    for credential in both(&peer.http()) {
        let token = credential.get_token(&request()).await.unwrap();
        assert_eq!(token.secret(), ACCESS_TOKEN);
    }

    // Nothing after them is no answer: it is asked for again.
    let peer = Peer::answering([informational.to_vec(), answer_of_a_token()]).await;
    let credential = managed_identity(&peer.http());
    credential.get_token(&request()).await.unwrap();
    assert_eq!(peer.connections(), 2);
}

/// The client has not offered another protocol.
#[tokio::test]
async fn switching_protocols_is_a_refusal() {
    let switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n";
    let peer = Peer::answering([switch.to_vec()]).await;
    for credential in both(&peer.http()) {
        let error = failure(&*credential).await;
        assert_eq!(error.kind(), ErrorKind::Failed, "{error}");
        assert_eq!(error.status(), Some(101), "{error}");
    }
    assert_eq!(peer.connections(), 2);
}

fn answer_of_a_token() -> Vec<u8> {
    answer("200 OK", "", TOKEN)
}
