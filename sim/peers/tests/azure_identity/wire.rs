//! What it makes of answers, and how long it waits for them.

use super::world::{APP, CALL, calls, exchanges, play};

fn with_fault(then: &str) -> String {
    format!(
        "{APP}[[at]]\ntime = \"0s\"\ndo.fault = {{ name = \"f\", on.entra = {{ request = \"token\" }}, first = 1, \
         then.{then} }}\n{CALL}"
    )
}

/// ER-02: an escape in the text makes it an error about JSON.
#[test]
fn an_escape_in_what_entra_says_is_not_read() {
    let told = |text: &str| {
        let body = format!(
            r#"{{"error":"invalid_client","error_description":"{text}","error_codes":[7000215]}}"#
        );
        let fault = format!("reply = {{ status = 401, body.text = '{body}' }}");
        let run = play(&with_fault(&fault));
        calls(&run)[0].1.clone().unwrap()
    };
    let plain = told("AADSTS7000215: Invalid client secret.");
    assert!(plain.contains("failed. AADSTS7000215: Inv"), "{plain}");
    let escaped = told(r"AADSTS7000215: Invalid client secret.\r\nTrace ID: 1");
    assert!(
        escaped.contains("failed. invalid type: string"),
        "{escaped}"
    );
    assert!(escaped.contains("expected a borrowed string"), "{escaped}");
}

/// RT-37: it waits 60 s for an answer.
#[test]
fn a_silent_service_is_given_up_after_a_minute() {
    let run = play(&with_fault("hang = {}"));
    assert_eq!(exchanges(&run)[0], (60_000, "given up".to_owned()));
    assert!(calls(&run)[0].1.is_none());
}

/// RT-37: it waits 20 s for a connection.
#[test]
fn a_black_hole_is_given_up_after_twenty_seconds() {
    let reached = APP.replace("[world.entra]", "[world.entra]\nreach = \"black-holed\"");
    let run = play(&format!("{reached}{CALL}"));
    let (at, how) = exchanges(&run)[0].clone();
    assert_eq!(at, 20_000, "{how}");
}
